"""`doctor`: checks a configuration before a run."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import TYPE_CHECKING

import click

from purge_conformance.cli.exit import USAGE_ERROR
from purge_conformance.cli.options import CONNECTION_KEYS, allow_incomplete_archive_option, with_configuration
from purge_conformance.cli.output import write_line
from purge_conformance.evidence.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from purge_conformance.config.loader import Options
    from purge_conformance.target.doctor import Check

COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command(epilog="Exit codes: 0 no problem, 2 a problem.")
@with_configuration(
    "target", *CONNECTION_KEYS, "max_requests", "max_events", "max_time", "hook", "hook_env", "fingerprint"
)
@allow_incomplete_archive_option
def doctor(*, values: Options, allow_incomplete_archive: bool) -> None:
    """Check target, tokens and settings before a run; only reads.

    Sends about six reads, one more for each token, and asks the hook, if there is one, whether it answers.

    Each line is ok, a warning or a problem. A warning or a problem comes with the next step.
    """
    from purge_conformance.client.auth.sources import log_in
    from purge_conformance.config.build import build_settings
    from purge_conformance.target.doctor.probe import run_checks

    checks = run_checks(log_in(build_settings(values | {"allow_incomplete_archive": allow_incomplete_archive})))
    for check in checks:
        for line in _lines(check):
            write_line(line)
    sys.exit(USAGE_ERROR if any(check.status == "problem" for check in checks) else 0)


def _lines(check: Check) -> Iterator[str | Text]:
    from rich.text import Text

    wrap = TextWrapper(get_terminal_size().columns, break_long_words=False, break_on_hyphens=False)
    wrap.initial_indent, wrap.subsequent_indent = " " * 9, " " * 11
    first, *rest = wrap.wrap(f"{check.name}: {one_line(check.got)}")
    yield Text.assemble((f"{check.status:<8}", COLOURS[check.status]), first[8:])
    yield from rest
    if check.expected:
        yield from wrap.wrap(f"expected: {one_line(check.expected)}")
        yield from wrap.wrap(f"next step: {one_line(check.next_step)}")
