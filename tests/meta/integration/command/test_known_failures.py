"""The cycle of a known failure: red, entered, green, expired, fixed, stale, pruned, green; also by junit.xml alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from meta.support.command import CommandResult, run_command
from meta.support.paths import CONFORMANCE
from meta.support.plain_pytest import run_pytest
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import FullRun

    Command = Callable[..., CommandResult]

FAULT, FAILED = "keeps-events-beyond-a-page", "PURGE-03"  # others rest on what this fault violates
OWNER, REASON = "capi", "Reported upstream."


@pytest.fixture(scope="module")
def faulty_run(tmp_path_factory: pytest.TempPathFactory) -> CommandResult:
    """A complete run against a reference server with a fault, which has stopped."""
    out = tmp_path_factory.mktemp("faulty") / "out"
    with reference_process.server(["--fault", FAULT]) as (url, tokens):
        environment = {f"{role.upper()}_SECRET": token for role, token in tokens.items()}
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in tokens]
        hook = f"--hook={reference_process.hook_url(url)}"
        return run_command("run", url, *sources, hook, "--out", out, folder=out, env=environment | {"PATH": ""})


@pytest.fixture
def known(faulty_run: CommandResult, tmp_path: Path) -> Path:
    """The file that is written from the run with the fault, complete."""
    path = tmp_path / "known-failures.yaml"
    terms = ("--owner", OWNER, "--reason", REASON, "--expires", "2099-12-31", "--out", path)
    result = run_command("known-failures", "write", faulty_run.folder, *terms, folder=tmp_path)
    assert result.code == 0, result.stderr
    return path


def judge(run: CommandResult, out: Path, *flags: object) -> CommandResult:
    """Judge a run again."""
    return run_command("judge", run.folder, "--out", out, *map(str, flags), folder=out)


def marks(folder: Path) -> dict[str, tuple[str, str]]:
    """Return name of each test case in junit.xml that did not pass -> its mark and the message of it."""
    cases = ET.parse(folder / "junit.xml").iter("testcase")  # noqa: S314 -- our own file
    return {case.get("name", ""): (case[0].tag, case[0].get("message", "")) for case in cases if len(case)}


def red(folder: Path) -> list[str]:
    """Return the names of the test cases that are red in junit.xml."""
    return [name for name, (tag, _) in marks(folder).items() if tag in {"failure", "error"}]


def test_failure_is_red_until_it_is_entered(faulty_run: CommandResult, known: Path, tmp_path: Path) -> None:
    """A fault is red by the requirement; entered, the same run is green, and says what is excused, by whom."""
    assert (faulty_run.code, FAILED in red(faulty_run.folder)) == (1, True), faulty_run.stderr
    result = judge(faulty_run, tmp_path / "out", "--known-failures", known)
    gate = result.report["gate"]
    assert (result.code, result.report["verdict"], red(result.folder)) == (0, "conformant-except-known", [])
    assert "Verdict: conformant except for 1 known failure" in result.stdout
    assert "Verdict: conformant." not in result.stdout
    assert (gate["status"], gate["known_failures"][0]["requirements"]) == ("kept", [FAILED])
    assert result.outcomes == faulty_run.outcomes
    tag, message = marks(result.folder)[FAILED]
    assert (tag, message.startswith(f"Known failure (owner {OWNER}, until 2099-12-31): {REASON}")) == ("skipped", True)
    blocked = gate["known_failures"][0]["consequences"]
    assert blocked
    assert all(marks(result.folder)[name][1].startswith("Not judged because of the known") for name in blocked)


def test_entry_that_does_not_hold_is_red(
    faulty_run: CommandResult, full_run: FullRun, known: Path, tmp_path: Path
) -> None:
    """An expired entry, one that fails otherwise, and one that is fixed are each a failure of its own in junit.xml."""
    text = known.read_text(encoding="utf-8")
    breaches = {
        "expired": (faulty_run, text.replace("2099-12-31", "2020-01-01")),
        "mismatch": (faulty_run, text.replace("<guid> of <time>", "<guid>")),
        "stale": (full_run, text),
    }
    for kind, (run, content) in breaches.items():
        known.write_text(content, encoding="utf-8")
        result = judge(run, tmp_path / kind, "--known-failures", known, "--profile=core")
        found = {each["kind"] for each in result.report["gate"]["breaches"] if each["requirement"] == FAILED}
        assert (result.code, found) == (1, {kind}), result.stderr
        assert f"known-failures.{FAILED}" in red(result.folder)
        assert f"GATE BROKEN known-failures.{FAILED} ({kind})" in result.stdout
    assert judge(full_run, tmp_path / "again", "--profile=core").report["verdict"] == "conformant"


def test_pruned_file_is_green(full_run: FullRun, known: Path, tmp_path: Path) -> None:
    """Once what is stale was pruned, the run without the fault is green and conformant."""
    pruned = run_command("known-failures", "prune", known, "--report", full_run.folder, folder=tmp_path)
    assert (pruned.code, f"Removed: {FAILED}" in pruned.stdout) == (0, True)
    result = judge(full_run, tmp_path / "out", "--known-failures", known)
    assert (result.code, result.report["verdict"], result.report["gate"]["status"]) == (0, "conformant", "kept")
    assert red(result.folder) == []


def test_selection_names_both(faulty_run: CommandResult, known: Path, tmp_path: Path) -> None:
    """With a selection the verdict is partial and names the known failure; what is not selected is not checked."""
    result = judge(faulty_run, tmp_path / "out", "--known-failures", known, "--select=PURGE-0*")
    assert (result.code, result.report["verdict"]) == (0, "partial")
    assert "conformant except for 1 known failure" in result.stdout
    other = judge(faulty_run, tmp_path / "other", "--known-failures", known, "--select=PURGE-02")
    assert (other.code, other.report["gate"]["not_checked"][0]["requirement"]) == (0, FAILED)
    blocked = judge(faulty_run, tmp_path / "blocked", "--known-failures", known, "--select=AGAIN-02")
    assert (blocked.code, blocked.report["gate"]["known_failures"][0]["consequences"]) == (0, ["AGAIN-02"])


def test_plain_pytest_is_as_green(faulty_run: CommandResult, known: Path) -> None:
    """Plain pytest shows a known failure as `known` and exits with 0; an expired one is red by the same name."""
    flags = (f"--evidence={faulty_run.folder}", f"--conformance-known-failures={known}", "-v")
    done = run_pytest(str(CONFORMANCE), *flags)
    assert (done.returncode, " KNOWN " in done.stdout, " FAILED " in done.stdout) == (0, True, False), done.stdout
    known.write_text(known.read_text(encoding="utf-8").replace("2099-12-31", "2020-01-01"), encoding="utf-8")
    done = run_pytest(str(CONFORMANCE), *flags)
    assert (done.returncode, f"known-failures.{FAILED}" in done.stdout) == (1, True), done.stdout


def test_wrong_file_is_refused_before_anything_is_sent(known: Path, tmp_path: Path, command: Command) -> None:
    """A mistake in the file ends a run with exit code 2 before the first request, with file and line."""
    known.write_text(known.read_text(encoding="utf-8").replace("owner:", "onwer:"), encoding="utf-8")
    out = tmp_path / "out"
    result = command("run", "http://127.0.0.1:9", "--token=admin=env:HOME", "--known-failures", known, folder=out)
    assert (result.code, "onwer is no key here. Did you mean owner?" in result.stderr) == (2, True)
    assert f"{known}, line " in result.stderr
