"""The reports: one module per format, all written from the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence import files
from purge_conformance.report import html as as_html
from purge_conformance.report import json as as_json
from purge_conformance.report import junit as as_junit
from purge_conformance.report import markdown as as_markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Run

REPORT_NAMES = (as_json.FILE_NAME, as_junit.FILE_NAME, as_markdown.FILE_NAME, as_html.FILE_NAME)


def write_all(run: Run, evidence: Evidence, folder: Path) -> tuple[Path, ...]:
    """Write report.json, junit.xml, summary.md and report.html into `folder`, and return their paths.

    Each file appears complete or not at all, and replaces an older one. report.json comes first, so that the others can
    be written again from it if one of them fails.
    """
    files.create_folder(folder)
    return tuple(files.write_text(folder / name, render()) for name, render in _renderers(run, evidence))


def _renderers(run: Run, evidence: Evidence) -> Iterator[tuple[str, Callable[[], str]]]:
    yield as_json.FILE_NAME, lambda: as_json.dump(run)
    yield as_junit.FILE_NAME, lambda: as_junit.render(run)
    yield as_markdown.FILE_NAME, lambda: as_markdown.render(run)
    yield as_html.FILE_NAME, lambda: as_html.render(run, evidence)
