"""Other plugins of pytest neither collect the evidence twice nor change a verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from meta.support.paths import CONFORMANCE
from purge_conformance.engine.rehearsal import write_small_run
from purge_conformance.evidence.jsonl import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.stub import StubServer

    Run = Callable[..., pytest.RunResult]

FORKING = """
def pytest_addoption(parser): parser.addoption("--forked", action="store_true", dest="forked")
"""
DESELECTING = """
import pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)  # as --last-failed does
def pytest_collection_modifyitems(items):
    yield
    items[:] = [item for item in items if "requires_token" in item.name]
"""
REPEATING = """
import pytest
def pytest_generate_tests(metafunc):  # as pytest-repeat does
    metafunc.fixturenames.append("step")
    metafunc.parametrize("step", range(3))
"""
FAILING_HOOKS = {
    "finish": "def pytest_collection_finish(): raise ValueError('planted')",
    "last-finish": """
import pytest
@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    raise OSError("planted")
""",
    "late-wrapper": """
import pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems():
    yield
    raise ValueError("planted")
""",
    "modify": "def pytest_collection_modifyitems(): raise ValueError('planted')",
    "report": "def pytest_report_collectionfinish(): raise ValueError('planted')",
}
DESELECTING_ALL = """
import pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    yield
    items.clear()
"""
BROKEN = "import no_such_module\n"


@pytest.mark.parametrize(
    "options",
    [
        ["-n", "2"],
        ["-n", "auto"],
        ["--numprocesses=logical"],
        ["--dist=each", "--tx=2*popen"],
        ["-d", "--tx", "popen"],
        ["--looponfail"],
    ],
    ids=" ".join,
)
def test_distributed_run_is_refused(options: list[str], stub_server: StubServer, run_pytest: Run) -> None:
    """With pytest-xdist nothing is sent: each of its processes would collect the evidence."""
    _require_refusal(run_pytest, stub_server, *options)


def test_distribution_by_environment_is_refused(
    stub_server: StubServer, run_pytest: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, if PYTEST_ADDOPTS has the option."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-n 2")
    _require_refusal(run_pytest, stub_server)


def test_distribution_by_configuration_is_refused(
    stub_server: StubServer, run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """The same, if pytest's configuration has the option."""
    ini = pytester.makeini("[pytest]\naddopts = -n 2 -p no:hypothesispytest -p no:schemathesis\n")
    _require_refusal(run_pytest, stub_server, "-c", ini)


def _require_refusal(run_pytest: Run, stub_server: StubServer, *options: str | Path) -> None:
    done = run_pytest(f"--target={stub_server.url}", "--token=admin=env:T", *options)
    assert (done.ret, stub_server.received) == (pytest.ExitCode.USAGE_ERROR, [])
    assert "run them with `-n 0`, or without it" in done.stderr.str()


def test_distributed_judging_is_refused(run_pytest: Run, tmp_path: Path) -> None:
    """Several processes would write the same reports, each with a part of the outcomes."""
    write_small_run(tmp_path)
    assert run_pytest(f"--evidence={tmp_path}", "-n", "2").ret == pytest.ExitCode.USAGE_ERROR
    assert run_pytest(f"--evidence={tmp_path}", "-n", "0").ret == 3


@pytest.mark.parametrize("option", ["--forked", "--setup-only", "--setup-plan"])
def test_lost_outcomes_are_refused(
    option: str, stub_server: StubServer, run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """Nothing is sent if the judgments would not run, or run in a process whose memory is lost."""
    pytester.makepyfile(forking=FORKING)
    pytester.syspathinsert()
    done = run_pytest(f"--target={stub_server.url}", "--token=admin=env:T", "-p", "forking", option)
    assert (done.ret, stub_server.received) == (pytest.ExitCode.USAGE_ERROR, [])
    assert option in done.stderr.str().partition("Omit ")[2]


def test_broken_judgments_send_nothing(stub_server: StubServer, run_pytest: Run, pytester: pytest.Pytester) -> None:
    """A module of judgments that cannot be imported ends pytest before anything is sent."""
    done = run_pytest(f"--target={stub_server.url}", "--token=admin=env:T", pytester.makepyfile(test_broken=BROKEN))
    assert (done.ret, stub_server.received) == (pytest.ExitCode.INTERRUPTED, [])
    assert "no_such_module" in done.stdout.str()


@pytest.mark.parametrize("hook", FAILING_HOOKS.values(), ids=FAILING_HOOKS)
def test_failing_collection_hook_sends_nothing(
    hook: str, stub_server: StubServer, run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """A hook of the collection that raises ends pytest before anything is sent."""
    pytester.makepyfile(failing=hook)
    pytester.syspathinsert()
    done = run_pytest(f"--target={stub_server.url}", "--token=admin=env:T", "-p", "failing")
    assert (done.ret, stub_server.received) == (pytest.ExitCode.INTERNAL_ERROR, [])
    assert "planted" in done.stdout.str() + done.stderr.str()


@pytest.mark.parametrize("option", ["-k=nothing", "-p=deselecting_all"])
def test_nothing_left_to_judge_sends_nothing(
    option: str, stub_server: StubServer, run_pytest: Run, pytester: pytest.Pytester
) -> None:
    """Where pytest, or a plugin after this one, deselects every judgment, nothing is sent."""
    pytester.makepyfile(deselecting_all=DESELECTING_ALL)
    pytester.syspathinsert()
    done = run_pytest(f"--target={stub_server.url}", "--token=admin=env:T", *option.split("="))
    assert (done.ret, stub_server.received) == (pytest.ExitCode.NO_TESTS_COLLECTED, [])


def _judge(run_pytest: Run, pytester: pytest.Pytester, *options: str) -> tuple[int, dict[str, Any]]:
    """Judge a small run, in which AUTH-01 fails and AUTH-03 passes; return the exit code and the report."""
    write_small_run(pytester.path / "run")
    out = pytester.path / "out"
    module, others = CONFORMANCE / "test_authentication.py", CONFORMANCE / "test_get.py"
    folders = ("--evidence=run", f"--conformance-out={out}")
    done = run_pytest(module, f"--deselect={others}", *folders, *options)
    return int(done.ret), json.loads((out / "report.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "marks"), [("lost", ["error"]), (None, [])])
def test_run_cut_short_is_red(name: str | None, marks: list[str], run_pytest: Run, pytester: pytest.Pytester) -> None:
    """A run that was cut short exits with 3 and has an error, although all of its judgments pass."""
    write_small_run(pytester.path / "run")
    if name:
        note = {"kind": "note", "scenario": "cleanup", "round": 1, "name": name, "value": "The connection is refused"}
        with (pytester.path / "run" / FILE_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
    module = CONFORMANCE / "test_authentication.py"
    done = run_pytest(module, "--evidence=run", "--conformance-select=AUTH-03", "--junitxml=own.xml")
    root = ET.parse(pytester.path / "own.xml").getroot()  # noqa: S314 -- pytest's own output
    assert [each.tag for case in root.iter("testcase") for each in case] == marks
    assert done.ret == (3 if name else 0)


def test_stopped_pytest_judges_what_it_can(run_pytest: Run, pytester: pytest.Pytester) -> None:
    """After -x the first failure decides, and what was not judged names the reason."""
    code, report = _judge(run_pytest, pytester, "-x", "--conformance-select=AUTH-0[123]")
    rows = {row["id"]: row for row in report["requirements"]}
    assert (code, rows["AUTH-01"]["outcome"]) == (1, "failed")
    assert {rows[name]["reason"] for name in ("AUTH-02", "AUTH-03")} == {"pytest stopped before it was judged."}
    assert {rows[name]["cause"] for name in ("AUTH-02", "AUTH-03")} == {"configuration"}


def test_later_deselection_is_respected(run_pytest: Run, pytester: pytest.Pytester) -> None:
    """What another plugin deselects after this one is not expected, as with --last-failed."""
    pytester.makepyfile(deselecting=DESELECTING)
    pytester.syspathinsert()
    code, report = _judge(run_pytest, pytester, "-p", "deselecting")
    assert (code, {row["id"] for row in report["requirements"]}) == (1, {"AUTH-01", "AUTH-05", "AUTH-06"})


def test_repeated_judgments_agree(run_pytest: Run, pytester: pytest.Pytester) -> None:
    """A judgment that runs several times gives its outcome once."""
    pytester.makepyfile(repeating=REPEATING)
    pytester.syspathinsert()
    code, report = _judge(run_pytest, pytester, "-p", "repeating", "--conformance-select=AUTH-0[13]")
    outcomes = [(row["id"], row["outcome"]) for row in report["requirements"]]
    assert (code, outcomes) == (1, [("AUTH-01", "failed"), ("AUTH-03", "passed")])
