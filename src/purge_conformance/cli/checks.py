"""How `doctor` and `plan` print what they found, and the exit code of it."""

from __future__ import annotations

from dataclasses import fields
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from purge_conformance.cli.exit import INCONCLUSIVE, USAGE_ERROR
from purge_conformance.cli.output import write_line
from purge_conformance.evidence.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.text import Text

    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.doctor import Check

EPILOG = "Exit codes: 0 well, 2 a problem to be fixed, 3 the target is unreachable."
COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}
VERBOSE = 2


def exchange_printer(verbosity: int | None) -> Callable[[Exchange], None]:
    """Return what prints each request of a verbose command, and nothing of another."""

    def show(exchange: Exchange) -> None:
        if verbosity == VERBOSE:
            result = exchange.status or exchange.error
            write_line(f"  {exchange.n:4} {exchange.role} {exchange.method} {exchange.path} -> {result}")

    return show


def write_checks(checks: Iterable[Check]) -> None:
    """Print each finding, with its next step."""
    for check in checks:
        for line in _lines(check):
            write_line(line)


def checks_as_json(checks: Iterable[Check]) -> list[dict[str, str]]:
    """Return each finding with its members; those of a finding that is well are empty."""
    return [{each.name: str(getattr(check, each.name)) for each in fields(check)} for check in checks]


def exit_code_of(checks: Sequence[Check]) -> int:
    """Return 2 if there is something to be fixed, 3 if the target is unreachable, 0 otherwise."""
    problems = [check for check in checks if check.status == "problem"]
    if any(check.cause != "network" for check in problems):
        return USAGE_ERROR
    return INCONCLUSIVE if problems else 0


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
