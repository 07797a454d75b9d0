"""`archive`: writes the events of a target to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import CONNECTION_KEYS, with_configuration
from purge_conformance.cli.output import write_line

if TYPE_CHECKING:
    from purge_conformance.config.loader import Options

DEFAULT_MAX_TIME = 3600  # seconds
DEFAULT_MAX_EVENTS = 1_000_000  # more than in a run, since this command keeps no event in memory


@click.command(
    "archive", epilog="Exit codes: 0 archived, 2 usage or configuration, or the file exists, 3 not archived."
)
@with_configuration("target", *CONNECTION_KEYS, "max_events", "max_time")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="New file to write, usually *.jsonl.gz.",
)
def archive_events(*, values: Options, out: Path) -> None:
    """Archive all app usage events of a target in a file.

    Only reads from the target, then reads the file back and compares it.

    The file is compressed and holds one event per line. FILE.json beside it holds the number of events, the SHA-256 of
    the lines and the newest event.
    """
    from purge_conformance.client.auth.sources import log_in
    from purge_conformance.config.build import build_settings
    from purge_conformance.report.text import visible
    from purge_conformance.target import archive

    settings = log_in(build_settings({"max_events": DEFAULT_MAX_EVENTS, "max_time": DEFAULT_MAX_TIME} | values))
    summary = archive.archive_target(settings, out)
    write_line(f"Archived {summary.events} events in {out} and verified them; SHA-256 of the lines: {summary.sha256}")
    if summary.last:
        write_line(visible(f"Newest event: {summary.last['guid']}, created at {summary.last['created_at']}"))
    for line in archive.recency_warning(summary.age):
        write_line(line)
