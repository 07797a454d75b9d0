"""`run`: collect evidence from a target, and judge it."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from purge_conformance.catalogue.model import Profile
from purge_conformance.cli.exit import EPILOG, INCONCLUSIVE, exit_with_verdict
from purge_conformance.cli.options import APP_KEYS, CONNECTION_KEYS, TRANSPORT_KEYS, new_run_folder, with_configuration
from purge_conformance.config.settings import announcement, parse_target

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings


@click.command(epilog=EPILOG)
@with_configuration(
    "target",
    *CONNECTION_KEYS,
    *APP_KEYS,
    "out",
    "profile",
    "select",
    "examples",
    "seed",
    "repeat",
    "max_purges",
    "max_requests",
    "max_events",
    "hook",
    "fingerprint",
)
@click.option("--allow-purge", multiple=True, metavar="HOST", help="A host whose app usage events may be destroyed.")
@click.option("--quiet", "loudness", flag_value=0, type=int, help="Show the end only.")
@click.option("--verbose", "loudness", flag_value=2, type=int, help="Show every request.")
def run(*, given: dict[str, Any], allow_purge: tuple[str, ...], loudness: int | None) -> None:
    """Collect evidence from a target and judge it; without a URL, the embedded reference server's.

    A run destroys all app usage events of the target and seeds new ones. A target on this machine needs no consent.
    """
    from purge_conformance.engine import reference_process as embedded
    from purge_conformance.engine.settings import build_settings as settings_of
    from purge_conformance.target import consent

    folder = Path(given["out"]) if "out" in given else new_run_folder()
    verbosity = 1 if loudness is None else loudness
    if "target" in given:
        ask = _prompt if sys.stdin.isatty() and sys.stderr.isatty() else None
        if Profile.OBSERVE_ONLY not in (given.get("profile") or ()):
            consent.require_consent(parse_target(given["target"]), allow_purge, ask)  # before anybody logs in
        _collect_and_judge(settings_of(given), folder, verbosity)
    elif given["tokens"] or allow_purge:
        raise click.UsageError("--token and --allow-purge are for a target. Give its URL.")
    else:
        with embedded.server() as (url, tokens):
            values = {name: value for name, value in given.items() if name not in TRANSPORT_KEYS}
            values |= {"target": url, "hook": embedded.hook_url(url)}
            _collect_and_judge(settings_of(values, tokens), folder, verbosity)


def _prompt(question: str) -> str:
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer


def _warn(text: str) -> None:
    """Tell what must be heard before the first purge, however quiet a run is."""
    from purge_conformance.report.text import visible

    click.echo(visible(f"Warning: {text}"), err=True)


def _abort(url: str, folder: Path) -> NoReturn:
    """End without another look at anything; what was written is on its way to the disk."""
    from purge_conformance.engine.signals import write_stderr

    write_stderr(
        f"Error: Interrupted again, and left at once. `purge-conformance judge {folder} --out NEW` judges what was "
        f"collected. Apps of the suite's own may be left: `purge-conformance cleanup {url}` tells which."
    )
    os._exit(INCONCLUSIVE)


def _collect_and_judge(settings: Settings, folder: Path, verbosity: int) -> NoReturn:
    from rich.console import Console

    from purge_conformance.cli.progress import Reporter, Verbosity
    from purge_conformance.client.guard import Guard
    from purge_conformance.engine import signals as interrupts
    from purge_conformance.engine.collect import collect
    from purge_conformance.engine.pytest_process import judge

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # CI's cancel: take down what was put up
    reporter = Reporter(Console(), Verbosity(verbosity))
    reporter.print_line(announcement(settings, folder))
    guard = Guard.from_settings(settings)
    with reporter.live():
        with interrupts.close_on_signal(guard, partial(_abort, settings.target.url, folder)):
            collect(settings, folder, reporter.on_exchange, guard=guard, warn=_warn)
        reporter.show_status("judging")
        judged_run = judge(folder, folder)
    exit_with_verdict(judged_run, folder)
