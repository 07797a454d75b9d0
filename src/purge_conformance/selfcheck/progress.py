"""Shows the progress of a selfcheck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from purge_conformance.selfcheck import matrix_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.text import Text

    from purge_conformance.selfcheck.matrix import Row

LINE_INTERVAL = 20  # rows per line if the output is not a terminal


class ProgressDisplay:
    """Shows how many rows are done, as a bar on a terminal or as lines in CI, and problems as they occur."""

    def __init__(self, console: Console, write_line: Callable[[str | Text], None]) -> None:
        """Prepare the bar; `write_line` prints a line above it."""
        self._console, self._write_line = console, write_line
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
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def update(self, row: Row, count: int, total: int) -> None:
        """Show that a row is done."""
        self._bar.update(self._task, description=f"judged {row.server.name}", completed=count, total=total)
        for line in matrix_report.problem_lines(row):
            self._write_line(line)
        if not self._console.is_terminal and (count % LINE_INTERVAL == 0 or count == total):
            self._write_line(f"judged {count} of {total}")
