"""`doctor`: what is wrong with a configuration, before any run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from purge_conformance.cli.options import CONNECTION_KEYS, with_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.target.doctor import Check

COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command(epilog="Exit codes: 0 no problem, 2 a problem.")
@with_configuration("target", *CONNECTION_KEYS, "max_requests", "max_events", "hook", "fingerprint")
def doctor(*, given: dict[str, Any]) -> None:
    """Check target, tokens and settings before a run, by half a dozen reads and one for each token; nothing is changed.

    A hook is asked whether it is there.

    Each line is ok, a warning or a problem; what is not ok comes with its cure.
    """
    from purge_conformance.engine.settings import build_settings as settings_of
    from purge_conformance.target.doctor.probe import run_checks

    checks = run_checks(settings_of(given))
    for check in checks:
        for line in _lines(check):
            click.echo(line)
    sys.exit(2 if any(check.status == "problem" for check in checks) else 0)


def _lines(check: Check) -> Iterator[str]:
    from purge_conformance.report.text import one_line

    yield f"{click.style(f'{check.status:<8}', COLOURS[check.status])} {check.name}: {one_line(check.got)}"
    if check.expected:
        yield f"         expected {one_line(check.expected)}"
        yield f"         cure     {one_line(check.next_step)}"
