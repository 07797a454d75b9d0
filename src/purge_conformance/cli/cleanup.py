"""`cleanup`: what killed runs left on a target, taken away."""

from __future__ import annotations

from typing import Any

import click

from purge_conformance.cli.options import CONNECTION_KEYS, with_configuration


@click.command("cleanup", epilog="Exit codes: 0 nothing is left, 2 usage or configuration, 3 something is.")
@with_configuration("target", *CONNECTION_KEYS)
@click.option("--run", "run", metavar="ID", help="Only what that run made, though it was at work just now.")
@click.option("--dry-run", "dry", is_flag=True, help="Delete nothing, list what would be deleted.")
def clean_up(*, given: dict[str, Any], run: str | None, dry: bool) -> None:
    """Delete the apps, spaces and organizations that killed runs left on a target: all that bears a run's label.

    What a run made that was at work within the last hour is left, and told, for it may be under way; --run deletes it.
    """
    from purge_conformance.client.unrecorded import unrecorded_client
    from purge_conformance.engine.settings import build_settings as settings_of
    from purge_conformance.target.cleanup import cleanup

    with unrecorded_client(settings_of(given), read_only=False) as client:
        deleted = cleanup(client, click.echo, run, dry_run=dry)
    click.echo("Nothing to delete." if not deleted else f"{deleted} {'would be ' if dry else ''}deleted.")
