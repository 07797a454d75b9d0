"""What a failure looks like as a picture: requests on a time axis, the steps of a sequence, or the pages of a list.

The pictures are built from the evidence alone; `draw_text` draws them for a terminal, and report.html as SVG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import guid_in_path, is_purge
from purge_conformance.evidence.app_descriptions import name_apps_in
from purge_conformance.evidence.listing import APPS, dig, total_results
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange, Span
    from purge_conformance.report.model import Finding

MAX_LANES, MAX_STEPS, MAX_PAGES = 12, 20, 12
MAX_NAME_CHARS = 28
WALKS = (Step.WALK, Step.ASCENDING, Step.DESCENDING, Step.DEFAULT_PAGE, Step.SAME_PAGE_TWICE)
CHANGES = ("start", "stop", "scale")


@dataclass(frozen=True, slots=True)
class Bar:
    """A request on the time axis: its start and its end in seconds, what it was, and its status."""

    start: float
    end: float
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The requests of one app, or one purge; `is_wrong` marks the app whose state afterwards is impossible."""

    name: str
    bars: tuple[Bar, ...]
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """Requests at the same time.

    Attributes:
        lanes: purges first, then apps.
        end: seconds from the first request to the observation.
        observed: seconds when the impossible state was observed, or when the wrong answer came.
    """

    lanes: tuple[Lane, ...]
    end: float
    observed: float


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a sequence: what was done, and what came; `is_wrong` marks the one after which the state is wrong."""

    words: str
    answer: str
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a sequence, in order."""

    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class PageView:
    """A page of a list: its number, how many events it shows, what it counts, and which of them the finding names."""

    name: str
    rows: int
    total: int | None
    marked: tuple[int, ...]
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one reading of a list, in order."""

    pages: tuple[PageView, ...]


Picture = Timeline | Steps | Pages


def picture_of(finding: Finding, evidence: Evidence) -> Picture | None:
    """Return the picture that shows a finding; None where the exchange itself says all."""
    exchange = next((x for x in evidence.exchanges if x.n == finding.exchange), None)
    if exchange is None:
        return None
    if exchange.scenario is Scenario.SEQUENCES and exchange.place.sequence is not None:
        return _steps(exchange, evidence)
    span = next(
        (span for span in evidence.spans(exchange.scenario) if exchange.n in {*span.requests, *span.after}), None
    )
    if span and len(span.requests) > 1 and exchange.scenario in {Scenario.RACE, Scenario.CONCURRENT_PURGES}:
        return _timeline(finding, span, exchange, evidence)
    if exchange.step in WALKS and exchange.page:
        return _pages(finding, exchange, evidence)
    return None


def _timeline(finding: Finding, span: Span, exchange: Exchange, evidence: Evidence) -> Timeline:
    requests = evidence.numbered(span.requests)
    origin = min(x.sent_at for x in requests)
    is_read = exchange.n in span.after
    observed = exchange.sent_at - origin + (0.0 if is_read else exchange.elapsed)  # else its answer is the result
    names = name_apps_in(evidence, " ".join(x.route for x in requests), exchange.n)
    words = f"{finding.expected} {finding.got}"
    lanes: dict[str, list[Exchange]] = {}
    for number, x in enumerate((x for x in requests if is_purge(x.method, x.path)), 1):
        lanes[f"purge {number}"] = [x]
    wrong = {
        f"purge {n}" for n, x in enumerate((x for x in requests if is_purge(x.method, x.path)), 1) if x is exchange
    }
    for x in requests:
        if x.route.startswith(f"{APPS}/"):
            guid = guid_in_path(x.route)
            name = _shorten(names.get(guid, guid))
            lanes.setdefault(name, []).append(x)
            wrong |= {name} if guid in words else set()
    rows = (Lane(name, tuple(_bars(sent, origin)), name in wrong) for name, sent in lanes.items())
    end = max(observed, *(x.sent_at + x.elapsed - origin for x in requests))
    return Timeline(tuple(rows)[:MAX_LANES], end, max(0.0, observed))


def _bars(exchanges: Iterable[Exchange], origin: float) -> Iterator[Bar]:
    for x in exchanges:
        words = "purge" if is_purge(x.method, x.path) else x.route.rpartition("/")[2]
        yield Bar(x.sent_at - origin, x.sent_at + x.elapsed - origin, f"{words} {x.status or 'no answer'}")


def _steps(exchange: Exchange, evidence: Evidence) -> Steps:
    sent = evidence.of(Scenario.SEQUENCES, round=exchange.round, sequence=exchange.place.sequence)
    actions = [x for x in sent if x.step is Step.ACTION]
    last = exchange.place.position or len(actions)
    names = name_apps_in(evidence, " ".join(x.route for x in actions), exchange.n)
    names |= {str(row["guid"]): str(row["name"]) for row in _created(sent)}
    steps = [
        StepView(_describe_action(x, names), str(x.status or x.error), (x.place.position or 0) == last)
        for x in actions
        if (x.place.position or 0) <= last
    ]
    return Steps(tuple(steps[-MAX_STEPS:]))


def _created(exchanges: Iterable[Exchange]) -> Iterator[Row]:
    """Yield the apps that answers show with guid and name, alone or in a list."""
    for x in exchanges:
        if x.route.startswith(APPS) and isinstance(x.json, dict):
            rows = x.resources or (x.json,)
            yield from (row for row in rows if row.get("guid") and row.get("name"))


def _describe_action(x: Exchange, names: dict[str, str]) -> str:
    if is_purge(x.method, x.path):
        return "purge" if x.role == "admin" else f"purge as {x.role}"
    if not x.route.startswith(APPS):
        return f"{x.method} {x.route}"
    if x.route == APPS:
        name = dig(x.json, "name") if isinstance(x.json, dict) else None
        return f"create {_shorten(str(name))}" if name else "create an app"
    guid = guid_in_path(x.route)
    verb = x.route.rpartition("/")[2] if x.method == "POST" else x.method.lower()
    body = f" {one_line(x.request_body, 40)}" if x.request_body else ""
    return f"{verb} {_shorten(names.get(guid, guid))}{body}"


def _pages(finding: Finding, exchange: Exchange, evidence: Evidence) -> Pages | None:
    pages = [x for x in evidence.at(exchange.scenario, exchange.place, exchange.round) if x.page]
    guids = {word.strip(".,;:") for word in f"{finding.expected} {finding.got}".split()}
    marks = {x.n: tuple(n for n, row in enumerate(x.resources) if str(row.get("guid")) in guids) for x in pages}
    wrong = {n for n, marked in marks.items() if marked} if not marks.get(exchange.n) else set()
    views = [
        PageView(
            x.query.get("page", str(number)),
            len(x.resources),
            total_results(x),
            marks[x.n],
            x.n in (wrong or {exchange.n}),
        )
        for number, x in enumerate(pages, 1)
    ]
    return Pages(_around_wrong(views)) if len(views) > 1 or any(view.marked for view in views) else None


def _shorten(name: str) -> str:
    line = one_line(name)
    return line if len(line) <= MAX_NAME_CHARS else f"{line[:MAX_NAME_CHARS]}…"


def _around_wrong(views: Sequence[PageView]) -> tuple[PageView, ...]:
    """Return the pages, of many those that show what is wrong and their neighbours."""
    if len(views) <= MAX_PAGES:
        return tuple(views)
    wrong = [n for n, view in enumerate(views) if view.is_wrong or view.marked]
    near = {n for each in wrong for n in (each - 1, each, each + 1)} | {0, len(views) - 1}
    return tuple(view for n, view in enumerate(views) if n in near)[:MAX_PAGES]
