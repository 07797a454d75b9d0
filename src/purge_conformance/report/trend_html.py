"""The trend page: verdicts, counts and times of many runs as one self-contained page.

Each plot has a column per run, at the same place in all plots; lengths are percent of the width, so that text keeps its
size on a narrow screen. The table of all runs says the same in words.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from purge_conformance.report.grouping import spans_of
from purge_conformance.report.html import FILE_NAME as REPORT_PAGE
from purge_conformance.report.html import MARKS, VERDICT_MARKS
from purge_conformance.report.model import Outcome
from purge_conformance.report.page import environment, round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from purge_conformance.report.trend import Point, Trend

FILE_NAME = "trend.html"
HEIGHT = 120  # pixels of a plot
MAX_LABELS = 6  # of an axis that has one at each line
MAX_COLUMNS = 40  # of the table of requirements that changed, the latest runs
OPEN = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED)


@dataclass(frozen=True, slots=True)
class Mark:
    """One value of a plot.

    Attributes:
        x: middle of its column, in percent of the width.
        y: its height above the axis, in pixels from the top.
        height: of a bar, in pixels; 0: a dot.
        tone: the outcome of a bar; empty for a dot.
        text: what it says, for a pointer that rests on it.
    """

    x: float
    y: float
    height: float
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot.

    Attributes:
        title: what is plotted, with its unit.
        text: the same in one sentence, for a reader who does not see it.
        ticks: labels of the axis -> pixels from the top.
        bars: rectangles.
        dots: values, in the order of the runs; a line connects each with the next one.
    """

    title: str
    text: str
    ticks: dict[str, float]
    bars: tuple[Mark, ...] = ()
    dots: tuple[Mark, ...] = ()


def render(trend: Trend, page: Path) -> str:
    """Return the page.

    Args:
        trend: the runs.
        page: where the page will be, for links to the reports.
    """
    points = trend.points
    width = 100 / len(points)
    changed = dict.fromkeys(name for point in points[-MAX_COLUMNS:] for name in _changed(point))
    return _template().render(
        trend=trend,
        points=points,
        latest=points[-1],
        number={id(point): number for number, point in enumerate(points, 1)},
        links={id(point): _link(point, page.parent) for point in points},
        width=width,
        charts=_charts(points, width),
        columns=points[-MAX_COLUMNS:],
        changed=sorted(changed, key=lambda name: (-_badness(points[-1].outcomes.get(name)), name)),
        targets=sorted({point.target for point in points if point.target}),
        versions=sorted({point.suite_version for point in points if point.suite_version}),
    )


def _charts(points: Sequence[Point], width: float) -> list[Chart]:
    return [
        _stack("Requirements that did not pass", points, width),
        _line("Requirements that passed", points, width, [float(p.count(Outcome.PASSED)) for p in points], ""),
        _line("Duration in seconds", points, width, [p.seconds for p in points], " s"),
        _line("Requests", points, width, [p.requests for p in points], ""),
        _line("Purges", points, width, [p.purges for p in points], ""),
    ]


def _stack(title: str, points: Sequence[Point], width: float) -> Chart:
    """Return a bar per run, with a part per outcome, failures at the bottom."""
    totals = [sum(point.count(outcome) for outcome in OPEN) for point in points]
    ticks = round_ticks(max(4, *totals))
    bars: list[Mark] = []
    for index, point in enumerate(points):
        base = 0.0
        for outcome in OPEN:
            share = HEIGHT * point.count(outcome) / ticks[-1]
            base += share
            text = f"{when(point)}: {point.count(outcome)} {outcome}"
            bars += [Mark((index + 0.5) * width, HEIGHT - base, share, outcome, text)] if share else []
    counts = ", ".join(f"{points[-1].count(outcome)} {outcome}" for outcome in OPEN)
    return Chart(title, f"{title}, per run; the latest: {counts}.", _ticks(ticks), tuple(bars))


def _line(title: str, points: Sequence[Point], width: float, values: Sequence[float | None], unit: str) -> Chart:
    known = [value for value in values if value is not None]
    ticks = round_ticks(max([*known, 4.0]))
    dots = tuple(
        Mark((index + 0.5) * width, HEIGHT * (1 - value / ticks[-1]), 0, "", f"{when(points[index])}: {value:,g}{unit}")
        for index, value in enumerate(values)
        if value is not None
    )
    span = f"from {min(known):,g} to {max(known):,g}, the latest {known[-1]:,g}" if known else "unknown"
    return Chart(title, f"{title}, per run: {span}.", _ticks(ticks), dots=dots)


def _ticks(values: Sequence[float]) -> dict[str, float]:
    """Return every second label of an axis, the first and the last one included, or all of a short one."""
    shown = values if len(values) <= MAX_LABELS else [values[0], *reversed(values[:1:-2])]
    return {f"{value:,g}": round(HEIGHT * (1 - value / values[-1]), 1) for value in shown}


def _badness(outcome: Outcome | None) -> int:
    return -1 if outcome is None else list(Outcome).index(outcome)


def _changed(point: Point) -> tuple[str, ...]:
    return point.newly_failed + point.newly_passed + point.newly_not_judged


def when(point: Point) -> str:
    """Return when a run began, to the minute."""
    return f"{point.started_at:%Y-%m-%d %H:%M}" if point.started_at else "unknown time"


def _link(point: Point, folder: Path) -> str:
    """Return the address of a run's own page, relative to the trend page; empty if there is none."""
    page = point.path.with_name(REPORT_PAGE)
    return quote(Path(os.path.relpath(page.absolute(), folder.absolute())).as_posix()) if page.is_file() else ""


def _spans(ids: Sequence[str]) -> str:
    return ", ".join(spans_of(ids))


@cache  # compiling takes longer than rendering
def _template() -> jinja2.Template:
    page = environment(when=when, spans=_spans)
    page.globals |= {"MARKS": MARKS, "VERDICT_MARKS": VERDICT_MARKS, "HEIGHT": HEIGHT, "OPEN": OPEN, "id": id}
    return page.get_template("trend.html.j2")
