"""`--baseline`: regressions make the exit code 1, in every report and in plain pytest, and excuse nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from meta.support.paths import CONFORMANCE
from meta.support.plain_pytest import run_pytest
from meta.support.reports import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer

    Command = Callable[..., CommandResult]


def better_report(run: FullRun, folder: Path) -> Path:
    """Write a report in which one more case of AUTH-01 was tried than in a run, and return its folder."""
    data: dict[str, Any] = run.report
    next(row for row in data["requirements"] if row["id"] == "AUTH-01")["cases"]["more"] = 3
    return write_report(folder, data)


def failed_cases(folder: Path) -> list[str | None]:
    """Return the names of the test cases that failed in junit.xml."""
    cases = ET.parse(folder / "junit.xml").iter("testcase")  # noqa: S314 -- our own file
    return [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]


def test_run_as_good_keeps_promise(full_run: FullRun, command: Command, tmp_path: Path) -> None:
    """A run that is as good as its baseline exits by its verdict, and the report says that the promise was kept."""
    out = tmp_path / "out"
    result = command("judge", full_run.folder, "--out", out, "--baseline", full_run.folder, folder=out)
    assert (result.code, result.report["gate"]["status"]) == (0, "kept"), result.stderr
    assert result.report["gate"]["baseline"] == str(full_run.folder)


def test_regression_breaks_gate(full_run: FullRun, command: Command, tmp_path: Path) -> None:
    """A regression makes the exit code 1 and leaves the verdict as it is; junit.xml has it as a failure of its own."""
    out, baseline = tmp_path / "out", better_report(full_run, tmp_path / "baseline")
    result = command("judge", full_run.folder, "--out", out, "--baseline", baseline, "--select=AUTH-*", folder=out)
    (breach,) = result.report["gate"]["breaches"]
    assert (result.code, result.report["verdict"], breach["kind"]) == (1, "partial", "regression")
    assert f"Case more of AUTH-01 was tried in {baseline} and no longer ran." in result.stdout
    assert failed_cases(out) == ["baseline.AUTH-01"]


def test_plain_pytest_is_red(full_run: FullRun, tmp_path: Path) -> None:
    """Plain pytest exits with 1 as well, and reports the regression as an error of its own."""
    baseline = better_report(full_run, tmp_path / "baseline")
    flags = (f"--evidence={full_run.folder}", "--conformance-select=AUTH-01", f"--conformance-baseline={baseline}")
    done = run_pytest(str(CONFORMANCE), *flags)
    assert (done.returncode, "baseline.AUTH-01" in done.stdout) == (1, True), done.stdout


def test_run_compares_with_report_that_it_replaces(full_run: FullRun, command: Command, tmp_path: Path) -> None:
    """A run reads its baseline before it starts: `--force` replaces the report in the same folder."""
    out = better_report(full_run, tmp_path / "out")
    flags = ("--select=AUTH-01", "--max-purges=0", "--out", out, "--force", "--baseline", out / "report.json")
    result = command("run", *flags, folder=out)
    assert (result.code, result.report["verdict"]) == (1, "partial"), result.stdout + result.stderr
    assert [each["requirement"] for each in result.report["gate"]["breaches"]] == ["AUTH-01"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [(None, "--baseline"), ([], "judged none of the requirements of this run")],
)
def test_useless_baseline_is_refused_first(
    rows: object, words: str, stub_server: StubServer, command: Command, tmp_path: Path
) -> None:
    """A baseline that cannot be read or compared ends a run with exit code 2 before its first request."""
    report = write_report(tmp_path / "old", {"verdict": "conformant", "requirements": rows})
    flags = ("--token=admin=env:PATH", "--baseline", report, "--out", tmp_path / "out")
    result = command("run", stub_server.url, *flags, folder=tmp_path / "out")
    assert (result.code, words in result.stderr, stub_server.received) == (2, True, []), result.stderr
    assert not (tmp_path / "out").exists()
