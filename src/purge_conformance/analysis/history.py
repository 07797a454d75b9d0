"""What is followed through a whole run: the clock, the seeded events, the destroyed ones, who is an admin."""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import Inconclusive, NotExercised, answered
from purge_conformance.analysis.openapi import operation_of
from purge_conformance.analysis.purge import Purged, by_app, purged_by
from purge_conformance.analysis.purge_series import looks_of, observed
from purge_conformance.analysis.rejected import ODD_REQUESTS
from purge_conformance.analysis.sequence import EXPERIMENT
from purge_conformance.catalogue.api import EVENTS_PATH, GET_OPERATION, LIST_OPERATION, event_path, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import OK, app_of_event, event_identity, read_listing, resources
from purge_conformance.evidence.records import CONCURRENT, INDUCED, RETRIED
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.clock import Offset
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

SUCCESS = 2  # the first digit of a status
APART = 60.0  # seconds between the clocks of a target and of what stands in front of it, at most
CREATED = 201
MADE = {CREATED, 202}  # at once, or by a job


def offset(seen: Seen) -> tuple[Offset, str] | None:
    """Return the target's clock against ours, and where that is known from; None where nothing tells.

    What dates answers may stand in front, with a clock of its own: where an event of a start that was just asked for is
    dated otherwise, by no more than a minute, the offset is as wide as both.
    """
    dates, event = clock.offset_from_dates(seen.exchanges), _of_start(seen)
    if dates and event and 0 < max(event.lower - dates.upper, dates.lower - event.upper) <= APART:
        both = clock.Offset(min(dates.lower, event.lower), max(dates.upper, event.upper))
        return both, "its Date headers, and the event of a start that was just asked for"
    if dates:
        return dates, "its Date headers"
    return (event, "the event of a start that was just asked for") if event else None


def _of_start(seen: Seen) -> Offset | None:
    for start in seen.of("lifecycle", "start-idle"):
        guid = start.route.split("/")[3]
        rows = by_app(read_listing(seen, "lifecycle", "start").rows, ()).get(guid, ())
        times = [moment for row in rows if (moment := clock.parse_rfc3339(row.get("created_at")))]
        if times:
            return clock.offset_from_event(min(times), start)
    return None


def seeded_events(seen: Seen) -> Iterator[tuple[Exchange, Exchange, Row]]:
    """Yield each sight of an event with an app's guid: the last purge before it, the page that shows it, the event.

    Of what was under way at once nobody knows what came before: the last purge is the last one that was alone. After a
    purge that left events of before nobody knows which of them it populated. Nor does anybody know whether success on a
    path spelt otherwise was a purge; one that nobody saw may always lie in between.
    """
    looks = seen.cached(looks_of)
    apps = {str(row.get("guid")) for look in looks for row in look.saw.apps.rows}
    half = {purge.request.n for purge in (*observed(seen), *odd_purges(seen)) if purge.kept}
    purge: Exchange | None = None
    for x in (x for x in seen.resource() if CONCURRENT not in x.tags):
        if is_purge(x.method, x.path) and 200 <= (x.status or 0) < 300:  # noqa: PLR2004 -- success
            purge = x if x.step != "spelling" else purge
        elif is_purge(x.method, x.path) and INDUCED in x.tags:
            purge = None  # nobody knows what it left
        elif purge and purge.n not in half:
            yield from ((purge, x, row) for row in resources(x) if row.get("guid") in apps)


def odd_purges(seen: Seen) -> list[Purged]:
    """Return each purge with an odd body or query that was ignored, between its looks."""
    return seen.remembered(_odd_purges)


def _odd_purges(seen: Seen) -> Iterator[Purged]:
    for experiment, name in product(seen.repetitions("odd"), ODD_REQUESTS):
        with suppress(Inconclusive, NotExercised):
            yield purged_by(seen, experiment, name)


def gets_of_destroyed(seen: Seen) -> list[Exchange]:
    """Return each get of an event that a purge took from the list, by the same experiment before the next purge."""
    return seen.remembered(_gets_of_destroyed)


def _gets_of_destroyed(seen: Seen) -> Iterator[Exchange]:
    purges = [x.n for x in seen.resource() if is_purge(x.method, x.path) and (x.status or 0) // 100 != 4]  # noqa: PLR2004 -- refused
    gets = [x for x in seen.resource() if x.method == "GET"]
    for trial in (*observed(seen), *odd_purges(seen)):
        gone = set(trial.before.events.by_guid) - set(trial.after.events.by_guid)
        end = next((n for n in purges if n > trial.request.n), sys.maxsize)
        asked = [x for x in gets if trial.last < x.n < end and x.experiment == trial.request.experiment]
        yield from (x for x in asked if x.guid in gone and x.path == event_path(x.guid))


def dug_up(seen: Seen) -> Iterator[tuple[Exchange, Row]]:
    """Yield each event that the first purge took from the list, and that a filter or an order brings to light again."""
    for trial in observed(seen):
        if trial.request.experiment == "purge":
            before, after = trial.before.events.by_guid, trial.after.events.by_guid
            gone = {event_identity(row) for guid, row in before.items() if guid not in after}
            yield from (
                (x, row) for x in seen.of("purge", "search") for row in resources(x) if event_identity(row) in gone
            )


def is_shown(get: Exchange) -> bool:
    """Whether a get by guid shows the event."""
    return get.status == OK and isinstance(get.json, dict) and get.json.get("guid") == get.guid


def vanished(seen: Seen) -> dict[str, int]:
    """Return the guids that purges destroyed for good -> the number of the exchange that showed it.

    The guids of apps and processes are left out, and those that a purge populated: a later one may seed an event with
    the same guid again. So are those that the list lost while they could still be got: they have not vanished yet.
    """
    gone: dict[str, int] = {}
    reusable = {x.guid for x in gets_of_destroyed(seen) if is_shown(x)}
    for purge in sorted([*observed(seen), *odd_purges(seen)], key=lambda purge: purge.request.n):
        reusable |= set(purge.populated_before)
        for look in (purge.before, purge.after):
            reusable |= set(look.apps.by_guid) | set(look.processes.by_guid)
        for guid in set(purge.before.events.by_guid) - set(purge.after.events.by_guid):
            gone.setdefault(guid, purge.last)
    return {guid: n for guid, n in gone.items() if guid not in reusable}


def whole_lists(seen: Seen) -> list[Listing]:
    """Return each quiet reading of the whole list of events that came to its end, in the order of the run.

    Left out are those that try the pages themselves: what stands on none of them is LIST-04's matter; and those of the
    random sequences, which delete apps: the events of these may go with them.
    """
    return seen.remembered(_whole_lists)


def _whole_lists(seen: Seen) -> Iterator[Listing]:
    plain = {"page", "per_page"}
    quiet = (
        x
        for x in seen.resource()
        if CONCURRENT not in x.tags and x.experiment != EXPERIMENT and not x.step.startswith("walk ")
    )
    steps = dict.fromkeys((x.experiment, x.step) for x in quiet if x.route == EVENTS_PATH and set(x.query) <= plain)
    for experiment, step in steps:
        found = read_listing(seen, experiment, step)
        if found.complete and all(set(x.query) == plain for x in found.exchanges):
            yield found


def overdue_at(seen: Seen) -> list[frozenset[str]]:
    """Return for each of the `whole_lists` the guids of recorded events that a purge before it should have destroyed.

    Where one of them goes after all, that is the late doing of the purge, or of a cache, and nothing else's.
    """
    return seen.remembered(_overdue_at)


def _overdue_at(seen: Seen) -> Iterator[frozenset[str]]:
    purges = [x.n for x in seen.resource() if is_purge(x.method, x.path) and x.status == OK]
    known, overdue, last = set[str](), frozenset[str](), -1
    for found in whole_lists(seen):
        first = found.exchanges[0].n
        if any(last < n < first for n in purges):
            overdue = frozenset(known)
        last = first
        known.update(guid for guid, row in found.by_guid.items() if guid != app_of_event(row))
        yield overdue


def purges_between(seen: Seen, first: Exchange, last: Exchange) -> bool:
    """Whether a purge was answered with success between two exchanges, or one of several, or to fail, was sent.

    An admin's that the target did not answer may be done.
    """
    between = [x for x in seen.exchanges if first.n < x.n < last.n and is_purge(x.method, x.path)]
    unanswered = {x.n for x in between if x.role == ADMIN} - {x.n for x in answered(between)}
    return any(
        (x.status or 0) // 100 == SUCCESS or x.n in unanswered or {CONCURRENT, INDUCED} & x.tags.keys() for x in between
    )


def recorded(seen: Seen, opening: Listing) -> dict[str, int]:
    """Return each event's place in the order of recording: of the first reading since the last purge that saw it."""
    last = opening.exchanges[0]
    since = [found for found in whole_lists(seen) if found.exchanges[0].n <= last.n]
    since = [found for found in since if not purges_between(seen, found.exchanges[0], last)]
    sights = [{event_identity(row) for row in found.rows} for found in (*since, opening)]
    return {
        row["guid"]: next(n for n, sight in enumerate(sights) if event_identity(row) in sight) for row in opening.rows
    }


def denied(seen: Seen) -> list[Exchange]:
    """Return the admin's plain reads of events that are there, and were refused for want of a right.

    A token that has come to its end denies nobody; an odd query may meet a firewall.
    """
    sent = [x for x in seen.exchanges if x.role == ADMIN and RETRIED not in x.tags]
    held = max((x.n for x in sent if x.status in {OK, CREATED}), default=0)
    gets = [x for x in sent if x.step in {"get", "seeded"} and operation_of(x.method, x.path) == GET_OPERATION]
    lists = [x for x in sent if x.step not in {"odd", "headers"} and operation_of(x.method, x.path) == LIST_OPERATION]
    plain = [x for x in [*gets, *lists] if x.tags.get("mode", "positive") == "positive" and x.n <= held]
    return [x for x in plain if x.status in {401, 403}]


def may_read(seen: Seen) -> None:
    """Return unless the admin was denied a read.

    Raises:
        Inconclusive: that is so; what the reads would have shown is open.
    """
    if denied(seen):
        raise Inconclusive("the admin may not read: see AUTH-08", Cause.TARGET)


def proven_admin(seen: Seen, request: Exchange) -> None:
    """Return unless a purge was refused and nothing but the user's word says that the token is an admin's.

    Raises:
        Inconclusive: that is so.
    """
    proven = seen.header.settings.get("admin_scope") or any(x.status in MADE for x in seen.of("foundation", "create"))
    if request.status in {401, 403} and not proven:
        reason = f"the purge was refused ({request.status}), and nothing shows that the token given as admin is one"
        raise Inconclusive(reason, Cause.AUTHENTICATION)
