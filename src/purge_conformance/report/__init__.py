"""The reports: one module per format, all written from the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.errors import ReportsNotWritten
from purge_conformance.evidence import files
from purge_conformance.report import html as as_html
from purge_conformance.report import json as as_json
from purge_conformance.report import junit as as_junit
from purge_conformance.report import markdown as as_markdown
from purge_conformance.report import scripts
from purge_conformance.report.formats import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Run

REPORT_NAMES = (as_json.FILE_NAME, as_junit.FILE_NAME, as_markdown.FILE_NAME, as_html.FILE_NAME)
NOT_WRITTEN = "Not written to"  # how the message begins
REQUIRED = {as_json.FILE_NAME, as_junit.FILE_NAME}  # for programs: without them a command does not exit by the verdict


def write_all(run: Run, evidence: Evidence, folder: Path) -> tuple[Path, ...]:
    """Write the reports and the scripts into `folder`, and return the paths of the reports.

    Each file appears complete or not at all, and replaces an older one. One that fails does not stop the others.

    Raises:
        ReportsNotWritten: some could not be written; all others are.
    """
    paths: list[Path] = []
    failures: dict[str, str] = {}
    for name, render in _renderers(run, evidence):
        try:
            files.create_folder(folder)
            paths.append(files.write_text(folder / name, render()))
        except Exception as error:  # noqa: BLE001 -- the other reports are still written
            failures[name] = reason_of(error)
    try:
        scripts.write(run, folder)
    except OSError as error:
        failures[scripts.FOLDER] = reason_of(error)
    if failures:
        raise ReportsNotWritten(_not_written_message(failures, folder), tuple(failures))
    return tuple(paths)


def _not_written_message(failures: Mapping[str, str], folder: Path) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in failures.items():
        by_reason.setdefault(reason, []).append(name)
    what = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())
    again = "judge the run again" if as_json.FILE_NAME in failures else "write them again"
    command = f"judge {folder} --out NEW" if as_json.FILE_NAME in failures else f"report {folder}"
    return (
        f"{NOT_WRITTEN} {folder}: {what}. Make room or give permission there, then {again}: "
        f"`purge-conformance {command}`."
    )


def _renderers(run: Run, evidence: Evidence) -> Iterator[tuple[str, Callable[[], str]]]:
    yield as_json.FILE_NAME, lambda: as_json.dump(run)
    yield as_junit.FILE_NAME, lambda: as_junit.render(run)
    yield as_markdown.FILE_NAME, lambda: as_markdown.render(run)
    yield as_html.FILE_NAME, lambda: as_html.render(run, evidence)
