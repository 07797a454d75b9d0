"""`serve`: the reference server, by hand."""

from __future__ import annotations

import json
import signal
import sys
from threading import Thread
from typing import TYPE_CHECKING

import click

from purge_conformance import catalogue
from purge_conformance.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--database", metavar="URL", help="SQLAlchemy's; default: SQLite in memory, gone with the server.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Of spec/faults.yaml; repeatable.")
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="Or make, of spec/variants.yaml; repeatable."
)
@click.option(
    "--mount",
    "mounts",
    multiple=True,
    metavar="NAME",
    help="Serve what it names at /NAME as well, or several: A+B; repeatable.",
)
@click.option("--states", metavar="PATH", help="Take provider states at that path, as spec/hook.md tells.")
@click.option("--announce", is_flag=True, help="Print URL and tokens as a line of JSON; end with the standard input.")
def serve(  # noqa: PLR0913 -- the options of a command
    *,
    port: int,
    database: str | None,
    faults: tuple[str, ...],
    variants: tuple[str, ...],
    mounts: tuple[str, ...],
    states: str | None,
    announce: bool,
) -> None:
    """Serve the reference server on loopback, for trying things by hand."""
    try:
        from purge_conformance import reference
    except ImportError as error:
        raise SuiteError(f"{error}. The reference server needs: pip install 'purge-conformance[reference]'.") from None

    def ready(url: str, tokens: Mapping[str, str]) -> None:
        if announce:
            click.echo(json.dumps({"url": url, "tokens": dict(tokens)}))
            Thread(target=_stop_at_end_of_input, daemon=True).start()
        else:
            click.echo(f"Serving {url}. Tokens, good for this server alone:")
            for role, token in tokens.items():
                click.echo(f"export {role.upper()}_TOKEN={token}")
        sys.stdout.flush()

    mounted_changes = {name: _expand_profiles(name.split("+")) for name in mounts}
    reference.serve(
        "127.0.0.1",
        port,
        database,
        faults,
        ready,
        variants=_expand_profiles(variants),
        mounts=mounted_changes,
        states=states,
    )


def _expand_profiles(names: Iterable[str]) -> tuple[str, ...]:
    """Return the faults and variants that are meant, each make by its variants."""
    variants_by_profile = {make.id: make.variants for make in catalogue.server_profiles()}
    return tuple(change for name in names for change in variants_by_profile.get(name, (name,)))


def _stop_at_end_of_input() -> None:
    """End the server when whoever started it is gone, and with it the other end of our standard input."""
    sys.stdin.read()
    signal.raise_signal(signal.SIGTERM)
