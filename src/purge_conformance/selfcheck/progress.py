"""What a person sees while many targets are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from purge_conformance.selfcheck import matrix_report as shown

if TYPE_CHECKING:
    from rich.console import Console

    from purge_conformance.selfcheck.matrix import Row

LINE_INTERVAL = 20  # rows, until the next line where nobody watches


class ProgressDisplay:
    """Shows how many of many rows are done: a bar on a terminal, now and then a line in CI; what is wrong at once."""

    def __init__(self, console: Console) -> None:
        """Show nothing yet."""
        self._console = console
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def update(self, row: Row, count: int, total: int) -> None:
        """Take notice of a row."""
        self._bar.update(self._task, description=f"judged {row.server.name}", completed=count, total=total)
        for line in shown.problem_lines(row):
            self._bar.console.print(line, soft_wrap=True, highlight=False)
        if not self._console.is_terminal and (count % LINE_INTERVAL == 0 or count == total):
            self._console.print(f"judged {count} of {total}", highlight=False)
