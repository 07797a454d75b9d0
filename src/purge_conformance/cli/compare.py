"""`compare`: compares two reports, and fails on a regression."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.exit import INCONCLUSIVE
from purge_conformance.cli.new_file import NEW_FILE, require_writable, write_file
from purge_conformance.cli.output import json_text, write_json, write_line
from purge_conformance.evidence.safe_text import printable

if TYPE_CHECKING:
    from purge_conformance.report.compare import Comparison

REPORT = click.Path(exists=True, path_type=Path)
FORMATS = ("text", "markdown", "json")
EPILOG = (
    "Exit codes: 0 no regression, 1 a regression, 2 usage, or a report cannot be read, 3 nothing in common, or FILE "
    "cannot be written."
)


@click.command(epilog=EPILOG)
@click.argument("old", type=REPORT, metavar="OLD")
@click.argument("new", type=REPORT, metavar="NEW")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Format; default: text.")
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--markdown", "form", flag_value="markdown", help="The same as --format markdown.")
@click.option(
    "--fail-on",
    type=click.Choice(["must", "should"]),
    default="must",
    help="Lowest level whose changes are regressions; default: must.",
)
@click.option("--out", type=NEW_FILE, metavar="FILE", help="Write the comparison to FILE, and print one line.")
def compare(old: Path, new: Path, form: str, fail_on: str, out: Path | None) -> None:
    """Compare two reports: OLD and NEW are each a report.json, or the folder that holds it.

    A regression is a MUST that passed in OLD and fails in NEW, one that was judged and no longer is, or a case of one
    that no longer ran. Reports of another suite version, profile or selection are compared by what both judged; the
    rest is named.
    """
    from purge_conformance.report.compare import compare as compare_reports
    from purge_conformance.report.comparison import as_json, summary
    from purge_conformance.report.facts import read_facts

    if out:
        require_writable(out, old, new)
    comparison = compare_reports(read_facts(old), read_facts(new), fail_on_should=fail_on == "should")
    if out:
        text = (
            f"{json_text(as_json(comparison), 2)}\n" if form == "json" else "\n".join([*_lines(comparison, form), ""])
        )
        write_file(out, text)
        write_line(f"{summary(comparison)} Written to {out}")
    elif form == "json":
        write_json(as_json(comparison), 2)
    else:
        for line in _lines(comparison, form):
            write_line(line)
    sys.exit(int(bool(comparison.regressions)) if comparison.compared else INCONCLUSIVE)


def _lines(comparison: Comparison, form: str) -> list[str]:
    """Return the comparison as text or Markdown, each line safe for a terminal and a log."""
    from purge_conformance.report.comparison import as_markdown, as_text

    lines = as_markdown(comparison).splitlines() if form == "markdown" else as_text(comparison)
    return list(map(printable, lines))
