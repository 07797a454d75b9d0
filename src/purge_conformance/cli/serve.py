"""`serve`: serves the reference server."""

from __future__ import annotations

import shlex
import signal
import sys
from threading import Thread
from typing import TYPE_CHECKING

import click

from purge_conformance import catalogue
from purge_conformance.cli.output import write_json, write_line
from purge_conformance.errors import BadSetting, SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_APPS, MAX_EVENTS = 1_000_000, 10_000_000


@click.command(epilog="Exit codes: 0 stopped by a signal, 2 usage, or the port is in use, 3 the server cannot start.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8080, show_default=True, help="0 picks a free one."
)
@click.option("--database", metavar="URL", help="SQLAlchemy URL; default: in-memory SQLite.")
@click.option(
    "--apps",
    type=click.IntRange(0, MAX_APPS),
    metavar="N",
    default=0,
    help="Create N started apps in an empty database; default: none.",
)
@click.option(
    "--events",
    type=click.IntRange(0, MAX_EVENTS),
    metavar="N",
    default=0,
    help="Create N events: the last month of the history of the apps of --apps; default: none.",
)
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="Enable a fault of spec/faults.yaml; repeatable."
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Enable a variant or server profile of spec/variants.yaml; repeatable.",
)
@click.option(
    "--mount",
    "mounts",
    multiple=True,
    metavar="NAME",
    help="Also serve this fault, variant or profile at /NAME, or several at /A+B; repeatable. "
    "Example: --mount 20-a-page.",
)
@click.option(
    "--states",
    metavar="PATH",
    help="Accept provider states at this path (see spec/hook.md in the package purge_conformance).",
)
@click.option(
    "--announce", is_flag=True, help="Print URL and tokens as one line of JSON; stop when standard input closes."
)
def serve(  # noqa: PLR0913 -- the options of a command
    *,
    port: int,
    database: str | None,
    apps: int,
    events: int,
    faults: tuple[str, ...],
    variants: tuple[str, ...],
    mounts: tuple[str, ...],
    states: str | None,
    announce: bool,
) -> None:
    """Serve the reference server on this machine.

    It is a small Cloud Foundry API v3 for trying things by hand.
    """
    if events and not apps:
        raise BadSetting(f"--events {events} got no apps to be of. Give --apps N, with N at least 1, too.")
    try:
        from purge_conformance import reference
    except ImportError as error:
        raise SuiteError(
            f"The reference server is not installed ({error}). Run pip install 'purge-conformance[reference]'."
        ) from None

    def ready(url: str, tokens: Mapping[str, str]) -> None:
        if announce:
            write_json({"url": url, "tokens": dict(tokens)})
            Thread(target=_stop_at_end_of_input, daemon=True).start()
        else:
            write_line(f"Serving {url}. Tokens that are valid for this server only:")
            for role, token in tokens.items():
                write_line(f"export {role.upper()}_TOKEN={token}")
            for line in _how_to_run(url, tokens, mounts, states):
                write_line(line)
        sys.stdout.flush()

    reference.serve(
        "127.0.0.1",
        port,
        database,
        faults,
        ready,
        variants=_expand_profiles(variants),
        mounts={name: _expand_profiles(name.split("+")) for name in mounts},
        states=states,
        apps=apps,
        events=events,
    )


def _how_to_run(url: str, tokens: Iterable[str], mounts: Iterable[str], states: str | None) -> Iterator[str]:
    """Yield the lines that judge this server, once these variables are set."""
    sources = [word for role in tokens for word in ("--token", f"{role}=env:{role.upper()}_TOKEN")]
    yield "To judge it, in a shell with these variables:"
    for prefix in ("", *(f"/{name}" for name in mounts)):
        hook = ["--hook", f"{url}{prefix}{states}"] if states else []
        yield shlex.join(["purge-conformance", "run", f"{url}{prefix}", *sources, *hook])


def _expand_profiles(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names with each server profile replaced by its variants."""
    variants_by_profile = {profile.id: profile.variants for profile in catalogue.server_profiles()}
    return tuple(change for name in names for change in variants_by_profile.get(name, (name,)))


def _stop_at_end_of_input() -> None:
    """Stop the server when the process that started it has ended, which closes our standard input."""
    sys.stdin.read()
    signal.raise_signal(signal.SIGTERM)
