"""`archive`: write the events of a target to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from purge_conformance.cli.options import CONNECTION_KEYS, with_configuration

DEFAULT_MAX_EVENTS = 1_000_000  # more than for a run, because nothing is kept in memory here


@click.command("archive", epilog="Exit codes: 0 archived, 2 usage or configuration, 3 not archived.")
@with_configuration("target", *CONNECTION_KEYS, "max_events")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="New file to write, usually *.jsonl.gz.",
)
def archive_events(*, given: dict[str, Any], out: Path) -> None:
    """Write all app usage events of a target to a file, and verify it; changes nothing on the target.

    The file has one event per line, compressed. FILE.json has their number, their SHA-256 and the newest event.
    """
    from purge_conformance.engine.settings import build_settings as settings_of
    from purge_conformance.report.text import visible
    from purge_conformance.target.archive import archive_target, recency_warning

    summary = archive_target(settings_of({"max_events": DEFAULT_MAX_EVENTS} | given), out)
    click.echo(f"{summary.events} events are in {out}, which was read back and compared.")
    click.echo(f"SHA-256 of the lines: {summary.sha256}")
    if summary.last:
        click.echo(visible(f"The newest event: {summary.last['guid']} of {summary.last['created_at']}."))
    for line in recency_warning(summary.age):
        click.echo(line)
