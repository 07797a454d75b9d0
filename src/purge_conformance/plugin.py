"""The pytest plugin: options, the marker, the evidence as a fixture, and the harvest of results.

The only module of the package that imports pytest. It loads in every pytest run of an environment that has the
package, so it imports no more of the package than the table of keys until a judgment is collected.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.options import KEYS
from purge_conformance.config.value_types import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Generator

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.engine.verdicts import RunBuilder
    from purge_conformance.evidence.records import Evidence

RUN_BUILDERS: pytest.StashKey[dict[str, RunBuilder]] = pytest.StashKey()  # by folder of evidence; "" for a target
MARKER = "requirement"
EVIDENCE = "evidence"  # the fixture that several runs parametrize
LETTERS = {"passed": ".", "failed": "F", "inconclusive": "I", "not exercised": "n"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `pytest tests/conformance` takes: each key, by names that leave room for other plugins' options."""
    group = parser.getgroup("purge-conformance", "conformance of a Cloud Foundry API")
    for key in KEYS:
        if key.value_type is BOOLEAN:
            group.addoption(key.pytest_option, action="store_true", default=None, dest=key.dest, help=key.help)
        else:
            action = "append" if key.value_type.is_repeatable else "store"
            group.addoption(key.pytest_option, action=action, dest=key.dest, metavar=key.metavar, help=key.help)
    group.addoption("--allow-purge", action="append", default=[], metavar="HOST", help="a host that may be purged")
    group.addoption(
        "--evidence",
        action="append",
        default=[],
        metavar="DIR",
        help="judge what an old run recorded, without any request; repeatable: one pytest judges many runs",
    )
    group.addoption(
        "--conformance-config", metavar="FILE", help="settings; default: purge-conformance.yaml, where it exists"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{MARKER}(id): the one requirement that a judgment asserts")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make every judgment once for each of several runs."""
    folders = metafunc.config.option.evidence
    if len(folders) > 1 and EVIDENCE in metafunc.fixturenames and any(metafunc.definition.iter_markers(MARKER)):
        metafunc.parametrize(EVIDENCE, folders, ids=[Path(name).name for name in folders], indirect=True)


@pytest.hookimpl(trylast=True)  # after the user's own -k and -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Collect the evidence, or read it, and keep the judgments of the requirements that were asked for."""
    judgments = {item: _requirement_id(item) for item in items if item.get_closest_marker(MARKER)}
    if not judgments or config.option.collectonly:
        return
    from purge_conformance import catalogue
    from purge_conformance.engine import pytest_session as running
    from purge_conformance.errors import SuiteError, UsageError, crash_message

    if unknown := set(judgments.values()) - {requirement.id for requirement in catalogue.requirements()}:
        raise pytest.UsageError(f"{', '.join(sorted(unknown))}: no such requirement. See `purge-conformance list`.")
    try:
        builders = config.stash[RUN_BUILDERS] = running.prepare_judging(
            config.option, config.get_terminal_writer().line
        )
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    except SuiteError as error:
        pytest.exit(str(error), pytest.ExitCode.INTERNAL_ERROR)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it costs this item alone
        pytest.exit(crash_message(error), pytest.ExitCode.INTERNAL_ERROR)
    gc.freeze()  # the evidence stays to the end: to look for garbage in it takes a tenth of the time
    items[:] = [item for item in judgments if judgments[item] in builders[_run_key(item)].expected]
    selected_items = set(items)
    config.hook.pytest_deselected(items=[item for item in judgments if item not in selected_items])
    for name, builder in builders.items():
        builder.expect_only(judgments[item] for item in items if _run_key(item) == name)


@pytest.fixture(scope="session")
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """What the run saw: collected just now, or by an old run."""
    builders = request.config.stash[RUN_BUILDERS]
    return (builders[request.param] if hasattr(request, "param") else next(iter(builders.values()))).evidence


@pytest.fixture
def view(evidence: Evidence) -> JudgmentView:
    """What the run saw, for one judgment."""
    from purge_conformance.analysis.assertions import JudgmentView, require_usable_target

    require_usable_target(evidence)
    return JudgmentView(evidence)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the end of a judgment into the outcome of its requirement."""
    report = yield
    builders = item.config.stash.get(RUN_BUILDERS, None)
    if builders is None or not item.get_closest_marker(MARKER):
        return report
    if call.when == "call" or (call.when == "setup" and call.excinfo):
        from purge_conformance.engine import pytest_session as running

        view = getattr(item, "funcargs", {}).get("view")
        read_exchanges, tally = getattr(view, "read_exchanges", ()), getattr(view, "tally", None)
        error = call.excinfo.value if call.excinfo else None
        result = builders[_run_key(item)].record(_requirement_id(item), error, read_exchanges, call.duration, tally)
        report.user_properties.append(("outcome", str(result.outcome)))
        gc.freeze()  # what the judgment read in the evidence stays as well
        report.outcome = running.pytest_outcome(result)
        text = running.explain(result)
        report.longrepr = (str(item.path), item.location[1] or 0, text) if report.outcome == "skipped" else text or None
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show outcomes by their own names; a SHOULD that failed is `advised`, it fails nothing."""
    outcome = dict(getattr(report, "user_properties", ())).get("outcome")  # a report of collection has none
    if report.when == "teardown" or outcome is None:
        return None
    if outcome == "failed" and report.outcome != "failed":
        return "advised", "a", "ADVISED"
    return str(outcome), LETTERS[str(outcome)], str(outcome).upper()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End with what the run amounts to."""
    builders = config.stash.get(RUN_BUILDERS, None)
    if builders is not None:
        from purge_conformance.engine import pytest_session as running

        for line in running.summary_lines(builders, config.option):
            terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports where that was asked for, and exit by the verdict."""
    builders = session.config.stash.get(RUN_BUILDERS, None)
    if builders is not None and not session.shouldstop:
        from purge_conformance.engine import pytest_session as running

        session.exitstatus = running.finish_judging(builders, session.config.option)


def _requirement_id(item: pytest.Item) -> str:
    marker = item.get_closest_marker(MARKER)
    return str(marker.args[0]) if marker and marker.args else ""


def _run_key(item: pytest.Item) -> str:
    """Return which of the runs an item judges: a key of `JUDGINGS`."""
    builders = item.config.stash[RUN_BUILDERS]
    return (
        str(item.callspec.params[EVIDENCE])
        if len(builders) > 1 and isinstance(item, pytest.Function)
        else next(iter(builders))
    )
