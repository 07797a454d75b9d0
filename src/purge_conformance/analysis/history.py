"""What is followed through a whole run: the clock, the seeded events, the destroyed ones, who is an admin."""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import Inconclusive, NotExercised, target_responses
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.purge import PurgeObservation, group_by_app, require_purge_at_step
from purge_conformance.analysis.purge_series import observed_purges, snapshot_spans
from purge_conformance.analysis.rejected import UNEXPECTED_INPUTS
from purge_conformance.analysis.sequence import SCENARIO
from purge_conformance.catalogue.api import EVENTS_PATH, GET_OPERATION, LIST_OPERATION, event_path, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import OK, app_of_event, event_identity, read_listing, resources
from purge_conformance.evidence.records import CONCURRENT, INDUCED, RETRIED
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.clock import Offset
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

SUCCESS = 2  # the first digit of a status
MAX_CLOCK_DIFFERENCE = 60.0  # seconds between the clocks of a target and of what stands in front of it, at most
CREATED = 201
CREATED_STATUSES = {CREATED, 202}  # at once, or by a job


def target_clock_offset(view: JudgmentView) -> tuple[Offset, str] | None:
    """Return the target's clock against ours, and where that is known from; None where nothing tells.

    What dates answers may stand in front, with a clock of its own: where an event of a start that was just asked for is
    dated otherwise, by no more than a minute, the offset is as wide as both.
    """
    dates, event = clock.offset_from_dates(view.exchanges), _offset_from_start(view)
    if dates and event and 0 < max(event.lower - dates.upper, dates.lower - event.upper) <= MAX_CLOCK_DIFFERENCE:
        combined = clock.Offset(min(dates.lower, event.lower), max(dates.upper, event.upper))
        return combined, "its Date headers, and the event of a start that was just asked for"
    if dates:
        return dates, "its Date headers"
    return (event, "the event of a start that was just asked for") if event else None


def _offset_from_start(view: JudgmentView) -> Offset | None:
    for start in view.of("lifecycle", "start-idle"):
        guid = start.route.split("/")[3]
        rows = group_by_app(read_listing(view, "lifecycle", "start").rows, ()).get(guid, ())
        times = [moment for row in rows if (moment := clock.parse_rfc3339(row.get("created_at")))]
        if times:
            return clock.offset_from_event(min(times), start)
    return None


def seed_observations(view: JudgmentView) -> Iterator[tuple[Exchange, Exchange, Row]]:
    """Yield each sight of an event with an app's guid: the last purge before it, the page that shows it, the event.

    Of what was under way at once nobody knows what came before: the last purge is the last one that was alone. After a
    purge that left events of before nobody knows which of them it populated. Nor does anybody know whether success on a
    path spelt otherwise was a purge; one that nobody saw may always lie in between.
    """
    spans = view.cached(snapshot_spans)
    apps = {str(row.get("guid")) for look in spans for row in look.snapshot.apps.rows}
    incomplete = {
        purge.request.n for purge in (*observed_purges(view), *unexpected_input_purges(view)) if purge.surviving_events
    }
    purge: Exchange | None = None
    for x in (x for x in view.resource_exchanges() if CONCURRENT not in x.tags):
        if is_purge(x.method, x.path) and 200 <= (x.status or 0) < 300:  # noqa: PLR2004 -- success
            purge = x if x.step != "spelling" else purge
        elif is_purge(x.method, x.path) and INDUCED in x.tags:
            purge = None  # nobody knows what it left
        elif purge and purge.n not in incomplete:
            yield from ((purge, x, row) for row in resources(x) if row.get("guid") in apps)


def unexpected_input_purges(view: JudgmentView) -> list[PurgeObservation]:
    """Return each purge with an odd body or query that was ignored, between its looks."""
    return view.memoized(_find_unexpected_input_purges)


def _find_unexpected_input_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    for scenario, name in product(view.repetitions("odd"), UNEXPECTED_INPUTS):
        with suppress(Inconclusive, NotExercised):
            yield require_purge_at_step(view, scenario, name)


def gets_of_destroyed_events(view: JudgmentView) -> list[Exchange]:
    """Return each get of an event that a purge took from the list, by the same experiment before the next purge."""
    return view.memoized(_find_gets_of_destroyed_events)


def _find_gets_of_destroyed_events(view: JudgmentView) -> Iterator[Exchange]:
    purges = [x.n for x in view.resource_exchanges() if is_purge(x.method, x.path) and (x.status or 0) // 100 != 4]  # noqa: PLR2004 -- refused
    gets = [x for x in view.resource_exchanges() if x.method == "GET"]
    for trial in (*observed_purges(view), *unexpected_input_purges(view)):
        destroyed = set(trial.before.events.by_guid) - set(trial.after.events.by_guid)
        next_purge = next((n for n in purges if n > trial.request.n), sys.maxsize)
        candidates = [
            x for x in gets if trial.last_exchange < x.n < next_purge and x.experiment == trial.request.experiment
        ]
        yield from (x for x in candidates if x.guid in destroyed and x.path == event_path(x.guid))


def destroyed_events_found_by_filter(view: JudgmentView) -> Iterator[tuple[Exchange, Row]]:
    """Yield each event that the first purge took from the list, and that a filter or an order brings to light again."""
    for trial in observed_purges(view):
        if trial.request.experiment == "purge":
            before, after = trial.before.events.by_guid, trial.after.events.by_guid
            destroyed = {event_identity(row) for guid, row in before.items() if guid not in after}
            yield from (
                (x, row) for x in view.of("purge", "search") for row in resources(x) if event_identity(row) in destroyed
            )


def returns_requested_event(get: Exchange) -> bool:
    """Whether a get by guid shows the event."""
    return get.status == OK and isinstance(get.json, dict) and get.json.get("guid") == get.guid


def destroyed_guids(view: JudgmentView) -> dict[str, int]:
    """Return the guids that purges destroyed for good -> the number of the exchange that showed it.

    The guids of apps and processes are left out, and those that a purge populated: a later one may seed an event with
    the same guid again. So are those that the list lost while they could still be got: they have not vanished yet.
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


def complete_listings(view: JudgmentView) -> list[Listing]:
    """Return each quiet reading of the whole list of events that came to its end, in the order of the run.

    Left out are those that try the pages themselves: what stands on none of them is LIST-04's matter; and those of the
    random sequences, which delete apps: the events of these may go with them.
    """
    return view.memoized(_find_complete_listings)


def _find_complete_listings(view: JudgmentView) -> Iterator[Listing]:
    page_parameters = {"page", "per_page"}
    sequential = (
        x
        for x in view.resource_exchanges()
        if CONCURRENT not in x.tags and x.experiment != SCENARIO and not x.step.startswith("walk ")
    )
    steps = dict.fromkeys(
        (x.experiment, x.step) for x in sequential if x.route == EVENTS_PATH and set(x.query) <= page_parameters
    )
    for scenario, step in steps:
        listing = read_listing(view, scenario, step)
        if listing.complete and all(set(x.query) == page_parameters for x in listing.exchanges):
            yield listing


def undestroyed_events_per_list(view: JudgmentView) -> list[frozenset[str]]:
    """Return for each of the `whole_lists` the guids of recorded events that a purge before it should have destroyed.

    Where one of them goes after all, that is the late doing of the purge, or of a cache, and nothing else's.
    """
    return view.memoized(_find_undestroyed_events_per_list)


def _find_undestroyed_events_per_list(view: JudgmentView) -> Iterator[frozenset[str]]:
    purges = [x.n for x in view.resource_exchanges() if is_purge(x.method, x.path) and x.status == OK]
    known, undestroyed, last = set[str](), frozenset[str](), -1
    for listing in complete_listings(view):
        first = listing.exchanges[0].n
        if any(last < n < first for n in purges):
            undestroyed = frozenset(known)
        last = first
        known.update(guid for guid, row in listing.by_guid.items() if guid != app_of_event(row))
        yield undestroyed


def has_purge_between(view: JudgmentView, first: Exchange, last: Exchange) -> bool:
    """Whether a purge was answered with success between two exchanges, or one of several, or to fail, was sent.

    An admin's that the target did not answer may be done.
    """
    purges = [x for x in view.exchanges if first.n < x.n < last.n and is_purge(x.method, x.path)]
    unanswered = {x.n for x in purges if x.role == ADMIN} - {x.n for x in target_responses(purges)}
    return any(
        (x.status or 0) // 100 == SUCCESS or x.n in unanswered or {CONCURRENT, INDUCED} & x.tags.keys() for x in purges
    )


def recording_order(view: JudgmentView, opening: Listing) -> dict[str, int]:
    """Return each event's place in the order of recording: of the first reading since the last purge that saw it."""
    last = opening.exchanges[0]
    since = [found for found in complete_listings(view) if found.exchanges[0].n <= last.n]
    since = [found for found in since if not has_purge_between(view, found.exchanges[0], last)]
    key_sets = [{event_identity(row) for row in found.rows} for found in (*since, opening)]
    return {
        row["guid"]: next(n for n, sight in enumerate(key_sets) if event_identity(row) in sight) for row in opening.rows
    }


def admin_reads_rejected(view: JudgmentView) -> list[Exchange]:
    """Return the admin's plain reads of events that are there, and were refused for want of a right.

    A token that has come to its end denies nobody; an odd query may meet a firewall.
    """
    sent = [x for x in view.exchanges if x.role == ADMIN and RETRIED not in x.tags]
    last_success = max((x.n for x in sent if x.status in {OK, CREATED}), default=0)
    gets = [x for x in sent if x.step in {"get", "seeded"} and find_operation_id(x.method, x.path) == GET_OPERATION]
    lists = [
        x for x in sent if x.step not in {"odd", "headers"} and find_operation_id(x.method, x.path) == LIST_OPERATION
    ]
    plain = [x for x in [*gets, *lists] if x.tags.get("mode", "positive") == "positive" and x.n <= last_success]
    return [x for x in plain if x.status in {401, 403}]


def require_admin_reads(view: JudgmentView) -> None:
    """Return unless the admin was denied a read.

    Raises:
        Inconclusive: that is so; what the reads would have shown is open.
    """
    if admin_reads_rejected(view):
        raise Inconclusive("the admin may not read: see AUTH-08", Cause.TARGET)


def require_proven_admin(view: JudgmentView, request: Exchange) -> None:
    """Return unless a purge was refused and nothing but the user's word says that the token is an admin's.

    Raises:
        Inconclusive: that is so.
    """
    is_proven = view.header.settings.get("admin_scope") or any(
        x.status in CREATED_STATUSES for x in view.of("foundation", "create")
    )
    if request.status in {401, 403} and not is_proven:
        reason = f"the purge was refused ({request.status}), and nothing shows that the token given as admin is one"
        raise Inconclusive(reason, Cause.AUTHENTICATION)
