"""`cleanup`: deletes what killed runs left on a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import CONNECTION_KEYS, with_configuration
from purge_conformance.cli.output import write_line

if TYPE_CHECKING:
    from purge_conformance.config.loader import Options


MAX_REQUESTS = 2_000  # about four for each object


@click.command("cleanup", epilog="Exit codes: 0 nothing is left, 2 usage or configuration, 3 something is left.")
@with_configuration("target", *CONNECTION_KEYS, "max_time")
@click.option("--run", "run", metavar="ID", help="Delete only what this run created, even if it was active just now.")
@click.option("--dry-run", is_flag=True, help="List what would be deleted and delete nothing.")
def clean_up(*, values: Options, run: str | None, dry_run: bool) -> None:
    """Delete the apps that killed runs left on a target.

    Deletes all apps, spaces and organizations with the label of a run. A run that was active within the last hour may
    still be going on: its objects are listed and not deleted, unless --run names it.
    """
    from purge_conformance.client.auth.sources import log_in
    from purge_conformance.client.unrecorded import unrecorded_client
    from purge_conformance.config.build import build_settings
    from purge_conformance.target.cleanup import cleanup

    with unrecorded_client(log_in(build_settings({"max_requests": MAX_REQUESTS} | values)), read_only=False) as client:
        done = cleanup(client, write_line, run, dry_run=dry_run)
    would = "would be " if dry_run else ""
    parts = [f"{number} {would}{verb}" for number, verb in ((done.deleted, "deleted"), (done.kept, "kept")) if number]
    write_line(f"{', '.join(parts)}." if parts else "Nothing to delete.")
