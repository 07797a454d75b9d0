"""Orders, filters, and what becomes of valid, invalid and odd parameters."""

from __future__ import annotations

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
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_page, is_query_rejected, pagination
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

OK, INTERNAL_ERROR = 200, 500
PAGE_REJECTED = {400, 404, 422}  # a page that is too large, or beyond the end


@pytest.mark.requirement("LIST-08")
def test_list_is_sorted(view: JudgmentView) -> None:
    """The list MUST be sorted by `created_at`, ascending or descending, as requested."""
    times = {str(row.get("created_at")) for row in require_list_read(view).initial.rows}
    if len(times) < 2:
        raise no_suitable_app(view, "all events have the same time")
    ordered = [require_walk(view, Scenario.LISTS, step) for step in (Step.ASCENDING, Step.DESCENDING)]
    for walk in [*ordered, *_combined_walks(view)]:
        order = walk.exchanges[0].query["order_by"]
        found = [moment for row in walk.rows if (moment := clock.parse_rfc3339(row.get("created_at")))]
        expected = sorted(found, reverse=order.startswith("-"))
        words = f"sorted by {order}"
        require_no(
            Finding(words, _first_misplaced(found, expected), x.n) for x in walk.exchanges[:1] if found != expected
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
        Finding(f"{one} after {other}, or {other} after {one}", contradiction, after[one].exchanges[0].n)
        for one, other in combinations(after, 2)
        if (contradiction := _order_contradiction(after, one, other)) == "neither"
        or (contradiction and _have_distinct_times(read, one, other))
    )


@pytest.mark.requirement("LIST-12")
def test_valid_query_is_accepted(view: JudgmentView) -> None:
    """List with valid query parameters MUST answer 200."""
    tried = [x for x, found in _classified_lists(view) if found is Validity.VALID]
    size_limit = max((_requested_size(x) for x in tried if x.status == OK), default=GUARANTEED_PAGE_SIZE)
    linked = _pages_linked_as_next(view)
    require_no(
        Finding("200, every parameter is valid", describe_response(x), x.n)
        for x in tried
        if x.status != OK
        and not (x.status in PAGE_REJECTED and (_requested_size(x) > size_limit or _may_be_past_end(x, linked)))
    )


@pytest.mark.requirement("LIST-13")
def test_invalid_query_is_rejected(view: JudgmentView) -> None:
    """List with an invalid query parameter MUST answer 400 or 422."""
    tried = [x for x, found in _classified_lists(view) if found is Validity.INVALID]
    if not tried:
        raise NotExercised("no invalid query was tried")
    require_no(
        Finding("400 or 422, a parameter is invalid", describe_response(x), x.n)
        for x in tried
        if not is_query_rejected(x)
    )


@pytest.mark.requirement("LIST-14")
def test_query_never_causes_5xx(view: JudgmentView) -> None:
    """List and get MUST NOT answer 5xx, whatever the query."""
    unspecified = [x for x, found in _classified_lists(view) if found is Validity.UNSPECIFIED]
    gets = [
        x for x in target_responses(view.of(Scenario.GENERATED, Step.GENERATED_GET)) if x.tags[Tag.MODE] == "negative"
    ]
    if not unspecified and not gets:
        raise NotExercised("no request on which the documentation is open was tried")
    require_no(
        Finding("an answer below 500", describe_response(x), x.n)
        for x in [*unspecified, *gets]
        if (x.status or 0) >= INTERNAL_ERROR
    )


@pytest.mark.requirement("LIST-16")
def test_headers_never_cause_5xx(view: JudgmentView) -> None:
    """List and get MUST NOT answer 5xx because of a request header."""
    sent = require_exchanges(view, Scenario.READS, Step.OTHER_HEADERS, if_none="nothing was asked for in another form")
    require_no(
        Finding("an answer below 500", describe_response(x), x.n) for x in sent if (x.status or 0) >= INTERNAL_ERROR
    )


def _classified_lists(view: JudgmentView) -> list[tuple[Exchange, Validity]]:
    """Return the lists that were asked for as the admin, with what the documentation says of their queries."""
    return view.memoized(_find_classified_lists)


def _find_classified_lists(view: JudgmentView) -> Iterator[tuple[Exchange, Validity]]:
    require_exchanges(view, Scenario.LISTS, Step.OPENING, if_none="no list was read")
    by_guid = require_list_read(view).initial.by_guid
    for x in target_responses([*view.of(Scenario.LISTS), *view.of(Scenario.GENERATED, Step.GENERATED_LIST)]):
        if x.role == "admin" and x.route.endswith("/app_usage_events"):
            existing_guids = by_guid if x.scenario is Scenario.LISTS else {}
            yield x, classify_query(LIST_OPERATION, parse_query(x.path), existing_guids=existing_guids)


def _requested_size(exchange: Exchange) -> int:
    """Return how large a page was asked for; as large as surely is given where nobody said."""
    return max(GUARANTEED_PAGE_SIZE, int(exchange.query.get("per_page", 0)))


def _pages_linked_as_next(view: JudgmentView) -> set[int]:
    """Return the numbers of the pages that the page before named as the next."""
    pairs = (pair for walk in walks(view) for pair in pairwise(walk.exchanges))
    return {after.n for before, after in pairs if pagination(before).get("next")}


def _may_be_past_end(exchange: Exchange, linked: set[int]) -> bool:
    """Whether there may be no such page; the documentation does not say what becomes of a page beyond the end."""
    return int(exchange.query.get("page", 1)) > 1 and exchange.n not in linked


def _filter_walks(view: JudgmentView, step: Step) -> list[Listing]:
    """Return the walks with that filter whose pages could be read."""
    found = [walk for walk in walks(view, step) if all(is_page(x) for x in walk.exchanges)]
    if not found:
        raise NotExercised("no list with that filter could be read")
    return found


def _combined_walks(view: JudgmentView) -> list[Listing]:
    """Return the walks with several filters and an order, whose pages could be read; there may be none."""
    return [walk for walk in walks(view, Step.COMBINED_FILTERS) if all(is_page(x) for x in walk.exchanges)]


def _expected_after_guid(view: JudgmentView, read: ListRead, walk: Listing) -> tuple[set[str], set[str]]:
    """Return the events after the one that a walk names, and those that may be; all where it names none."""
    guid = walk.exchanges[0].query.get("after_guid")
    return _expected_after(view, read, guid) if guid else (set(read.initial.by_guid), set())


def _unexpected_in_combination(
    walk: Listing, read: ListRead, expected: set[str], optional: set[str]
) -> Iterator[Finding]:
    """Yield what is on a walk and one of its filters leaves out."""
    return _differences_from(walk, read, expected & read.known_guids(walk.rows), optional)


def _differences_from(
    walk: Listing, read: ListRead, expected: set[str], optional: set[str] | None = None
) -> Iterator[Finding]:
    """Yield what is on a walk and should not be, and what should and is not; events in `open_` may be or not.

    Where some are on several pages, others may be on none: see LIST-04.
    """
    x = walk.exchanges[0]
    words = f"exactly the {len(expected)} events that {x.path.partition('?')[2]} asks for"
    found = read.known_guids(walk.rows)
    for guid in sorted(found - expected - (optional or set())):
        yield Finding(words, f"{guid} as well", x.n)
    if walk.complete and walk.is_distinct:
        for guid in sorted(expected - found):
            yield Finding(words, f"not {guid}", x.n)


def _expected_by_time(read: ListRead, query: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the events that time filters must return, and those of the same second with a fraction, which they may."""
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
    words = {"gt": at > moment, "gte": at >= moment, "lt": at < moment, "lte": at <= moment}
    return words.get(operator, at == moment)


def _expected_after(view: JudgmentView, read: ListRead, guid: str) -> tuple[set[str], set[str]]:
    """Return the events after one, and those of which only the target knows whether they are.

    After it is what was recorded later, as the looks tell that saw it first, and is dated later; before it, what was
    recorded earlier and is dated earlier. Where nobody looked in between, or times disagree or are of the same second,
    the documentation does not say what `before` means.
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
    """Whether the times of two events may be in that order, to the second."""
    if at is None or anchor is None:
        return False
    return (
        _truncate_to_second(at) > _truncate_to_second(anchor)
        if later
        else _truncate_to_second(at) < _truncate_to_second(anchor)
    )


def _order_contradiction(after: Mapping[str, Listing], one: str, other: str) -> str:
    """Return whether both of two events come after each other, or neither; empty where one of them does."""
    follow_each_other = other in after[one].by_guid, one in after[other].by_guid
    return {(True, True): "both", (False, False): "neither"}.get(follow_each_other, "")


def _have_distinct_times(read: ListRead, one: str, other: str) -> bool:
    """Whether the times of two events tell which of them is before the other."""
    at, then = (clock.parse_rfc3339(read.initial.by_guid[guid].get("created_at")) for guid in (one, other))
    return at is not None and then is not None and _truncate_to_second(at) != _truncate_to_second(then)


def _truncate_to_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _first_misplaced(found: list[datetime], sorted_times: list[datetime]) -> str:
    place = next(i for i, (got, expected) in enumerate(zip(found, sorted_times, strict=True)) if got != expected)
    return f"{found[place].isoformat()} in place {place + 1}, where {sorted_times[place].isoformat()} belongs"
