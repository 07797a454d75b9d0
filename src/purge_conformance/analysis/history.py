"""Queries over a whole run: the target's clock, seeded events, destroyed events, the admin's rights."""

from __future__ import annotations

import sys
from contextlib import suppress
from http import HTTPStatus
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.analysis.credentials import is_proven_admin
from purge_conformance.analysis.event_lists import complete_listings, has_purge_between
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, PrerequisiteFailed
from purge_conformance.analysis.purge import PurgeObservation, group_by_app, require_purge_at
from purge_conformance.analysis.purge_series import observed_purges
from purge_conformance.catalogue.api import (
    GET_OPERATION,
    LIST_OPERATION,
    event_path,
    guid_in_path,
    is_purge,
    is_usable_guid,
)
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import app_of_event, event_identity, listing_at, resources, snapshots
from purge_conformance.evidence.steps import UNEXPECTED_INPUTS, App, Phase, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CaseMode
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.clock import Offset
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

PLAIN_GETS = {Step.GET, Step.GET_SEEDED}
UNUSUAL_LISTS = {Step.UNSPECIFIED_QUERY, Step.OTHER_HEADERS}
MAX_CLOCK_DIFFERENCE = 60.0  # most seconds between the clocks of a target and of a gateway before it
UNAUTHORIZED_STATUSES = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def target_clock_offset(view: JudgmentView) -> tuple[Offset, str] | None:
    """Return the offset of the target's clock from the suite's and its source in words; None if it is unknown.

    A gateway with a clock of its own may set the Date headers. So if the event of a start that the suite just requested
    has another time, by no more than a minute, the offset spans both.
    """
    dates, event = clock.offset_from_dates(view.exchanges), _offset_from_start(view)
    if dates and event and 0 < max(event.lower - dates.upper, dates.lower - event.upper) <= MAX_CLOCK_DIFFERENCE:
        combined = clock.Offset(min(dates.lower, event.lower), max(dates.upper, event.upper))
        return combined, "its Date headers and the event of a start that the suite just requested"
    if dates:
        return dates, "its Date headers"
    return (event, "the event of a start that the suite just requested") if event else None


def _offset_from_start(view: JudgmentView) -> Offset | None:
    scenario, listed = Scenario.APP_CHANGES, Place(Step.START, phase=Phase.AFTER)
    for start in view.of(scenario, Step.START_APP, app=App.STOPPED):
        guid = guid_in_path(start.route)
        rows = group_by_app(listing_at(view, scenario, listed).rows, ()).get(guid, ())
        times = [moment for row in rows if (moment := clock.parse_rfc3339(row.get("created_at")))]
        if times:
            return clock.offset_from_event(min(times), start)
    return None


def seed_observations(view: JudgmentView) -> Iterator[tuple[Exchange, Exchange, Row]]:
    """Yield each time that an event with an app's guid is listed: the last purge before, the page, the event.

    Exchanges that were concurrent with others do not count, since their order is unknown. Neither do the purges that
    left older events, since it is unknown which events they seeded, and successes on alternative spellings of the path,
    since they may not have been purges. A purge by another client may always lie in between.
    """
    apps = {str(row.get("guid")) for span in view.cached(snapshots) for row in span.snapshot.apps.rows}
    incomplete = {
        purge.request.n for purge in (*observed_purges(view), *unexpected_input_purges(view)) if purge.surviving_events
    }
    purge: Exchange | None = None
    for x in (x for x in view.resource_exchanges() if Tag.CONCURRENT not in x.tags):
        if is_purge(x.method, x.path) and x.succeeded:
            purge = x if x.step is not Step.SPELLING else purge
        elif is_purge(x.method, x.path) and Tag.INDUCED in x.tags:
            purge = None  # its effect is unknown
        elif purge and purge.n not in incomplete:
            yield from ((purge, x, row) for row in resources(x) if row.get("guid") in apps)


def unexpected_input_purges(view: JudgmentView) -> list[PurgeObservation]:
    """Return each purge that ignored an unexpected body or query, between its snapshots."""
    return view.memoized(_find_unexpected_input_purges)


def _find_unexpected_input_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    for number, step in product(view.rounds(Scenario.UNEXPECTED_INPUT), UNEXPECTED_INPUTS):
        with suppress(Inconclusive, NotExercised):
            yield require_purge_at(view, Scenario.UNEXPECTED_INPUT, step, number)


def gets_of_destroyed_events(view: JudgmentView) -> list[Exchange]:
    """Return each get of an event that a purge removed from the list, by the same scenario before the next purge."""
    return view.memoized(_find_gets_of_destroyed_events)


def _find_gets_of_destroyed_events(view: JudgmentView) -> Iterator[Exchange]:
    purges = [x.n for x in view.resource_exchanges() if is_purge(x.method, x.path) and not x.rejected]
    gets = [x for x in view.resource_exchanges() if x.method == "GET"]
    for purge in (*observed_purges(view), *unexpected_input_purges(view)):
        destroyed = set(purge.before.events.by_guid) - set(purge.after.events.by_guid)
        next_purge = next((n for n in purges if n > purge.request.n), sys.maxsize)
        origin = purge.request.scenario, purge.request.round
        candidates = [x for x in gets if purge.last_exchange < x.n < next_purge and (x.scenario, x.round) == origin]
        gets_of_one = [x for x in candidates if x.guid in destroyed and is_usable_guid(x.guid)]
        yield from (x for x in gets_of_one if x.path == event_path(x.guid))


def destroyed_events_found_by_filter(view: JudgmentView) -> Iterator[tuple[Exchange, Row]]:
    """Yield each event that the first purge removed from the list, and that a filter or a sort order still returns."""
    for purge in observed_purges(view):
        if purge.request.scenario is Scenario.PURGE:
            before, after = purge.before.events.by_guid, purge.after.events.by_guid
            destroyed = {event_identity(row) for guid, row in before.items() if guid not in after}
            yield from (
                (x, row)
                for x in view.of(Scenario.PURGE, Step.SEARCH_DESTROYED)
                for row in resources(x)
                if event_identity(row) in destroyed
            )


def returns_requested_event(get: Exchange) -> bool:
    """Whether a get answers 200 with the event of its guid."""
    return get.status == HTTPStatus.OK and isinstance(get.json, dict) and get.json.get("guid") == get.guid


def destroyed_guids(view: JudgmentView) -> dict[str, int]:
    """Return the guids of the events that purges destroyed -> the number of the exchange that shows it.

    Three kinds do not count: guids of apps and processes, and guids that a purge seeded, since a later purge may seed
    an event with the same guid again; and guids that a get still returned after the list no longer showed them.
    """
    destroyed: dict[str, int] = {}
    reusable = {x.guid for x in gets_of_destroyed_events(view) if returns_requested_event(x)}
    for purge in sorted([*observed_purges(view), *unexpected_input_purges(view)], key=lambda purge: purge.request.n):
        reusable |= set(purge.seeded_earlier)
        for snapshot in (purge.before, purge.after):
            reusable |= set(snapshot.apps.by_guid) | set(snapshot.processes.by_guid)
        for guid in set(purge.before.events.by_guid) - set(purge.after.events.by_guid):
            destroyed.setdefault(guid, purge.last_exchange)
    return {guid: n for guid, n in destroyed.items() if guid not in reusable}


def undestroyed_events_per_list(view: JudgmentView) -> list[frozenset[str]]:
    """Return for each of the `complete_listings` the recorded events that an earlier purge should have destroyed.

    If one of them disappears later, the cause is that purge or a cache, and not a request in between.
    """
    return view.memoized(_find_undestroyed_events_per_list)


def _find_undestroyed_events_per_list(view: JudgmentView) -> Iterator[frozenset[str]]:
    purges = [x.n for x in view.resource_exchanges() if is_purge(x.method, x.path) and x.status == HTTPStatus.OK]
    known, undestroyed, last = set[str](), frozenset[str](), -1
    for listing in complete_listings(view):
        first = listing.exchanges[0].n
        if any(last < n < first for n in purges):
            undestroyed = frozenset(known)
        last = first
        known.update(guid for guid, row in listing.by_guid.items() if guid != app_of_event(row))
        yield undestroyed


def recording_order(view: JudgmentView, opening: Listing) -> dict[str, int]:
    """Return guid -> position in the order of recording: that of the first list since the last purge that shows it."""
    last = opening.exchanges[0]
    since = [listing for listing in complete_listings(view) if listing.exchanges[0].n <= last.n]
    since = [listing for listing in since if not has_purge_between(view, listing.exchanges[0], last)]
    key_sets = [{event_identity(row) for row in listing.rows} for listing in (*since, opening)]
    return {
        row["guid"]: next(n for n, keys in enumerate(key_sets) if event_identity(row) in keys) for row in opening.rows
    }


def admin_reads_rejected(view: JudgmentView) -> list[Exchange]:
    """Return the admin's plain reads of existing events that were answered with 401 or 403.

    Reads after the last success do not count, since the token may have expired; neither do reads with an unusual query,
    since a firewall may have rejected them, and reads beside requests of others, which AUTH-16 judges.
    """
    has_others = any(x.step is Step.CONCURRENT_CREDENTIAL for x in view.exchanges)
    ignored = {Tag.SUPERSEDED, *([Tag.CONCURRENT] if has_others else [])}
    sent = [x for x in view.exchanges if x.role == ADMIN and not ignored & x.tags.keys()]
    last_success = max((x.n for x in sent if x.status in {HTTPStatus.OK, HTTPStatus.CREATED}), default=0)
    gets = [x for x in sent if x.step in PLAIN_GETS and find_operation_id(x.method, x.path) == GET_OPERATION]
    lists = [x for x in sent if x.step not in UNUSUAL_LISTS and find_operation_id(x.method, x.path) == LIST_OPERATION]
    plain = [
        x
        for x in [*gets, *lists]
        if x.tags.get(Tag.MODE, CaseMode.POSITIVE) == CaseMode.POSITIVE and x.n <= last_success
    ]
    return [x for x in plain if x.status in UNAUTHORIZED_STATUSES]


def require_admin_reads(view: JudgmentView) -> None:
    """Require that the admin may read events.

    Raises:
        PrerequisiteFailed: a read was rejected, so what it would have shown is unknown.
    """
    if admin_reads_rejected(view):
        raise PrerequisiteFailed("the admin may not read events")


def require_proven_admin(view: JudgmentView, request: Exchange) -> None:
    """Require evidence that the token is an admin's, if a purge was rejected with 401 or 403.

    Raises:
        Inconclusive: the purge was rejected, and only the settings say that the token is an admin's.
    """
    if request.status in UNAUTHORIZED_STATUSES and not is_proven_admin(view.full_evidence):
        reason = f"The purge was rejected ({request.status}), and nothing proves that the admin token is an admin's."
        raise Inconclusive(reason, Cause.AUTHENTICATION)
