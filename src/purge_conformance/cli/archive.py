"""`archive`: writes the events of a target to a file; `archive verify` checks such a file later."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from purge_conformance.cli.exit import INCONCLUSIVE
from purge_conformance.cli.options import CONNECTION_KEYS, json_option, with_configuration
from purge_conformance.cli.output import write_error, write_json, write_line

if TYPE_CHECKING:
    from purge_conformance.config.loader import Options

DEFAULT_MAX_TIME = 3600  # seconds
DEFAULT_MAX_EVENTS = 100_000_000  # the most that the flag accepts: of each event only the guid is in memory
VERIFY = "verify"


@click.command(VERIFY, epilog="Exit codes: 0 whole, 2 no such file, 3 not whole.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def verify_archive(*, file: Path, as_json: bool) -> None:
    """Check an archive offline.

    Checks that FILE can be decompressed, that each line is JSON, and that FILE.json has the number and the SHA-256 of
    the events and says that they are complete.
    """
    from purge_conformance.target import archive

    found = archive.verify(file)
    if as_json:
        write_json(asdict(found), indent=2)
        sys.exit(INCONCLUSIVE if found.problems else 0)
    late = (
        f"; {found.added_late} of them were added just before the run was killed, and are not in {file.name}.json"
        if found.added_late
        else ""
    )
    write_line(f"{file}: {found.events} events{late}. SHA-256 of the lines: {found.sha256}")
    for problem in found.problems:
        write_error(f"Error: {problem}")
    if found.problems:
        write_error("The archive is not whole.")
        sys.exit(INCONCLUSIVE)
    write_line("The archive is whole.")


class ArchiveCommand(click.Command):
    """The command `archive`, with `archive verify` beside it."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 -- as click has it
    ) -> click.Context:
        """Return the context of the command, or that of `verify` if it is the first argument."""
        if args[:1] == [VERIFY]:
            return verify_archive.make_context(f"{info_name} {VERIFY}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(
    "archive",
    cls=ArchiveCommand,
    epilog="Exit codes: 0 archived, 2 usage or configuration, or the file exists, 3 not archived.",
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

    Only reads from the target, then reads the file back and compares it. If the list cannot be read whole, no file is
    written. To check an archive later: purge-conformance archive verify FILE.

    The file is compressed and holds one event per line. FILE.json beside it holds the number of events, the SHA-256 of
    the lines and the newest event.
    """
    from purge_conformance.client.auth.sources import log_in
    from purge_conformance.config.build import build_settings
    from purge_conformance.config.roles import ADMIN
    from purge_conformance.target import archive
    from purge_conformance.target.doctor.tokens import require_reader

    settings = log_in(build_settings({"max_events": DEFAULT_MAX_EVENTS, "max_time": DEFAULT_MAX_TIME} | values))
    require_reader(settings.tokens[ADMIN])
    summary = archive.archive_target(settings, out)
    write_line(f"Archived {summary.events} events in {out} and verified them; SHA-256 of the lines: {summary.sha256}")
    if summary.last:
        write_line(f"Newest event: {summary.last['guid']}, created at {summary.last['created_at']}")
    for line in archive.recency_warning(summary.age):
        write_line(line)
