"""Orders, filters, and what becomes of valid, invalid and odd parameters."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import NotExercised, answer, answered, for_want_of_apps, hold, need, walk_of
from purge_conformance.analysis.history import recorded
from purge_conformance.analysis.list_reads import Reading, reading
from purge_conformance.analysis.paging import walks
from purge_conformance.analysis.query_rules import Validity, query_of, validity
from purge_conformance.catalogue.api import LIST_OPERATION
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_page, is_query_rejected, pagination
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

OK, FAILED = 200, 500
REFUSED = {400, 404, 422}  # a page that is too large, or beyond the end


@pytest.mark.requirement("LIST-08")
def test_order_is_honoured(seen: Seen) -> None:
    """The list MUST be sorted by `created_at`, or the other way round, as asked for."""
    times = {str(row.get("created_at")) for row in reading(seen).opening.rows}
    if len(times) < 2:
        raise for_want_of_apps(seen, "all events have the same time")
    ordered = [walk_of(seen, "lists", f"order {order}") for order in ("created_at", "-created_at")]
    for walk in [*ordered, *_combined(seen)]:
        order = walk.exchanges[0].query["order_by"]
        found = [moment for row in walk.rows if (moment := clock.parse_rfc3339(row.get("created_at")))]
        due = sorted(found, reverse=order.startswith("-"))
        words = f"sorted by {order}"
        hold(Finding(words, _first_wrong(found, due), x.n) for x in walk.exchanges[:1] if found != due)


@pytest.mark.requirement("LIST-09")
def test_guids_filter(seen: Seen) -> None:
    """The filter `guids` MUST return exactly the events with these guids."""
    read = reading(seen)
    hold(
        finding
        for walk in _filtered(seen, "guids ")
        for finding in _exactly(
            walk, read, set(walk.exchanges[0].query["guids"].split(",")) & set(read.opening.by_guid)
        )
    )
    hold(
        finding
        for walk in _combined(seen)
        for finding in _besides(walk, read, set(walk.exchanges[0].query["guids"].split(",")), set())
    )


@pytest.mark.requirement("LIST-10")
def test_created_ats_filter(seen: Seen) -> None:
    """The filter `created_ats` MUST return exactly the events of these times."""
    read = reading(seen)
    hold(
        finding
        for walk in _filtered(seen, "created_ats")
        for finding in _exactly(walk, read, *_by_time(read, walk.exchanges[0].query))
    )
    hold(
        finding
        for walk in _combined(seen)
        for finding in _besides(walk, read, *_by_time(read, walk.exchanges[0].query))
    )


@pytest.mark.requirement("LIST-11")
def test_after_guid_filter(seen: Seen) -> None:
    """The filter `after_guid` MUST leave out that event and those before it, and nothing else."""
    read = reading(seen)
    hold(
        finding
        for walk in _filtered(seen, "after_guid ")
        for finding in _exactly(walk, read, *_after(seen, read, walk.exchanges[0].query["after_guid"]))
    )
    hold(finding for walk in _combined(seen) for finding in _besides(walk, read, *_after_guid_of(seen, read, walk)))
    after = {
        walk.exchanges[0].query["after_guid"]: walk
        for walk in _filtered(seen, "after_guid ")
        if walk.complete and walk.is_distinct
    }
    hold(
        Finding(f"{one} after {other}, or {other} after {one}", told, after[one].exchanges[0].n)
        for one, other in combinations(after, 2)
        if (told := _told_twice_or_never(after, one, other)) == "neither" or (told and _are_apart(read, one, other))
    )


@pytest.mark.requirement("LIST-12")
def test_valid_query_accepted(seen: Seen) -> None:
    """A list with valid query parameters MUST answer 200."""
    tried = [x for x, found in _lists(seen) if found is Validity.VALID]
    bound = max((_asked(x) for x in tried if x.status == OK), default=GUARANTEED_PAGE_SIZE)
    announced = _announced(seen)
    hold(
        Finding("200, every parameter is valid", answer(x), x.n)
        for x in tried
        if x.status != OK and not (x.status in REFUSED and (_asked(x) > bound or _may_be_beyond(x, announced)))
    )


@pytest.mark.requirement("LIST-13")
def test_invalid_query_refused(seen: Seen) -> None:
    """A list with an invalid query parameter MUST answer 400 or 422."""
    tried = [x for x, found in _lists(seen) if found is Validity.INVALID]
    if not tried:
        raise NotExercised("no invalid query was tried")
    hold(Finding("400 or 422, a parameter is invalid", answer(x), x.n) for x in tried if not is_query_rejected(x))


@pytest.mark.requirement("LIST-14")
def test_odd_query_answered(seen: Seen) -> None:
    """No query MUST make a list or a get fail."""
    odd = [x for x, found in _lists(seen) if found is Validity.OPEN]
    gets = [x for x in answered(seen.of("contract", "getAppUsageEvent")) if x.tags["mode"] == "negative"]
    if not odd and not gets:
        raise NotExercised("no request on which the documentation is open was tried")
    hold(Finding("an answer below 500", answer(x), x.n) for x in [*odd, *gets] if (x.status or 0) >= FAILED)


@pytest.mark.requirement("LIST-16")
def test_odd_headers_answered(seen: Seen) -> None:
    """No header that a client may send MUST make a list or a get fail."""
    sent = need(seen, "reads", "headers", why="nothing was asked for in another form")
    hold(Finding("an answer below 500", answer(x), x.n) for x in sent if (x.status or 0) >= FAILED)


def _lists(seen: Seen) -> list[tuple[Exchange, Validity]]:
    """Return the lists that were asked for as the admin, with what the documentation says of their queries."""
    return seen.remembered(_judged_lists)


def _judged_lists(seen: Seen) -> Iterator[tuple[Exchange, Validity]]:
    need(seen, "lists", "opening", why="no list was read")
    by_guid = reading(seen).opening.by_guid
    for x in answered([*seen.of("lists"), *seen.of("contract", LIST_OPERATION)]):
        if x.role == "admin" and x.route.endswith("/app_usage_events"):
            here = by_guid if x.experiment == "lists" else {}
            yield x, validity(LIST_OPERATION, query_of(x.path), existing=here)


def _asked(exchange: Exchange) -> int:
    """Return how large a page was asked for; as large as surely is given where nobody said."""
    return max(GUARANTEED_PAGE_SIZE, int(exchange.query.get("per_page", 0)))


def _announced(seen: Seen) -> set[int]:
    """Return the numbers of the pages that the page before named as the next."""
    pairs = (pair for walk in walks(seen) for pair in pairwise(walk.exchanges))
    return {after.n for before, after in pairs if pagination(before).get("next")}


def _may_be_beyond(exchange: Exchange, announced: set[int]) -> bool:
    """Whether there may be no such page; the documentation does not say what becomes of a page beyond the end."""
    return int(exchange.query.get("page", 1)) > 1 and exchange.n not in announced


def _filtered(seen: Seen, beginning: str) -> list[Listing]:
    """Return the walks with that filter whose pages could be read."""
    found = [walk for walk in walks(seen, beginning) if all(is_page(x) for x in walk.exchanges)]
    if not found:
        raise NotExercised("no list with that filter could be read")
    return found


def _combined(seen: Seen) -> list[Listing]:
    """Return the walks with several filters and an order, whose pages could be read; there may be none."""
    return [walk for walk in walks(seen, "combined ") if all(is_page(x) for x in walk.exchanges)]


def _after_guid_of(seen: Seen, read: Reading, walk: Listing) -> tuple[set[str], set[str]]:
    """Return the events after the one that a walk names, and those that may be; all where it names none."""
    guid = walk.exchanges[0].query.get("after_guid")
    return _after(seen, read, guid) if guid else (set(read.opening.by_guid), set())


def _besides(walk: Listing, read: Reading, due: set[str], open_: set[str]) -> Iterator[Finding]:
    """Yield what is on a walk and one of its filters leaves out."""
    return _exactly(walk, read, due & read.of(walk.rows), open_)


def _exactly(walk: Listing, read: Reading, due: set[str], open_: set[str] | None = None) -> Iterator[Finding]:
    """Yield what is on a walk and should not be, and what should and is not; events in `open_` may be or not.

    Where some are on several pages, others may be on none: see LIST-04.
    """
    x = walk.exchanges[0]
    words = f"exactly the {len(due)} events that {x.path.partition('?')[2]} asks for"
    found = read.of(walk.rows)
    for guid in sorted(found - due - (open_ or set())):
        yield Finding(words, f"{guid} as well", x.n)
    if walk.complete and walk.is_distinct:
        for guid in sorted(due - found):
            yield Finding(words, f"not {guid}", x.n)


def _by_time(read: Reading, query: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the events that time filters must return, and those of the same second with a fraction, which they may."""
    filters = [
        (
            name.partition("[")[2].rstrip("]"),
            [moment for text in value.split(",") if (moment := clock.parse_rfc3339(text))],
        )
        for name, value in query.items()
        if name.startswith("created_ats")
    ]
    due, open_ = set(), set()
    for guid, row in read.opening.by_guid.items():
        at = clock.parse_rfc3339(row.get("created_at"))
        if at is None or any(_blurred(at, moment) for _, moments in filters for moment in moments):
            open_.add(guid)
        elif all(any(_compare(operator, at, moment) for moment in moments) for operator, moments in filters):
            due.add(guid)
    return due, open_


def _blurred(at: datetime, moment: datetime) -> bool:
    return _second(at) == _second(moment) and at.microsecond != 0


def _compare(operator: str, at: datetime, moment: datetime) -> bool:
    words = {"gt": at > moment, "gte": at >= moment, "lt": at < moment, "lte": at <= moment}
    return words.get(operator, at == moment)


def _after(seen: Seen, read: Reading, guid: str) -> tuple[set[str], set[str]]:
    """Return the events after one, and those of which only the target knows whether they are.

    After it is what was recorded later, as the looks tell that saw it first, and is dated later; before it, what was
    recorded earlier and is dated earlier. Where nobody looked in between, or times disagree or are of the same second,
    the documentation does not say what `before` means.
    """
    times = {other: clock.parse_rfc3339(row.get("created_at")) for other, row in read.opening.by_guid.items()}
    order, anchor = recorded(seen, read.opening), times.pop(guid)
    due, open_ = set(), set()
    for other, at in times.items():
        later = order[other] > order[guid]
        if order[other] == order[guid] or not _agree(at, anchor, later=later):
            open_.add(other)
        elif later:
            due.add(other)
    return due, open_


def _agree(at: datetime | None, anchor: datetime | None, *, later: bool) -> bool:
    """Whether the times of two events may be in that order, to the second."""
    if at is None or anchor is None:
        return False
    return _second(at) > _second(anchor) if later else _second(at) < _second(anchor)


def _told_twice_or_never(after: Mapping[str, Listing], one: str, other: str) -> str:
    """Return whether both of two events come after each other, or neither; empty where one of them does."""
    told = other in after[one].by_guid, one in after[other].by_guid
    return {(True, True): "both", (False, False): "neither"}.get(told, "")


def _are_apart(read: Reading, one: str, other: str) -> bool:
    """Whether the times of two events tell which of them is before the other."""
    at, then = (clock.parse_rfc3339(read.opening.by_guid[guid].get("created_at")) for guid in (one, other))
    return at is not None and then is not None and _second(at) != _second(then)


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _first_wrong(found: list[datetime], due: list[datetime]) -> str:
    place = next(i for i, (got, expected) in enumerate(zip(found, due, strict=True)) if got != expected)
    return f"{found[place].isoformat()} in place {place + 1}, where {due[place].isoformat()} belongs"
