"""Judgments of the order and of the filters of the list."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    no_suitable_app,
    require_no,
    require_walk,
)
from purge_conformance.analysis.history import recording_order
from purge_conformance.analysis.list_reads import ListRead, list_reads
from purge_conformance.analysis.next_steps import PAUSE_RETENTION
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.paging import walks
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import (
    app_of_event,
    is_page,
)
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing, Row

DELETED = "A retention job deleted the event that the filter names."
ORDERED_WALKS = {
    Step.ASCENDING: "ascending",
    Step.DESCENDING: "descending",
    Step.COMBINED_FILTERS: "with-filters",
}


@pytest.mark.requirement("LIST-08")
def test_list_is_sorted(view: JudgmentView) -> None:
    """The list MUST be sorted by `created_at`, ascending or descending, as requested."""
    reads = [read for read in list_reads(view) if len({str(row.get("created_at")) for row in read.initial.rows}) > 1]
    if not reads:
        raise no_suitable_app(view, "All events have the same time.")
    for read in reads:
        ordered = [require_walk(view, read.scenario, step) for step in (Step.ASCENDING, Step.DESCENDING)]
        for walk in ordered:
            _require_order(view, walk, _times(_events_beyond(walk, read)))
        for walk in _combined_walks(view, read):
            _require_order(view, walk, [])


def _require_order(view: JudgmentView, walk: Listing, rest: list[datetime]) -> None:
    """Require that a list is sorted; `rest` are the times on its further pages, which were not read."""
    order, moments = walk.exchanges[0].query["order_by"], _times(walk.rows)
    expected = sorted([*moments, *rest], reverse=order.startswith("-"))[: len(moments)]
    if walk.exchanges[0].query.get("page") == "1" and len({*moments, *rest}) > 1:
        view.count(ORDERED_WALKS[walk.exchanges[0].step], walk.exchanges[:1])
    require_no(
        Finding(f"a list sorted by {order}", _first_misplaced(moments, expected), x.n)
        for x in walk.exchanges[:1]
        if moments != expected
    )


@pytest.mark.requirement("LIST-09")
def test_guids_filter_is_exact(view: JudgmentView) -> None:
    """The filter `guids` MUST return exactly the events with these guids."""
    for read in list_reads(view):
        filtered = [(walk, _filter_guids(walk)) for walk in _filter_walks(view, read, Step.FILTER_GUIDS)]
        existing = set(read.initial.by_guid)
        shown = [(walk, guids & (existing | walk.by_guid.keys())) for walk, guids in filtered]
        _count_walks(
            view, "one-guid", (walk for walk, guids in shown if guids == _filter_guids(walk) and len(guids) == 1)
        )
        _count_walks(view, "several-guids", (walk for walk, guids in shown if len(guids) > 1))
        _count_walks(view, "unknown-guid", (walk for walk, guids in filtered if guids - existing))
        combined = [walk for walk in _combined_walks(view, read) if "guids" in walk.exchanges[0].query]
        _count_walks(view, "with-other-filters", (walk for walk in combined if existing - _filter_guids(walk)))
        require_no(finding for walk, guids in filtered for finding in _differences_from(walk, read, guids & existing))
        require_no(
            finding
            for walk in combined
            for finding in _unexpected_in_combination(walk, read, _filter_guids(walk), set())
        )


@pytest.mark.requirement("LIST-10")
def test_created_ats_filter_is_exact(view: JudgmentView) -> None:
    """The filter `created_ats` MUST return exactly the events of these times."""
    for read in list_reads(view):
        for walk in _filter_walks(view, read, Step.FILTER_CREATED_ATS):
            expected, optional = _expected_by_time(read, walk.exchanges[0].query)
            if read.initial.by_guid.keys() - optional:
                _count_walks(view, _time_case(walk.exchanges[0].query), [walk])
            require_no(_differences_from(walk, read, expected, optional))
        combined = _combined_walks(view, read)
        timed = (walk for walk in combined if any(map(_is_time_filter, walk.exchanges[0].query)))
        _count_walks(view, "with-other-filters", timed)
        require_no(
            finding
            for walk in combined
            for finding in _unexpected_in_combination(walk, read, *_expected_by_time(read, walk.exchanges[0].query))
        )


@pytest.mark.requirement("LIST-11")
def test_after_guid_filter_is_exact(view: JudgmentView) -> None:
    """The filter `after_guid` MUST omit exactly that event and those before it."""
    for read in list_reads(view):
        filtered = [
            (walk, guid)
            for walk in _filter_walks(view, read, Step.FILTER_AFTER_GUID)
            if (guid := walk.exchanges[0].query["after_guid"]) in read.initial.by_guid
        ]
        _count_after_guid_cases(view, read, filtered)
        require_no(
            finding
            for walk, guid in filtered
            for finding in _differences_from(walk, read, *_expected_after(view, read, guid))
        )
        require_no(
            finding
            for walk in _combined_walks(view, read)
            for finding in _unexpected_in_combination(walk, read, *_expected_after_guid(view, read, walk))
        )
        _require_consistent_order(view, read, filtered)


def _count_after_guid_cases(view: JudgmentView, read: ListRead, filtered: list[tuple[Listing, str]]) -> None:
    seeded = {guid for guid, row in read.initial.by_guid.items() if guid == app_of_event(row)}
    _count_walks(view, "seeded-event", (walk for walk, guid in filtered if guid in seeded))
    _count_walks(view, "recorded-event", (walk for walk, guid in filtered if guid not in seeded))
    _count_walks(view, "small-pages", (walk for walk, _ in filtered if len(walk.exchanges) > 1))
    queries = ((walk, walk.exchanges[0].query.get("after_guid")) for walk in _combined_walks(view, read))
    _count_walks(view, "with-other-filters", (walk for walk, guid in queries if guid in read.initial.by_guid))
    for case in ("recorded-event", "with-other-filters") if read.deleted_guids else ():
        view.explain(case, Inconclusive(DELETED, Cause.RACE, PAUSE_RETENTION))


def _require_consistent_order(view: JudgmentView, read: ListRead, filtered: list[tuple[Listing, str]]) -> None:
    """Require that of two events at least one is not after the other, and of different times exactly one is."""
    after = {guid: walk for walk, guid in filtered if walk.complete and walk.is_distinct}
    _count_walks(view, "consistent", after.values() if len(after) > 1 else ())
    require_no(
        Finding(f"either {guid} after {other} or {other} after {guid}", contradiction, after[guid].exchanges[0].n)
        for guid, other in combinations(after, 2)
        if (contradiction := _order_contradiction(after, guid, other)) == "neither"
        or (contradiction and _have_distinct_times(read, guid, other))
    )


def _count_walks(view: JudgmentView, case: str, lists: Iterable[Listing]) -> None:
    """Count lists as trials of a case."""
    view.count(case, (walk.exchanges[0] for walk in lists))


def _filter_guids(walk: Listing) -> set[str]:
    return set(walk.exchanges[0].query["guids"].split(","))


def _time_case(query: Mapping[str, str]) -> str:
    """Return the case that a list with only time filters is a trial of."""
    names = list(filter(_is_time_filter, query))
    if len(names) > 1:
        return "two-operators"
    operator = names[0].partition("[")[2].rstrip("]")
    return operator or ("several-times" if "," in query[names[0]] else "equal")


def _is_time_filter(name: str) -> bool:
    return name.startswith("created_ats")


def _filter_walks(view: JudgmentView, read: ListRead, step: Step) -> list[Listing]:
    """Return the readable walks with a filter.

    Raises:
        NotExercised: the scenario `lists` has none.
    """
    filtered = walks(view, step, scenario=read.scenario)
    readable = [walk for walk in filtered if all(is_page(x) for x in walk.exchanges)]
    if not readable and read.scenario is Scenario.LISTS:
        raise NotExercised(f"No list of the kind {step} could be read.")
    return readable


def _combined_walks(view: JudgmentView, read: ListRead) -> list[Listing]:
    """Return the readable walks with several filters and an order, if any."""
    combined = walks(view, Step.COMBINED_FILTERS, scenario=read.scenario)
    return [walk for walk in combined if all(is_page(x) for x in walk.exchanges)]


def _expected_after_guid(view: JudgmentView, read: ListRead, walk: Listing) -> tuple[set[str], set[str]]:
    """Return the events that a walk must and may show by its filter `after_guid`; all without a listed event there."""
    guid = walk.exchanges[0].query.get("after_guid")
    return _expected_after(view, read, guid) if guid in read.initial.by_guid else (set(read.initial.by_guid), set())


def _unexpected_in_combination(
    walk: Listing, read: ListRead, expected: set[str], optional: set[str]
) -> Iterator[Finding]:
    """Yield the events of a walk that one of its filters excludes."""
    return _differences_from(walk, read, expected & read.known_guids(walk.rows), optional)


def _differences_from(
    walk: Listing, read: ListRead, expected: set[str], optional: set[str] | None = None
) -> Iterator[Finding]:
    """Yield the unexpected and the missing events of a walk; those in `optional` may be listed or not.

    If a walk shows an event twice, another one may be on no page, which LIST-04 judges.
    """
    x = walk.exchanges[0]
    words = f"exactly the events that {x.path.partition('?')[2]} selects ({len(expected)})"
    listed = read.known_guids(walk.rows)
    for guid in sorted(listed - expected - (optional or set())):
        yield Finding(words, f"also {guid}", x.n)
    if walk.complete and walk.is_distinct:
        for guid in sorted(expected - listed):
            yield Finding(words, f"not {guid}", x.n)


def _expected_by_time(read: ListRead, query: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the events that time filters must select, and those with fractions of the same second, which they may."""
    filters = [
        (
            name.partition("[")[2].rstrip("]"),
            [moment for text in value.split(",") if (moment := clock.parse_rfc3339(text))],
        )
        for name, value in query.items()
        if _is_time_filter(name)
    ]
    expected, optional = set(), set()
    for guid, row in read.initial.by_guid.items():
        at = clock.parse_rfc3339(row.get("created_at"))
        if at is None or any(_is_ambiguous(at, moment) for _, moments in filters for moment in moments):
            optional.add(guid)
        elif all(any(_satisfies(operator, at, moment) for moment in moments) for operator, moments in filters):
            expected.add(guid)
    return expected, optional


def _is_ambiguous(at: datetime, moment: datetime) -> bool:
    return _truncate_to_second(at) == _truncate_to_second(moment) and at.microsecond != 0


def _satisfies(operator: str, at: datetime, moment: datetime) -> bool:
    comparisons = {"gt": at > moment, "gte": at >= moment, "lt": at < moment, "lte": at <= moment}
    return comparisons.get(operator, at == moment)


def _expected_after(view: JudgmentView, read: ListRead, guid: str) -> tuple[set[str], set[str]]:
    """Return the events after an event, and those that only the target can order.

    An event is after it if it was recorded later, as the lists of the run show, and has a later time. If no list was
    read between the two, or their times disagree or are of the same second, the documentation does not specify the
    order.
    """
    times = {other: clock.parse_rfc3339(row.get("created_at")) for other, row in read.initial.by_guid.items()}
    order, anchor = recording_order(view, read.initial), times.pop(guid)
    expected, optional = set(), set()
    for other, at in times.items():
        later = order[other] > order[guid]
        if order[other] == order[guid] or not _times_allow_order(at, anchor, later=later):
            optional.add(other)
        elif later:
            expected.add(other)
    return expected, optional


def _times_allow_order(at: datetime | None, anchor: datetime | None, *, later: bool) -> bool:
    """Whether the times of two events confirm the order, in whole seconds."""
    if at is None or anchor is None:
        return False
    return (
        _truncate_to_second(at) > _truncate_to_second(anchor)
        if later
        else _truncate_to_second(at) < _truncate_to_second(anchor)
    )


def _order_contradiction(after: Mapping[str, Listing], guid: str, other: str) -> str:
    """Return whether both of two events are after the other, or neither is; empty if exactly one is."""
    follow_each_other = other in after[guid].by_guid, guid in after[other].by_guid
    return {(True, True): "both", (False, False): "neither"}.get(follow_each_other, "")


def _have_distinct_times(read: ListRead, *guids: str) -> bool:
    """Whether the times of two events differ, in whole seconds."""
    at, other = (clock.parse_rfc3339(read.initial.by_guid[guid].get("created_at")) for guid in guids)
    return at is not None and other is not None and _truncate_to_second(at) != _truncate_to_second(other)


def _truncate_to_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _events_beyond(walk: Listing, read: ListRead) -> list[Row]:
    """Return the events that a list without filters would show on further pages, which were not read."""
    if walk.complete or walk.exchanges[0].query.get("page") != "1":
        return []
    return [row for guid, row in read.initial.by_guid.items() if guid not in walk.by_guid]


def _times(rows: Iterable[Row]) -> list[datetime]:
    return [moment for row in rows if (moment := clock.parse_rfc3339(row.get("created_at")))]


def _first_misplaced(times: list[datetime], sorted_times: list[datetime]) -> str:
    index = next(i for i, (got, expected) in enumerate(zip(times, sorted_times, strict=True)) if got != expected)
    return f"{times[index].isoformat()} instead of {sorted_times[index].isoformat()} at position {index + 1}"
