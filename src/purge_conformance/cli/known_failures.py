"""`known-failures`: writes a file of known failures, and removes from one what no longer fails."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import click

from purge_conformance.cli.new_file import NEW_FILE, require_writable, rewrite_file, write_file
from purge_conformance.cli.output import write_error, write_line

REPORT = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DAYS = 90  # until an entry expires, if its user says nothing else
EPILOG = "Exit codes: 0 written, or nothing to remove, 2 usage, or a file cannot be read, 3 not written."


@click.group(name="known-failures")
def known_failures() -> None:
    """Write the file of --known-failures, and remove from it what no longer fails."""


@known_failures.command(epilog=EPILOG)
@click.argument("report", type=REPORT)
@click.option("--out", type=NEW_FILE, metavar="FILE", help="Write to FILE, which must not exist; default: print it.")
@click.option("--owner", default="TODO", metavar="NAME", help="Who takes care of them. Without it, write it into FILE.")
@click.option("--reason", default="TODO", metavar="TEXT", help="Why they are accepted. Without it, write it into FILE.")
@click.option("--link", metavar="URL", help="Where they are tracked.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help=f"Last day on which they are excused, YYYY-MM-DD; default: {DAYS} days after the run.",
)
@click.option(
    "--from",
    "old",
    type=FILE,
    metavar="FILE",
    help="An earlier file: entries about the same requirements keep owner, reason, link, last day, case and rate.",
)
@click.option("--should", is_flag=True, help="Enter failed SHOULDs, too; they affect no verdict.")
def write(
    report: Path, out: Path | None, *, old: Path | None, expires: datetime | None, should: bool, **terms: str
) -> None:
    """Write an entry for each defect in REPORT, a report.json or its folder.

    What this environment cannot judge gets an entry of the kind not-judged. Write owner and reason into the file: it is
    refused as long as one of them is TODO. After an update of the suite that words findings otherwise, --from keeps
    what you decided.
    """
    from purge_conformance.config.known_failures import load
    from purge_conformance.errors import BadSetting
    from purge_conformance.report import json as as_json
    from purge_conformance.report.grouping import compact_ids
    from purge_conformance.report.known_failures_file import Terms, not_entered, render

    if out:
        require_writable(out, report)
        if out.exists():
            raise BadSetting(f"--out {out} exists. Give another FILE, and move what you need into the old one.")
    run = as_json.load(report)
    day = expires.date() if expires else date.fromisoformat(run.finished_at[:10]) + timedelta(DAYS)
    text = render(run, Terms(expires=day, **terms), load(old) if old else (), with_advice=should)
    if open_results := not_entered(run):
        why = ", as the run was cut short" if run.cut_short else ""
        ids = compact_ids(open_results)
        write_error(f"Warning: no entry for {ids}, which another run may judge{why}. Run again: purge-conformance run")
    if out:
        write_file(out, text)
        write_line(f"Written to {out}. Complete each entry, then: purge-conformance run --known-failures {out}")
        return
    for line in text.rstrip("\n").split("\n"):
        write_line(line)


@known_failures.command(epilog=EPILOG)
@click.argument("file", type=FILE)
@click.option("--report", type=REPORT, required=True, metavar="REPORT", help="A report.json of today, or its folder.")
def prune(file: Path, report: Path) -> None:
    """Remove from FILE what REPORT shows as stale: entries, and requirements of entries, that no longer fail.

    All other lines stay as they are. What is not judged, expired, or fails otherwise is not removed, and nothing is by
    the report of a run that was cut short.
    """
    from purge_conformance.config.known_failures import load
    from purge_conformance.config.known_failures_edit import without
    from purge_conformance.report import json as as_json
    from purge_conformance.report.known_failures import KnownFailures

    entries = load(file)
    run = as_json.load(report)
    stale = KnownFailures(str(file), entries).stale(run)
    if run.cut_short:
        write_error(
            "Warning: the run was cut short, so that it shows nothing as stale. Run again: purge-conformance run"
        )
    if stale:
        rewrite_file(file, without(file, stale))
    for number, name in stale:
        write_line(f"Removed: {name} ({entries[number].place})")
    left = len(load(file))
    write_line(f"{file}: {left} {'entry' if left == 1 else 'entries'} left.")
