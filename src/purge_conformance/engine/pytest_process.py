"""Runs the judgments with pytest in a separate process that no other pytest configuration affects."""

from __future__ import annotations

import subprocess
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from purge_conformance.config import child_python
from purge_conformance.engine.promises import NO_PROMISES, as_pytest_options
from purge_conformance.errors import ReportsNotWritten, SuiteError
from purge_conformance.report import NOT_WRITTEN, REPORT_NAMES
from purge_conformance.report import json as as_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from purge_conformance.engine.promises import Promises
    from purge_conformance.report.model import Run

JUDGING_TIMEOUT_S = 600.0  # judging takes about two seconds
# Plugins of pytest that cost time around each judgment and that no judgment needs.
DISABLED_PLUGINS = (
    "doctest",
    "faulthandler",
    "logging",
    "setuponly",
    "subtests",
    "threadexception",
    "unittest",
    "unraisableexception",
)


def judge(
    evidence: Path,
    out: Path,
    profiles: Iterable[str] = (),
    select: Iterable[str] = (),
    promises: Promises = NO_PROMISES,
) -> Run:
    """Judge the evidence in one folder, write all reports to another or the same, and return what they say.

    Args:
        evidence: its folder.
        out: the folder of the reports.
        profiles: which requirements are judged; none: those of the run.
        select: globs of ids; none: those of the run.
        promises: what the user promised about the run.

    Raises:
        ReportsNotWritten: some reports could not be written; all others are.
        SuiteError: pytest ended without a report.
    """
    options = [f"--conformance-profile={name}" for name in profiles]
    options += [f"--conformance-select={glob}" for glob in select]
    before = _identities(out)
    options += [f"--evidence={evidence.absolute()}", f"--conformance-out={out.absolute()}"]
    with as_pytest_options(promises) as more_options:
        process = _run_pytest([*options, *more_options])
    missing = tuple(name for name, identity in _identities(out).items() if identity == before[name])
    if problem := _last_line(process.stderr, NOT_WRITTEN):
        verdict = _last_line(process.stdout, "Verdict:") if as_json.FILE_NAME in missing else ""
        raise ReportsNotWritten(f"{problem} {verdict}".rstrip(), missing)
    if missing:
        raise SuiteError(
            f"The judgments ended without a verdict (pytest exited with {process.returncode}). Please report it.\n"
            f"{_tail(process)}"
        )
    return as_json.load(out)


def judge_all(names: Iterable[str], folder: Path, tests: Path | None = None) -> str:
    """Judge the evidence in several folders with one pytest process; each folder gets the reports of its evidence.

    Args:
        names: the names of the folders, at least one.
        folder: their parent.
        tests: a folder of judgments in place of the suite's own.

    Returns:
        The end of pytest's output, to explain why a folder has no report.

    Raises:
        SuiteError: pytest did not end in time.
    """
    folders = [(folder / name).absolute() for name in names]
    out = folder.absolute() if len(folders) > 1 else folders[0]  # with several, the plugin appends the name
    return _tail(_run_pytest([*(f"--evidence={place}" for place in folders), f"--conformance-out={out}"], tests))


def _identities(out: Path) -> dict[str, tuple[int, int] | None]:
    """Return inode and time of each report, which change when the file is replaced; None if it does not exist."""
    paths = (out / name for name in REPORT_NAMES)
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None for path in paths}


def _last_line(output: str, start: str) -> str:
    """Return the last line that begins so; empty if there is none."""
    return next((line for line in reversed(output.splitlines()) if line.startswith(start)), "")


def _run_pytest(options: Iterable[str], tests: Path | None = None) -> subprocess.CompletedProcess[str]:
    with as_file(files("purge_conformance.conformance")) as package_tests:
        tests_folder = tests or package_tests
        ini = ["-c", str(tests_folder / "pytest.ini"), f"--rootdir={tests_folder}", str(tests_folder)]
        options_of_pytest = ("-q", "--tb=native", "--capture=no", "-p", "purge_conformance.plugin")
        plugin_options = [word for name in DISABLED_PLUGINS for word in ("-p", f"no:{name}")]
        return _run_python("-m", "pytest", *options_of_pytest, *plugin_options, *ini, *options)


def _run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 -- this Python runs our own tests
            child_python.command(*arguments),
            env=child_python.environment(*child_python.COVERAGE_VARIABLES),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=JUDGING_TIMEOUT_S,
            check=False,
            start_new_session=True,  # otherwise a terminal's interrupt reaches it as well
        )
    except subprocess.TimeoutExpired:
        raise SuiteError(f"The judgments did not end within {JUDGING_TIMEOUT_S:g} s. Please report it.") from None


def _tail(process: subprocess.CompletedProcess[str]) -> str:
    return (process.stdout + process.stderr)[-2000:].strip()
