"""Deletions of the oldest events that no request of the suite explains: those of a retention job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import created_apps
from purge_conformance.analysis.event_lists import has_purge_between, own_purges
from purge_conformance.analysis.interference import is_of_deleted_app
from purge_conformance.analysis.sightings import PAGE_PARAMETERS, ListState, sightings
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import (
    APPS,
    app_of_event,
    event_identity,
    is_page,
    listing_at,
    resources,
    total_results,
)
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange

GUID_IN_ROUTE = re.compile(r"^(/v3/\w+)/[^/]+")
TRIGGER_RATE = 0.5  # how often events are lost beside a kind of request that causes it, at least
MAX_DELETIONS = 2  # between a purge and the read after it
READ_RATE = 0.9  # the same for plain reads, which are beside everything
Age = tuple[datetime, bool]  # of an event: its second, and whether it is recorded rather than seeded
Kind = tuple[str, str, int | None, str]  # method, route with its parameters, status, role of a purge


@dataclass(frozen=True)
class Deletion:
    """Oldest events that disappeared between two reads, while nothing was seeded.

    Attributes:
        before: number of the first exchange of the read that shows them all.
        after: number of the last exchange of the read that shows none of them.
        rows: the events; empty if the reads do not show them, but only their number.
        count: how many they are.
    """

    before: int
    after: int
    rows: tuple[Row, ...]
    count: int

    def overlaps(self, first: int, last: int) -> bool:
        """Whether the events may have disappeared between two exchanges."""
        return self.before < last and first < self.after


class Order(IntEnum):
    """How old some events are, compared with others; what a purge seeds is older than what is recorded since."""

    YOUNGER = 0  # at least one of them
    SAME_SECOND = 1  # and seeded before, at least one
    EQUAL = 2  # or older
    OLDER = 3  # each of them


@dataclass(frozen=True)
class _Window:
    """What happened between two reads of the list, without a purge in between.

    Attributes:
        deletion: what disappeared; its count is 0 if nothing did.
        kinds: the kinds of requests in between, the second read included.
        order: how old what disappeared is, compared with what remains; with the events of others, if only those did.
        is_all_seeds: whether it is exactly what a purge had seeded.
    """

    deletion: Deletion
    kinds: frozenset[Kind]
    order: Order
    is_all_seeds: bool = False


def find_deletions(evidence: Evidence) -> tuple[Deletion, ...]:
    """Return the deletions by a retention job of the target, in order; empty if the suite's requests may explain them.

    Only the oldest events disappear, and nothing is seeded. What comes with each request of some kind, and never
    without one, is attributed to these requests; so is what a purge left, and the disappearance of exactly the events
    that a purge seeded.
    """
    return evidence.cached(_find_deletions)


def deleted_guids(evidence: Evidence) -> frozenset[str]:
    """Return the guids of the events that a retention job deleted, as far as reads show them."""
    return frozenset(str(row["guid"]) for deletion in find_deletions(evidence) for row in deletion.rows)


def is_deleted(evidence: Evidence, event: Row, number: int) -> bool:
    """Whether a retention job may have deleted a listed event before an exchange."""
    known = event_identity(event)
    return any(
        deletion.before < number and known in map(event_identity, deletion.rows)
        for deletion in find_deletions(evidence)
    )


def deletes_between(evidence: Evidence, first: int, last: int) -> bool:
    """Whether a retention job may have deleted events between two exchanges."""
    return any(deletion.overlaps(first, last) for deletion in find_deletions(evidence))


def may_lack_seed(evidence: Evidence, app: str) -> bool:
    """Whether a retention job may have deleted the seeded event of an app before any read after a purge shows it.

    It may if it deletes again and again, and another purge seeded the app.
    """
    seeded = (guid for guid, _ in evidence.cached(sightings).seeds)
    return _is_recurring(evidence) and app in seeded


def apps_with_deleted_seeds(evidence: Evidence, apps: Collection[str]) -> frozenset[str]:
    """Return those of the apps without a seeded event after a purge that may lack it; none if they are too many."""
    missing = frozenset(app for app in apps if may_lack_seed(evidence, app))
    return missing if may_delete(evidence, len(missing)) else frozenset()


def may_delete(evidence: Evidence, count: int) -> bool:
    """Whether a retention job deletes again and again, and as many events between two reads."""
    deletions = find_deletions(evidence)
    return _is_recurring(evidence) and count <= MAX_DELETIONS * max(deletion.count for deletion in deletions)


def _is_recurring(evidence: Evidence) -> bool:
    """Whether a retention job deletes again and again: there are two deletions, one after the other."""
    deletions = find_deletions(evidence)
    return max((each.before for each in deletions), default=0) >= min((each.after for each in deletions), default=1)


def describe_deletions(evidence: Evidence) -> str:
    """Return what a retention job deleted during the run, as a sentence; empty if there was none."""
    deletions = find_deletions(evidence)
    if not deletions:
        return ""
    by_guid = {event_identity(row) for deletion in deletions for row in deletion.rows}
    count = max(len(by_guid), *(deletion.count for deletion in deletions))
    first, last = deletions[0].before, max(deletion.after for deletion in deletions)
    events = "the oldest event" if count == 1 else f"the {count} oldest events"
    return (
        f"A retention job deleted {events} during the run, between exchanges {first} and {last}, and seeded nothing. "
        "That is no purge: what it deleted is not judged, and the rest is."
    )


def _find_deletions(evidence: Evidence) -> tuple[Deletion, ...]:
    states = _states(evidence)
    plain = [state for state in states if "order_by" not in evidence.numbered([state.first])[0].query]
    close = [*_windows(evidence, states), *_total_windows(evidence)]
    levels = close, list(_windows(evidence, plain))
    losing = [window for windows in levels for window in windows if window.deletion.count]
    orders = [window.order for window in losing]
    if Order.YOUNGER in orders or all(window.is_all_seeds for window in losing):
        return ()
    if orders.count(Order.SAME_SECOND) > len(orders) / 2:
        return ()
    if sum(bool(window.deletion.count) for window in close) == 1 and Order.OLDER not in orders:
        return ()  # a single deletion proves little
    if _have_trigger(close, READ_RATE, reads=True) or any(_have_trigger(each, TRIGGER_RATE) for each in levels):
        return ()
    by_span = {(window.deletion.before, window.deletion.after): window.deletion for window in losing}
    return tuple(by_span[span] for span in sorted(by_span))


def _have_trigger(windows: Sequence[_Window], rate: float, *, reads: bool = False) -> bool:
    """Whether a kind of request is in each window that lost events, and that part of the windows with it lost some."""
    losing = [window for window in windows if window.deletion.count]
    if len(losing) < 2:  # noqa: PLR2004 -- one proves nothing
        return False
    common = frozenset[Kind].intersection(*(window.kinds for window in losing))
    kinds = [kind for kind in common if (kind[0] == "GET") == reads]
    return any(len(losing) >= rate * sum(kind in window.kinds for window in windows) for kind in kinds)


def _states(evidence: Evidence) -> list[ListState]:
    """Return each read of all events, also those of the random sequences, in order."""
    seen = evidence.cached(sightings)
    states = list(seen.states)
    keys = dict.fromkeys(
        x.key for x in evidence.exchanges if (x.scenario, x.step) == (Scenario.SEQUENCES, Step.LIST_AFTER_ACTION)
    )
    for scenario, number, place in keys:
        listing = listing_at(evidence, scenario, place, number)
        if listing.complete and listing.exchanges:
            seeds = {str(row["guid"]): row for row in listing.rows if seen.is_seed(row)}
            recorded = {str(row["guid"]): row for row in listing.rows if str(row["guid"]) not in seeds}
            states.append(ListState(listing.exchanges[0].n, listing.exchanges[-1].n, recorded, seeds))
    return sorted(states, key=lambda state: state.first)


def _windows(evidence: Evidence, states: Sequence[ListState]) -> Iterator[_Window]:
    """Yield what happened between each two reads of all events, unless something was purged or seeded."""
    for before, after in pairwise(states):
        known = {event_identity(row) for row in before.rows.values()}
        is_seeded = any(event_identity(row) not in known for row in after.seeds.values())
        if before.rows and not is_seeded and not _may_be_purged(evidence, before.first, after.last):
            remaining = {event_identity(row) for row in after.rows.values()}
            rows = [row for row in before.rows.values() if event_identity(row) not in remaining]
            lost = tuple(row for row in rows if not _is_of_deleted_app(evidence, row, after.last))
            survivors = [row for row in before.rows.values() if event_identity(row) in remaining]
            yield _Window(
                Deletion(before.first, after.last, lost, len(lost)),
                _kinds(evidence, before.last, after.last),
                Order.YOUNGER if _was_left(evidence, lost, before.first) else _order(evidence, lost, survivors),
                is_all_seeds=list(lost) == list(before.seeds.values()),
            )


def _total_windows(evidence: Evidence) -> Iterator[_Window]:
    """Yield what happened between each two pages of the newest events that do not show all of them."""
    pages = [x for x in evidence.exchanges if (x.step, x.role) == (Step.NEWEST_PAGE, ADMIN) and is_page(x)]
    for before, after in pairwise(pages):
        totals = total_results(before), total_results(after)
        if None in totals or (before.scenario, before.round) != (after.scenario, after.round):
            continue
        rows = [[event_identity(row) for row in resources(page)] for page in (before, after)]
        is_partial = all((total or 0) > len(shown) for total, shown in zip(totals, rows, strict=True))
        if is_partial and not _may_be_purged(evidence, before.n, after.n):
            new = len({*rows[1]} - {*rows[0]})
            count = max(0, (totals[0] or 0) - (totals[1] or 0) + new)
            remaining = [known in rows[1] for known in rows[0]]  # newest first
            yield _Window(
                Deletion(before.n, after.n, (), count),
                _kinds(evidence, before.n, after.n),
                Order.EQUAL if remaining == sorted(remaining, reverse=True) else Order.YOUNGER,
            )


def _may_be_purged(evidence: Evidence, first: int, last: int) -> bool:
    return has_purge_between(JudgmentView(evidence), *evidence.numbered([first, last]))


def _is_of_deleted_app(evidence: Evidence, event: Row, number: int) -> bool:
    """Whether the app of an event was deleted, by the suite before an exchange or by others: its events may go, too."""
    app = app_of_event(event)
    deletions = (x for x in evidence.exchanges if x.method == "DELETE" and x.route.startswith(APPS) and x.n < number)
    return any(x.guid == app for x in deletions) or is_of_deleted_app(evidence, event, number)


def _order(evidence: Evidence, lost: Sequence[Row], survivors: Sequence[Row]) -> Order:
    """Return how old lost events are; if only events of other clients were lost, those of the suite may be older."""
    own = created_apps(evidence)
    of_others = [row for row in survivors if app_of_event(row) not in own]
    is_of_others = not any(app_of_event(row) in own for row in lost)
    compared = (survivors, *([of_others] if is_of_others else []))
    return max(_compare(_ages(evidence, lost), _ages(evidence, rows)) for rows in compared)


def _ages(evidence: Evidence, rows: Iterable[Row]) -> list[Age | None]:
    seen = evidence.cached(sightings)
    moments = [(clock.parse_rfc3339(row.get("created_at")), not seen.is_seed(row)) for row in rows]
    return [(at.replace(microsecond=0), is_recorded) if at else None for at, is_recorded in moments]


def _compare(lost: Sequence[Age | None], survivors: Sequence[Age | None]) -> Order:
    known, others = ([age for age in ages if age] for ages in (lost, survivors))
    if len(known) < len(lost) or len(others) < len(survivors):
        return Order.YOUNGER  # an event without a time: unknown
    if not (known and others):
        return Order.EQUAL
    last, first = max(known), min(others)
    if last[0] > first[0]:
        return Order.YOUNGER
    return Order.OLDER if last < first else Order.EQUAL if last == first else Order.SAME_SECOND


def _was_left(evidence: Evidence, lost: Iterable[Row], number: int) -> bool:
    """Whether an event was listed before the last purge: that purge should have destroyed it, and may be late."""
    purge = next((x.n for x in reversed(own_purges(evidence)) if x.n < number), 0)
    recorded = evidence.cached(sightings).recorded
    return any(recorded.get(str(row["guid"]), (purge, 0))[0] < purge for row in lost)


def _kinds(evidence: Evidence, first: int, last: int) -> frozenset[Kind]:
    return frozenset(_kind(x) for x in evidence.exchanges if first < x.n <= last)


def _kind(x: Exchange) -> Kind:
    parameters: Collection[str] = sorted({*x.query} - PAGE_PARAMETERS)
    route = GUID_IN_ROUTE.sub(r"\1/GUID", x.route)
    return x.method, f"{route}?{','.join(parameters)}", x.status, x.role if is_purge(x.method, x.path) else ""
