"""`cleanup`: deletes what killed runs left on a target."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.options import CONNECTION_KEYS, json_option, with_configuration
from purge_conformance.cli.output import write_json, write_line

if TYPE_CHECKING:
    from purge_conformance.config.loader import Options
    from purge_conformance.target.cleanup import Removal


MAX_REQUESTS = 2_000  # about four for each object


@click.command("cleanup", epilog="Exit codes: 0 nothing is left, 2 usage or configuration, 3 something is left.")
@with_configuration("target", *CONNECTION_KEYS, "max_time")
@click.option("--run", "run", metavar="ID", help="Delete only what this run created, even if it was active just now.")
@click.option("--dry-run", is_flag=True, help="List what would be deleted and delete nothing.")
@json_option
def clean_up(*, values: Options, run: str | None, dry_run: bool, as_json: bool) -> None:
    """Delete the apps that killed runs left on a target.

    Deletes all apps, spaces and organizations with the label of a run. A run that was active within the last hour may
    still be going on: its objects are listed and not deleted, unless --run names it.
    """
    from purge_conformance.client.auth.sources import log_in
    from purge_conformance.client.unrecorded import unrecorded_client
    from purge_conformance.config.build import build_settings
    from purge_conformance.target.cleanup import cleanup

    with unrecorded_client(log_in(build_settings({"max_requests": MAX_REQUESTS} | values)), read_only=False) as client:
        removals: list[Removal] = []

        def report(removal: Removal) -> None:
            removals.append(removal)
            if not as_json:
                write_line(str(removal))

        done = cleanup(client, report, run, dry_run=dry_run)
    if as_json:
        write_json({"resources": list(map(asdict, removals)), **done._asdict()}, indent=2)
        return
    would = "would be " if dry_run else ""
    parts = [f"{number} {would}{verb}" for number, verb in ((done.deleted, "deleted"), (done.kept, "kept")) if number]
    write_line(f"{', '.join(parts)}." if parts else "Nothing to delete.")
