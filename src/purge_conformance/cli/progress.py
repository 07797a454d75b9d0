"""Progress of a run: one live line on a terminal, plain lines in CI."""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from purge_conformance.cli.output import write_line
from purge_conformance.evidence.safe_text import printable
from purge_conformance.scenarios.definitions import cost_within_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange


class Verbosity(IntEnum):
    """How much a run prints."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Reporter:
    """Prints the progress of a run."""

    def __init__(self, console: Console, verbosity: Verbosity) -> None:
        """Print nothing yet."""
        self._console = console
        self._verbosity = verbosity
        self._live: Callable[[str], None] | None = None
        self._scenario = ""

    def print_line(self, text: str) -> None:
        """Print one line, unless quiet."""
        if self._verbosity > Verbosity.QUIET:
            write_line(text, self._console)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Update one line during the block if the console is a terminal."""
        if self._verbosity is Verbosity.QUIET or not self._console.is_terminal:
            yield
            return
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task("starting", total=None)
            self._live = lambda text: progress.update(task, description=escape(printable(text)))
            try:
                yield
            finally:
                self._live = None

    def show_status(self, text: str) -> None:
        """Print what the run does now."""
        if self._live:
            self._live(text)
        else:
            self.print_line(text)

    def on_exchange(self, client: Client, exchange: Exchange) -> None:
        """Print the scenario and the numbers of requests and purges so far."""
        guard, limits = client.guard, client.settings.limits
        scenario = f"{client.scenario}, round {client.round}" if client.round > 1 else str(client.scenario)
        status = f"collecting {scenario}: {guard.requests} of {limits.max_requests} requests"
        if purges := max(guard.purges, cost_within_limits(client.settings).purges):
            status += f", {guard.purges} of {purges} purges"
        if self._live or scenario != self._scenario:
            self.show_status(status)
        self._scenario = scenario
        if self._verbosity is Verbosity.VERBOSE:
            result = exchange.status or exchange.error
            self.print_line(f"  {exchange.n:4} {exchange.role} {exchange.method} {exchange.path} -> {result}")
