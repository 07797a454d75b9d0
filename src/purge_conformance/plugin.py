"""The pytest plugin: options, the marker, the evidence as a fixture, and the outcome of each judgment.

The only module that imports pytest. Every pytest run of an environment that has the package loads it, so it imports
only the table of options until pytest collects a judgment.
"""

from __future__ import annotations

import argparse
import gc
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

from purge_conformance.config.options import KEYS
from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE
from purge_conformance.config.value_types import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TextIO

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.engine.pytest_session import Preparation
    from purge_conformance.engine.verdicts import RunBuilder
    from purge_conformance.evidence.records import Evidence

PREPARATION: pytest.StashKey[Preparation] = pytest.StashKey()
RUN_BUILDERS: pytest.StashKey[dict[str, RunBuilder]] = pytest.StashKey()  # by folder of evidence; "" for a target
T = TypeVar("T")
MARKER = "requirement"
FORCE = "--conformance-force"
EVIDENCE = "evidence"  # the fixture that is parametrized with several folders
COLLECTED_JUDGMENTS = "purge_conformance_judgments"  # a worker of pytest-xdist did; a key of its output
# Options of pytest and its plugins under which the judgments would not run, or their outcomes would be lost.
UNUSABLE_OPTIONS = {
    "forked": "--forked of pytest-forked",
    "workers": "--workers of pytest-parallel",
    "tests_per_worker": "--tests-per-worker of pytest-parallel",
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
}
# Options of pytest and its plugins with a file that they write at the end. Those opened at the start need no check.
OUTPUT_FILES = {"xmlpath": "--junitxml", "htmlpath": "--html of pytest-html", "csv_path": "--csv of pytest-csv"}
ONE_PROCESS = (
    "would collect the evidence in each of its processes, and purge the target in each. The judgments take about two "
    "seconds in one: run them with `-n 0`, or without it"
)
LETTERS = {"passed": ".", "failed": "F", "inconclusive": "I", "not exercised": "n", "known": "k"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add a flag for each option; the prefix keeps it apart from the options of other plugins."""
    group = parser.getgroup("purge-conformance", "conformance of a Cloud Foundry API")
    for key in KEYS:
        if key.value_type is BOOLEAN:
            group.addoption(key.pytest_option, action="store_true", default=None, dest=key.dest, help=key.help)
        else:
            action = "append" if key.value_type.is_repeatable else "store"
            group.addoption(key.pytest_option, action=action, dest=key.dest, metavar=key.metavar, help=key.help)
    group.addoption(
        "--allow-purge",
        action="append",
        default=[],
        metavar="HOST",
        help="Host whose app usage events the run may destroy; repeatable.",
    )
    group.addoption(
        ALLOW_INCOMPLETE_ARCHIVE,
        action="store_true",
        help="Purge although not all events could be archived; the report says so.",
    )
    group.addoption(
        FORCE,
        action="store_true",
        help="Replace the evidence and the reports of a run that --conformance-out holds; its archive is kept.",
    )
    group.addoption(
        "--evidence",
        action="append",
        default=[],
        metavar="DIR",
        help="Judge the evidence of an earlier run and send nothing; repeatable.",
    )
    for name in ("baseline", "known-failures"):  # for the process that the command starts
        group.addoption(f"--conformance-{name}-name", help=argparse.SUPPRESS)
    group.addoption(
        "--conformance-config",
        metavar="FILE",
        help="Configuration file; default: purge-conformance.yaml if it exists.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{MARKER}(id): the one requirement that a judgment asserts")


@pytest.hookimpl(wrapper=True)  # before pytest-xdist starts a process, and pytest a session
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Refuse to collect evidence in several processes, if the command line says that there will be judgments.

    Refuse files that pytest cannot write, too.
    """
    if (config.option.conformance_target or config.option.evidence) and _is_distributed(config):
        raise pytest.UsageError(f"pytest-xdist {ONE_PROCESS}.")
    if any(config.getoption(name, None) for name in OUTPUT_FILES):
        _require_outputs(config)
    return (yield)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 -- pytest-xdist may be absent
    """Refuse the same if a worker collected judgments; it has sent nothing."""
    if getattr(node, "workeroutput", {}).get(COLLECTED_JUDGMENTS):
        raise pytest.UsageError(f"pytest-xdist {ONE_PROCESS}.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every judgment once per folder if several folders of evidence were given."""
    folders = metafunc.config.option.evidence
    if len(folders) > 1 and EVIDENCE in metafunc.fixturenames and any(metafunc.definition.iter_markers(MARKER)):
        metafunc.parametrize(EVIDENCE, folders, ids=[Path(name).name for name in folders], indirect=True)


@pytest.hookimpl(trylast=True)  # after the user's own -k and -m
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the judgments of the selected requirements; nothing is sent yet."""
    judgments = {item: _requirement_id(item) for item in items if item.get_closest_marker(MARKER)}
    if not judgments or config.option.collectonly:
        return
    if hasattr(config, "workeroutput"):  # of pytest-xdist: its controller ends with a usage error
        config.workeroutput[COLLECTED_JUDGMENTS] = True
        items[:] = [item for item in items if item not in judgments]
        return
    if session.testsfailed and not config.option.continue_on_collection_errors:
        return  # a module of judgments cannot be imported: pytest says so and judges nothing
    _require_usable_options(config)
    _require_known(set(judgments.values()))
    preparation = config.stash[PREPARATION] = _prepare_judging(config)
    every = list(items)
    items[:] = [item for item in judgments if judgments[item] in preparation.expected[_run_key(item)]]
    selected_items = set(items)  # tests that are no judgments are left out: the exit code is about the target
    config.hook.pytest_deselected(items=[item for item in every if item not in selected_items])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Collect the evidence, now that no hook of the collection can fail any more; expect what is left to be judged."""
    config, preparation = session.config, session.config.stash.get(PREPARATION, None)
    has_failed = session.testsfailed and not config.option.continue_on_collection_errors
    if preparation and not (has_failed or session.shouldfail or session.shouldstop):
        judgments = [item for item in session.items if item.get_closest_marker(MARKER)]
        if judgments or not preparation.needs_judgments:
            ids = set(map(_requirement_id, judgments))
            builders = config.stash[RUN_BUILDERS] = _or_exit(lambda: preparation.start(_line_writer(config), ids))
            gc.freeze()  # the evidence lives as long as the process: searching it for garbage takes a tenth of the time
            for name, builder in builders.items():
                builder.expect_only(_requirement_id(item) for item in judgments if _run_key(item) == name)
    result = yield
    _report_runs(session.config)
    return result


def _report_runs(config: pytest.Config) -> None:
    """Report what no judgment reports: what no run can judge, and a run that is red although no judgment is."""
    from purge_conformance.engine.pytest_session import reports_without_judgment

    for name, members in reports_without_judgment(config.stash.get(RUN_BUILDERS, {})).items():
        config.hook.pytest_runtest_logreport(report=pytest.TestReport(name, (name, None, name), {}, **members))


@pytest.fixture(scope="session")
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """What the run recorded: this run, or an earlier one."""
    builders = request.config.stash[RUN_BUILDERS]
    return (builders[request.param] if hasattr(request, "param") else next(iter(builders.values()))).evidence


@pytest.fixture
def view(evidence: Evidence) -> JudgmentView:
    """What the run saw, for one judgment."""
    from purge_conformance.analysis.assertions import require_usable_target
    from purge_conformance.analysis.view import JudgmentView

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
        from purge_conformance.engine.pytest_session import explain, pytest_outcome

        view = getattr(item, "funcargs", {}).get("view")
        error = call.excinfo.value if call.excinfo else None
        builder = builders[_run_key(item)]
        result = builder.record(_requirement_id(item), error, view, call.duration)
        gc.freeze()  # what the judgment cached of the evidence stays as well
        report.outcome, shown = pytest_outcome(result, builder)
        report.user_properties.append(("outcome", shown))
        text = explain(result)
        report.longrepr = (str(item.path), item.location[1] or 0, text) if report.outcome == "skipped" else text or None
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show each outcome by its own name; a SHOULD that failed is `advised`, since it does not fail the run.

    A MUST that failed or is open, and that a known failure excuses, is `known`.
    """
    outcome = dict(getattr(report, "user_properties", ())).get("outcome")  # a report of collection has none
    if report.when == "teardown" or outcome is None:
        return None
    if outcome == "failed" and report.outcome != "failed":
        return "advised", "a", "ADVISED"
    return str(outcome), LETTERS[str(outcome)], str(outcome).upper()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End with the verdict of each run, and where its files are."""
    if PREPARATION in config.stash:
        from purge_conformance.engine.pytest_session import summary_lines

        for line in summary_lines(config.stash.get(RUN_BUILDERS, {}), config.option):
            terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports if the user named a folder for them, and exit by the verdict."""
    builders = session.config.stash.get(RUN_BUILDERS, None)
    if builders is not None:
        from purge_conformance.engine.pytest_session import finish_judging
        from purge_conformance.engine.verdicts import STOPPED_EARLY

        if session.shouldfail or session.shouldstop:
            for builder in builders.values():
                builder.missing = STOPPED_EARLY
        session.exitstatus = finish_judging(builders, session.config.option)


def _is_distributed(config: pytest.Config) -> bool:
    """Whether pytest-xdist will run the tests in other processes; it has not yet read its options."""
    has_workers = config.getoption("tx", None) and (
        config.getoption("dist", "no") != "no" or config.getoption("distload", False)  # -d
    )
    return bool(config.getoption("numprocesses", None) or has_workers or config.getoption("looponfail", None))


def _require_outputs(config: pytest.Config) -> None:
    from purge_conformance.engine.pytest_outputs import require_outputs
    from purge_conformance.errors import BadSetting

    try:
        require_outputs(config.option, OUTPUT_FILES)
    except BadSetting as error:
        raise pytest.UsageError(_as_printable(str(error))) from None


def _require_usable_options(config: pytest.Config) -> None:
    found = [words for name, words in UNUSABLE_OPTIONS.items() if config.getoption(name, None)]
    if found:
        raise pytest.UsageError(f"The judgments would not be run, or their outcomes lost. Omit {', '.join(found)}.")


def _require_known(names: set[str]) -> None:
    from purge_conformance import catalogue
    from purge_conformance.errors import did_you_mean

    known = {requirement.id for requirement in catalogue.requirements()}
    if unknown := sorted(names - known):
        raise pytest.UsageError(
            f"{', '.join(unknown)}: no such requirement.{did_you_mean(unknown[0], sorted(known))} "
            "`purge-conformance list` shows them all."
        )


def _prepare_judging(config: pytest.Config) -> Preparation:
    from purge_conformance.engine.pytest_session import prepare_judging

    return _or_exit(lambda: prepare_judging(config.option))


def _or_exit(function: Callable[[], T]) -> T:
    """Return what a function returns; an error ends pytest with one sentence and no traceback."""
    from purge_conformance.engine.signals import INTERRUPTED, interrupt_on_signal
    from purge_conformance.errors import SuiteError, UsageError, crash_message

    try:
        with interrupt_on_signal():
            return function()
    except KeyboardInterrupt:
        pytest.exit(INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
    except UsageError as error:
        raise pytest.UsageError(_as_printable(_with_pytest_flags(str(error)))) from None
    except SuiteError as error:
        pytest.exit(_as_printable(_with_pytest_flags(str(error))), pytest.ExitCode.INTERNAL_ERROR)
    except Exception as error:  # noqa: BLE001 -- a traceback of pytest would show secrets
        pytest.exit(crash_message(error), pytest.ExitCode.INTERNAL_ERROR)


def _with_pytest_flags(text: str) -> str:
    """Return a message with pytest's name of each flag of the command."""
    flags = {key.option: key.pytest_option for key in KEYS} | {"--force": FORCE}
    return re.sub(r"(?<![\w-])--[a-z][a-z-]*", lambda flag: flags.get(flag[0], flag[0]), text)


def _as_printable(text: str) -> str:
    from purge_conformance.evidence.safe_text import printable_lines

    return "\n".join(printable_lines(text))


def _line_writer(config: pytest.Config) -> Callable[[str], None]:
    """Make pytest's terminal drop its output once standard output has no reader; return what prints a line."""
    from purge_conformance.engine.streams import TolerantStream

    writer = config.get_terminal_writer()
    writer._file = cast("TextIO", TolerantStream(writer._file))  # noqa: SLF001 -- there is no public name
    return writer.line


def _requirement_id(item: pytest.Item) -> str:
    marker = item.get_closest_marker(MARKER)
    return str(marker.args[0]) if marker and marker.args else ""


def _run_key(item: pytest.Item) -> str:
    """Return which of the runs an item judges: a key of the run builders."""
    runs = item.config.stash[PREPARATION].expected
    return (
        str(item.callspec.params[EVIDENCE]) if len(runs) > 1 and isinstance(item, pytest.Function) else next(iter(runs))
    )
