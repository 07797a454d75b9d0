"""report.html: the run as one self-contained page, to read, to print and to archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from purge_conformance.evidence.safe_text import clip, visible
from purge_conformance.report.context import exchanges_around
from purge_conformance.report.difference import find_difference
from purge_conformance.report.gate_text import describe_consequences, describe_known_failure
from purge_conformance.report.grouping import (
    by_next_step,
    by_reason,
    by_steps,
    count_defects,
    defects_of,
    distinct_findings,
    id_spans,
    levels_of,
)
from purge_conformance.report.headline import headline, verdict_title
from purge_conformance.report.messages import describe_place, request, response
from purge_conformance.report.model import Outcome, Verdict, is_undecided
from purge_conformance.report.page import environment, round_ticks
from purge_conformance.report.pictures import picture_of
from purge_conformance.report.text import (
    describe_cases,
    effort,
    failed_results,
    rate,
    results_not_judged,
    tally,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import jinja2

    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.difference import Piece
    from purge_conformance.report.model import Finding, Result, Run, StatusCount, Timing
    from purge_conformance.report.pictures import Picture

FILE_NAME = "report.html"
MAX_FINDINGS = 5
MAX_TEXT = 2_000  # characters of what is expected, and of what was got
MAX_SPANS = 6  # of ids in the first column
MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "?", Outcome.NOT_EXERCISED: "○"}
VERDICT_MARKS = {
    Verdict.CONFORMANT: "✓",
    Verdict.EXCEPT_KNOWN: "◐",
    Verdict.NON_CONFORMANT: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.PARTIAL: "◐",
}

# Sentences of the specification mark code as Markdown does.
_CODE = re.compile(r"`([^`\n]{1,200})`")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the plot; `share` is its length in percent of the axis."""

    timing: Timing
    share: float


@dataclass(frozen=True, slots=True)
class Plot:
    """The timings as bars over an axis; ticks are (seconds, percent of the axis)."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[str, float], ...]


def render(run: Run, evidence: Evidence) -> str:
    """Return the page of a run; `evidence` gives the exchanges that its findings name."""
    statuses = sorted({row.status for row in run.statuses})
    views = defects_of(run)
    return _template().render(
        run=run,
        title=verdict_title(run),
        excuses=run.gate.excuses if run.gate else {},
        headline=headline(run),
        effort=effort(run),
        started=f"{datetime.fromisoformat(run.started_at):%Y-%m-%d %H:%M:%S} UTC",
        mark=VERDICT_MARKS[run.verdict],
        defects=views,
        defect_counts=count_defects(run),
        failed=failed_results(run),
        grouped={result.id for view in views if len(view.results) > 1 for result, _ in view.results},
        not_judged=by_reason(results_not_judged(run)),
        next_steps=by_next_step(run),
        tally=tally(run),
        groups=_groups(run.requirements),
        exchanges={x.n: x for x in evidence.exchanges},
        statuses=statuses,
        coverage=_matrix(run.statuses, statuses),
        plot=plot(run.timings),
        settings=_flatten(run.settings),
        draw=lambda finding: picture_of(finding, evidence),
        neighbours=lambda exchange: exchanges_around(exchange, evidence.exchanges),
    )


def plot(timings: Iterable[Timing]) -> Plot:
    """Return the timings as bars over an axis of four to eleven round ticks, which begins at 0."""
    rows = tuple(timings)
    lengths = [max(0.0, t.seconds) for t in rows]  # the clock may have been set back during the run
    ticks = round_ticks(max(lengths, default=0.0))
    end = ticks[-1]
    shares = (round(100 * length / end, 3) for length in lengths)
    return Plot(tuple(map(Bar, rows, shares)), tuple((f"{tick:g}", round(100 * tick / end, 3)) for tick in ticks))


def _groups(results: Iterable[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.requirement.group, []).append(result)
    return groups


def _matrix(rows: Iterable[StatusCount], statuses: list[int]) -> dict[str, list[StatusCount | None]]:
    cells = {(row.operation, row.status): row for row in rows}
    operations = dict.fromkeys(operation for operation, _ in cells)
    return {operation: [cells.get((operation, status)) for status in statuses] for operation in operations}


def _flatten(settings: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, dict):
            rows += _flatten(value, f"{prefix}{name}.")
        else:
            words = value if isinstance(value, (list, tuple)) else [value]
            rows.append((prefix + name, ", ".join(map(str, words)) or "none"))
    return rows


def _prose(text: str) -> Markup:
    escaped = str(escape(visible(text)))
    return Markup(_CODE.sub(r"<code>\1</code>", escaped))  # noqa: S704 -- escaped the line before


def _difference(finding: Finding) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    return find_difference(clip(finding.expected, MAX_TEXT), clip(finding.got, MAX_TEXT))


def _kind(picture: Picture) -> str:
    """Return which macro draws a picture."""
    return type(picture).__name__


@cache  # compiling takes longer than rendering
def _template() -> jinja2.Template:
    page = environment(prose=_prose, request=request, response=response, rate=rate, cases=describe_cases)
    page.filters |= {"known": describe_known_failure, "consequences": describe_consequences}
    page.filters |= {"difference": _difference, "kind": _kind, "distinct": distinct_findings, "by_steps": by_steps}
    page.filters |= {"place": describe_place, "id_spans": id_spans, "levels_of": levels_of}
    page.tests |= {"undecided": is_undecided}
    page.globals |= {"MARKS": MARKS, "MAX_FINDINGS": MAX_FINDINGS, "MAX_SPANS": MAX_SPANS}
    return page.get_template("report.html.j2")
