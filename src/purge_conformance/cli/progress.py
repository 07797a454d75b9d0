"""Progress of a run: one live line on a terminal, plain lines in CI."""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from purge_conformance.cli.output import write_error, write_line
from purge_conformance.cli.stages import IN_WORDS, Countdown
from purge_conformance.evidence.safe_text import printable
from purge_conformance.scenarios.definitions import cost_within_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange


MAX_SECONDS = 120  # longer durations are shown in minutes
LIVE_COLUMNS = 12  # of the spinner, the time that passed, and what separates them and the text


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
        self._live: Callable[..., None] | None = None  # takes the lines that it shows
        self._progress: Progress | None = None
        self._countdown: Countdown | None = None
        self._stage = ""
        self._sent_before = 0  # requests, when the stage began

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
            self._progress = progress
            task = progress.add_task("starting", total=None)
            self._live = lambda *lines: progress.update(
                task, description="\n".join(escape(printable(line)) for line in lines)
            )
            try:
                yield
            finally:
                self._live = self._progress = None

    def show_status(self, text: str) -> None:
        """Print what the run does now."""
        if self._live:
            self._live(text)
        else:
            self.print_line(text)

    def warn(self, text: str) -> None:
        """Print a warning on standard error; the live line is removed first, and drawn again below it."""
        if self._progress:
            self._progress.stop()
        write_error(f"Warning: {text}")
        if self._progress:
            self._progress.start()

    def on_exchange(self, client: Client, exchange: Exchange) -> None:
        """Print the stage in words, the numbers of requests and purges so far, and the time that is left."""
        stage = f"{client.scenario}, round {client.round}" if client.round > 1 else str(client.scenario)
        is_new, self._countdown = stage != self._stage, self._countdown or Countdown(client.settings)
        if is_new:
            self._stage, self._sent_before = stage, client.guard.requests
        if self._live or is_new:
            self._show_stage(f"collecting {stage} ({IN_WORDS[client.scenario]})", self._describe_work(client))
        if self._verbosity is Verbosity.VERBOSE:
            result = exchange.status or exchange.error
            self.print_line(f"  {exchange.n:4} {exchange.role} {exchange.method} {exchange.path} -> {result}")

    def _show_stage(self, stage: str, work: str) -> None:
        """Print a stage and its numbers; a live display that is too narrow for both has them on two lines."""
        if self._live and len(stage) + len(work) > self._console.width - LIVE_COLUMNS:
            self._live(stage, work)
        else:
            self.show_status(f"{stage}: {work}")

    def _describe_work(self, client: Client) -> str:
        guard, limits = client.guard, client.settings.limits
        parts = [f"{guard.requests:,} of {limits.max_requests:,} requests"]
        if purges := max(guard.purges, cost_within_limits(client.settings).purges):
            parts.append(f"{guard.purges:,} of {purges:,} purges")
        sent = guard.requests - self._sent_before
        left = self._countdown.seconds_left(client.scenario, sent) if self._countdown else None
        return ", ".join([*parts, *([f"{format_left(left)} left"] if left is not None else [])])


def format_left(seconds: float) -> str:
    """Return in words about how long something still takes."""
    return "less than 1 s" if seconds < 1 else f"about {format_seconds(seconds)}"


def format_seconds(seconds: float) -> str:
    """Return a duration in words, for example `40 s` or `3 min`."""
    return f"{seconds:.0f} s" if seconds < MAX_SECONDS else f"{seconds / 60:.0f} min"
