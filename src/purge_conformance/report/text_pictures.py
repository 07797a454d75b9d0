"""Pictures of failures as lines of text, for a terminal and a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence.words import pluralize
from purge_conformance.report.pictures import Pages, Steps, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.report.pictures import Picture

WIDTH = 48  # columns of the time axis; each lane has a line of its own, so that it fits a terminal of 80 columns
WRONG = "<- wrong"


def draw_text(picture: Picture | None) -> tuple[str, ...]:
    """Return the lines of a picture; none without one."""
    match picture:
        case Timeline():
            return tuple(_timeline(picture))
        case Steps():
            return tuple(_steps(picture))
        case Pages():
            return tuple(_pages(picture))
        case _:
            return ()


def _timeline(timeline: Timeline) -> Iterator[str]:
    scale = (WIDTH - 1) / (timeline.end or 1.0)
    for lane in timeline.lanes:
        row = [" "] * WIDTH
        for bar in lane.bars:
            first, last = round(bar.start * scale), max(round(bar.start * scale), round(bar.end * scale))
            row[first : last + 1] = ["="] * (min(last, WIDTH - 1) - first + 1)
        row[min(WIDTH - 1, round(timeline.observed * scale))] = "X" if lane.is_wrong else "|"
        words = "; ".join(bar.words for bar in lane.bars)
        yield f"{lane.name}: {words}{' ' + WRONG if lane.is_wrong else ''}"
        yield f"  {''.join(row)[:WIDTH].rstrip()}"
    yield f"0 to {1000 * timeline.end:,.0f} ms; | and X are when the result was read"


def _steps(steps: Steps) -> Iterator[str]:
    for number, step in enumerate(steps.steps, 1):
        yield f"{number:2}. {step.words} -> {step.answer}{' ' + WRONG if step.is_wrong else ''}"


def _pages(pages: Pages) -> Iterator[str]:
    for page in pages.pages:
        marked = f", event {', '.join(str(n + 1) for n in page.marked)} is named above" if page.marked else ""
        total = "" if page.total is None else f" of {page.total}"
        wrong = f" {WRONG}" if page.is_wrong else ""
        yield f"page {page.name}: {pluralize(page.rows, 'event')}{total}{marked}{wrong}"
