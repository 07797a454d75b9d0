"""Judgments of the parameters of the list: order, filters, and valid, invalid and unspecified queries."""

from __future__ import annotations

from http import HTTPStatus
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    no_suitable_app,
    require_exchanges,
    require_no,
    require_walk,
)
from purge_conformance.analysis.history import recording_order
from purge_conformance.analysis.list_reads import ListRead, require_list_read
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.analysis.paging import walks
from purge_conformance.analysis.query_rules import Validity, classify_query, parse_query
from purge_conformance.analysis.view import target_responses
from purge_conformance.catalogue.api import LIST_OPERATION
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_page, is_query_rejected, pagination
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CaseMode
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

# Allowed for a page that is too large or past the end.
PAGE_REJECTED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}


@pytest.mark.requirement("LIST-08")
def test_list_is_sorted(view: JudgmentView) -> None:
    """The list MUST be sorted by `created_at`, ascending or descending, as requested."""
    times = {str(row.get("created_at")) for row in require_list_read(view).initial.rows}
    if len(times) < 2:
        raise no_suitable_app(view, "All events have the same time.")
    ordered = [require_walk(view, Scenario.LISTS, step) for step in (Step.ASCENDING, Step.DESCENDING)]
    for walk in [*ordered, *_combined_walks(view)]:
        order = walk.exchanges[0].query["order_by"]
        moments = [moment for row in walk.rows if (moment := clock.parse_rfc3339(row.get("created_at")))]
        expected = sorted(moments, reverse=order.startswith("-"))
        words = f"a list sorted by {order}"
        require_no(
            Finding(words, _first_misplaced(moments, expected), x.n) for x in walk.exchanges[:1] if moments != expected
        )


@pytest.mark.requirement("LIST-09")
def test_guids_filter_is_exact(view: JudgmentView) -> None:
    """The filter `guids` MUST return exactly the events with these guids."""
    read = require_list_read(view)
    require_no(
        finding
        for walk in _filter_walks(view, Step.FILTER_GUIDS)
        for finding in _differences_from(
            walk, read, set(walk.exchanges[0].query["guids"].split(",")) & set(read.initial.by_guid)
        )
    )
    require_no(
        finding
        for walk in _combined_walks(view)
        for finding in _unexpected_in_combination(walk, read, set(walk.exchanges[0].query["guids"].split(",")), set())
    )


@pytest.mark.requirement("LIST-10")
def test_created_ats_filter_is_exact(view: JudgmentView) -> None:
    """The filter `created_ats` MUST return exactly the events of these times."""
    read = require_list_read(view)
    require_no(
        finding
        for walk in _filter_walks(view, Step.FILTER_CREATED_ATS)
        for finding in _differences_from(walk, read, *_expected_by_time(read, walk.exchanges[0].query))
    )
    require_no(
        finding
        for walk in _combined_walks(view)
        for finding in _unexpected_in_combination(walk, read, *_expected_by_time(read, walk.exchanges[0].query))
    )


@pytest.mark.requirement("LIST-11")
def test_after_guid_filter_is_exact(view: JudgmentView) -> None:
    """The filter `after_guid` MUST omit exactly that event and those before it."""
    read = require_list_read(view)
    require_no(
        finding
        for walk in _filter_walks(view, Step.FILTER_AFTER_GUID)
        for finding in _differences_from(
            walk, read, *_expected_after(view, read, walk.exchanges[0].query["after_guid"])
        )
    )
    require_no(
        finding
        for walk in _combined_walks(view)
        for finding in _unexpected_in_combination(walk, read, *_expected_after_guid(view, read, walk))
    )
    after = {
        walk.exchanges[0].query["after_guid"]: walk
        for walk in _filter_walks(view, Step.FILTER_AFTER_GUID)
        if walk.complete and walk.is_distinct
    }
    require_no(
        Finding(f"either {guid} after {other} or {other} after {guid}", contradiction, after[guid].exchanges[0].n)
        for guid, other in combinations(after, 2)
        if (contradiction := _order_contradiction(after, guid, other)) == "neither"
        or (contradiction and _have_distinct_times(read, guid, other))
    )


@pytest.mark.requirement("LIST-12")
def test_valid_query_is_accepted(view: JudgmentView) -> None:
    """List with valid query parameters MUST answer 200."""
    valid = [x for x, validity in _classified_lists(view) if validity is Validity.VALID]
    size_limit = max((_requested_size(x) for x in valid if x.status == HTTPStatus.OK), default=GUARANTEED_PAGE_SIZE)
    linked = _pages_linked_as_next(view)
    require_no(
        Finding("200, since every parameter is valid", describe_response(x), x.n)
        for x in valid
        if x.status != HTTPStatus.OK
        and not (x.status in PAGE_REJECTED and (_requested_size(x) > size_limit or _may_be_past_end(x, linked)))
    )


@pytest.mark.requirement("LIST-13")
def test_invalid_query_is_rejected(view: JudgmentView) -> None:
    """List with an invalid query parameter MUST answer 400 or 422."""
    invalid = [x for x, validity in _classified_lists(view) if validity is Validity.INVALID]
    if not invalid:
        raise NotExercised("No invalid query was tried.")
    require_no(
        Finding("400 or 422, since a parameter is invalid", describe_response(x), x.n)
        for x in invalid
        if not is_query_rejected(x)
    )


@pytest.mark.requirement("LIST-14")
def test_query_never_causes_5xx(view: JudgmentView) -> None:
    """List and get MUST NOT answer 5xx, whatever the query."""
    unspecified = [x for x, validity in _classified_lists(view) if validity is Validity.UNSPECIFIED]
    gets = [
        x
        for x in target_responses(view.of(Scenario.GENERATED, Step.GENERATED_GET))
        if x.tags[Tag.MODE] == CaseMode.NEGATIVE
    ]
    if not unspecified and not gets:
        raise NotExercised("No request with an unspecified query was tried.")
    require_no(
        Finding("a status below 500", describe_response(x), x.n)
        for x in [*unspecified, *gets]
        if (x.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


@pytest.mark.requirement("LIST-16")
def test_headers_never_cause_5xx(view: JudgmentView) -> None:
    """List and get MUST NOT answer 5xx because of a request header."""
    sent = require_exchanges(
        view, Scenario.READS, Step.OTHER_HEADERS, if_none="No request for another form of the response was sent."
    )
    require_no(
        Finding("a status below 500", describe_response(x), x.n)
        for x in sent
        if (x.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _classified_lists(view: JudgmentView) -> list[tuple[Exchange, Validity]]:
    """Return the lists that the admin requested, with the class of their queries."""
    return view.memoized(_find_classified_lists)


def _find_classified_lists(view: JudgmentView) -> Iterator[tuple[Exchange, Validity]]:
    require_exchanges(view, Scenario.LISTS, Step.OPENING, if_none="No list was read.")
    by_guid = require_list_read(view).initial.by_guid
    for x in target_responses([*view.of(Scenario.LISTS), *view.of(Scenario.GENERATED, Step.GENERATED_LIST)]):
        if x.role == ADMIN and x.route.endswith("/app_usage_events"):
            existing_guids = by_guid if x.scenario is Scenario.LISTS else {}
            yield x, classify_query(LIST_OPERATION, parse_query(x.path), existing_guids=existing_guids)


def _requested_size(exchange: Exchange) -> int:
    """Return the requested page size, or the guaranteed one if it is larger."""
    return max(GUARANTEED_PAGE_SIZE, int(exchange.query.get("per_page", 0)))


def _pages_linked_as_next(view: JudgmentView) -> set[int]:
    """Return the numbers of the exchanges whose page the page before linked as `next`."""
    pairs = (pair for walk in walks(view) for pair in pairwise(walk.exchanges))
    return {after.n for before, after in pairs if pagination(before).get("next")}


def _may_be_past_end(exchange: Exchange, linked: set[int]) -> bool:
    """Whether the page may not exist; the documentation does not specify the response past the end."""
    return int(exchange.query.get("page", 1)) > 1 and exchange.n not in linked


def _filter_walks(view: JudgmentView, step: Step) -> list[Listing]:
    """Return the readable walks with a filter."""
    readable = [walk for walk in walks(view, step) if all(is_page(x) for x in walk.exchanges)]
    if not readable:
        raise NotExercised(f"No list of the kind {step} could be read.")
    return readable


def _combined_walks(view: JudgmentView) -> list[Listing]:
    """Return the readable walks with several filters and an order, if any."""
    return [walk for walk in walks(view, Step.COMBINED_FILTERS) if all(is_page(x) for x in walk.exchanges)]


def _expected_after_guid(view: JudgmentView, read: ListRead, walk: Listing) -> tuple[set[str], set[str]]:
    """Return the events that a walk must and may show by its filter `after_guid`; all if it has none."""
    guid = walk.exchanges[0].query.get("after_guid")
    return _expected_after(view, read, guid) if guid else (set(read.initial.by_guid), set())


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
    words = f"exactly the {len(expected)} events that {x.path.partition('?')[2]} selects"
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
        if name.startswith("created_ats")
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


def _first_misplaced(times: list[datetime], sorted_times: list[datetime]) -> str:
    index = next(i for i, (got, expected) in enumerate(zip(times, sorted_times, strict=True)) if got != expected)
    return f"{times[index].isoformat()} instead of {sorted_times[index].isoformat()} at position {index + 1}"
