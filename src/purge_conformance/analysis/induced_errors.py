"""Errors that a hook was asked to provoke: those that came, what they left, and why others did not come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import Inconclusive, NotExercised, answered, each_time, readable
from purge_conformance.analysis.purge import Purged
from purge_conformance.analysis.rejected import Attempt
from purge_conformance.evidence.listing import app_of_event, event_identity, read_listing, read_snapshot, stable_apps
from purge_conformance.evidence.records import INDUCED
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

EXPERIMENT = "provoked"
BEFORE = {409: "before", 503: "conflict", 500: "unavailable"}  # status of a purge -> the look before it
AFTER = {409: "conflict", 503: "unavailable", 500: "after"}


def came(exchange: Exchange) -> bool:
    """Whether an error was provoked, and came."""
    return exchange.tags.get(INDUCED) == str(exchange.status)


def missing(seen: Seen, *statuses: int) -> None:
    """Return if nobody was asked to provoke an error with one of these statuses.

    Raises:
        Inconclusive: the hook failed.
        NotExercised: it does not know the state, or what it did was not seen; or there is none.
    """
    times = seen.repetitions(EXPERIMENT)
    asked = [note.value for note in seen.notes if note.experiment in times and isinstance(note.value, dict)]
    reasons = [value for value in asked if value.get("status") in statuses]
    for value in sorted(reasons, key=lambda value: not value["failed"]):
        if value["failed"]:
            raise Inconclusive(value["reason"], Cause.CONFIGURATION)
        raise NotExercised(value["reason"], Cause.CONFIGURATION)
    if BEFORE.keys() & statuses and not seen.header.settings.get("hook"):
        raise NotExercised(
            f"no answer had the status {statuses[0]}; a hook can provoke one: --hook", Cause.CONFIGURATION
        )


def conflicts(seen: Seen) -> list[Attempt]:
    """Return the purges that were answered with a conflict, each between two looks at the first page of the list."""
    found = []
    for experiment in seen.repetitions(EXPERIMENT):
        before, after = (seen.of(experiment, f"{look}.events")[:1] for look in (BEFORE[409], AFTER[409]))
        sent = [x for x in seen.of(experiment, "purge 409") if came(x)]
        found += [Attempt(x, *before, *after) for x in sent if before and after]
    return found


def failures(seen: Seen) -> Iterator[Purged]:
    """Yield each purge that was provoked to fail, between two looks, as if it had succeeded.

    Raises:
        Inconclusive: the lists could not be read.
    """
    return each_time(seen, EXPERIMENT, _failures)


def _failures(seen: Seen, experiment: str) -> Iterator[Purged]:
    whole = [read_snapshot(seen, experiment, look) for look in ("before", "after")]
    for x in answered(seen.of(experiment, "purge 503", "purge 500")):
        if came(x) and x.status:
            looks = [read_listing(seen, experiment, f"{look[x.status]}.events") for look in (BEFORE, AFTER)]
            before, after = (replace(there, events=events) for there, events in zip(whole, looks, strict=True))
            for listing in (*looks, before.apps, after.apps):
                readable(listing, "lists")
            yield Purged(x, before, after, stable_apps(before, after, own_apps(seen)))


def is_undone(purge: Purged) -> bool:
    """Whether a purge left everything as it was: no event is gone, and none is there that only a purge makes."""
    before, after = _keys(purge.before.events), _keys(purge.after.events)
    seeds = {event_identity(row) for row in purge.after.events.rows if row["guid"] == app_of_event(row)}
    return before <= after and seeds <= before


def _keys(events: Listing) -> set[tuple[str, str]]:
    return {event_identity(row) for row in events.rows}
