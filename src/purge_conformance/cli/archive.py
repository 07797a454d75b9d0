"""`archive`: the events of a target, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from purge_conformance.cli.options import CONNECTION_KEYS, with_configuration

DEFAULT_MAX_EVENTS = 1_000_000  # events, unless --max-events says otherwise: nothing is kept in memory here


@click.command("archive", epilog="Exit codes: 0 archived, 2 usage or configuration, 3 not archived.")
@with_configuration("target", *CONNECTION_KEYS, "max_events")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A new file, .jsonl.gz by habit."
)
def archive_events(*, given: dict[str, Any], out: Path) -> None:
    """Write all app usage events of a target to a file, and verify it; nothing is changed on the target.

    The file holds one event a line, compressed; FILE.json beside it how many, their SHA-256 and which was the last.
    """
    from purge_conformance.engine.settings import build_settings as settings_of
    from purge_conformance.report.text import visible
    from purge_conformance.target import archive

    summary = archive.archive_target(settings_of({"max_events": DEFAULT_MAX_EVENTS} | given), out)
    click.echo(f"{summary.events} events are in {out}, read back and compared; SHA-256 of the lines {summary.sha256}")
    if summary.last:
        click.echo(visible(f"The last of them: {summary.last['guid']} of {summary.last['created_at']}"))
    for line in archive.recency_warning(summary.age):
        click.echo(line)
