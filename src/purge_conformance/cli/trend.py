"""`trend`: plots the reports of a folder."""

from __future__ import annotations

from pathlib import Path

import click

from purge_conformance.cli.new_file import NEW_FILE, require_writable, write_file
from purge_conformance.cli.output import write_error, write_line


@click.command(epilog="Exit codes: 0 written, 2 usage, or no report can be read, 3 not written.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=NEW_FILE, metavar="FILE", help="The page; default: trend.html in FOLDER.")
def trend(folder: Path, out: Path | None) -> None:
    """Plot the reports of a folder as one HTML page.

    Reads each report.json in FOLDER and in the folders below it, of any version of the suite: verdicts, counts, times,
    and the requirements whose outcome changed.
    """
    from purge_conformance.evidence.words import pluralize
    from purge_conformance.report import trend_html
    from purge_conformance.report.trend import read_trend

    page = out or folder / trend_html.FILE_NAME
    require_writable(page)
    found = read_trend(folder)
    write_file(page, trend_html.render(found, page))
    for reason in found.unreadable.values():
        write_error(f"Warning: not shown: {reason}")
    if found.left_out:
        write_error(f"Warning: not shown: {pluralize(found.left_out, 'older report')}, as there are too many.")
    if not found.is_whole:
        write_error(f"Warning: {folder} has too many files; only a part of it was searched.")
    write_line(f"{pluralize(len(found.points), 'run')}: {page}")
