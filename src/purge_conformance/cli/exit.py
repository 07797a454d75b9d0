"""How a command ends: its last lines and its exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from purge_conformance.cli.output import write_error, write_line, write_safe_line
from purge_conformance.errors import ReportsNotWritten

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from purge_conformance.engine.promises import Promises
    from purge_conformance.report.formats import Output
    from purge_conformance.report.model import Run

USAGE_ERROR, INCONCLUSIVE = 2, 3
EPILOG = (
    "Exit codes: 0 conformant (also except for known failures) or partial, 1 non-conformant, or the gate is broken, "
    "2 usage, configuration, consent or archive, 3 inconclusive."
)


def exit_with_error(text: str, code: int) -> NoReturn:
    """Print one sentence to standard error and exit."""
    write_error(f"Error: {text}")
    sys.exit(code)


def judge(
    evidence: Path,
    out: Path,
    promises: Promises,
    profiles: Iterable[str] = (),
    select: Iterable[str] = (),
) -> tuple[Run, ReportsNotWritten | None]:
    """Judge the evidence in one folder, write the reports to another or the same, and return the run.

    Returns:
        The run, and which reports could not be written, or None.

    Raises:
        ReportsNotWritten: there is no report.json.
        SuiteError: the judgments did not end.
    """
    from purge_conformance.engine import pytest_process
    from purge_conformance.report import json as as_json

    try:
        return pytest_process.judge(evidence, out, profiles, select, promises), None
    except ReportsNotWritten as error:
        if as_json.FILE_NAME in error.names:
            raise
        return as_json.load(out), error


def write_formats(outputs: Iterable[Output], run: Run, folder: Path) -> ReportsNotWritten | None:
    """Write the reports of `--format`, and return which could not be written; annotations are printed.

    `folder` has the reports and the evidence of the run.
    """
    from functools import partial

    from purge_conformance.evidence.jsonl import read
    from purge_conformance.report import formats

    for line in formats.printed_lines(outputs, run):
        write_safe_line(line)
    try:
        formats.write(outputs, run, folder, partial(read, folder))
    except ReportsNotWritten as error:
        return error
    return None


def show_verdict(
    run: Run,
    folder: Path,
    problem: ReportsNotWritten | None,
    signals: Iterable[str] = (),
    outputs: Iterable[Output] = (),
) -> int:
    """Print the verdict, where the reports are, and which are missing; return the exit code of the run.

    Without junit.xml, which a CI reads, and after a signal the exit code is that of a run without a result.
    """
    from rich.console import Console

    from purge_conformance.report import REQUIRED, terminal

    terminal.show(run, folder, Console(), write_line)
    further_problem = write_formats(outputs, run, folder)
    if further_problem:
        write_error(f"Warning: {further_problem}")
    if problem and REQUIRED.intersection(problem.names):
        write_error(f"Error: {problem}")
        return INCONCLUSIVE
    if problem:
        write_error(f"Warning: {problem}")
    for name in signals:
        write_error(f"Error: Interrupted while judging ({name}). The verdict above is that of the whole run.")
        return INCONCLUSIVE
    return run.exit_code
