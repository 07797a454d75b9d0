"""Errors that a hook was asked to provoke: those that came, what they left, and why others did not come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    across_repetitions,
    require_complete,
    target_responses,
)
from purge_conformance.analysis.purge import PurgeObservation
from purge_conformance.analysis.rejected import Attempt
from purge_conformance.evidence.listing import app_of_event, event_identity, read_listing, read_snapshot, stable_apps
from purge_conformance.evidence.records import INDUCED
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

SCENARIO = "provoked"
LISTING_BEFORE = {409: "before", 503: "conflict", 500: "unavailable"}  # status of a purge -> the look before it
LISTING_AFTER = {409: "conflict", 503: "unavailable", 500: "after"}


def is_induced_error(exchange: Exchange) -> bool:
    """Whether an error was provoked, and came."""
    return exchange.tags.get(INDUCED) == str(exchange.status)


def raise_if_not_induced(view: JudgmentView, *statuses: int) -> None:
    """Return if nobody was asked to provoke an error with one of these statuses.

    Raises:
        Inconclusive: the hook failed.
        NotExercised: it does not know the state, or what it did was not seen; or there is none.
    """
    times = view.repetitions(SCENARIO)
    notes = [note.value for note in view.notes if note.experiment in times and isinstance(note.value, dict)]
    reasons = [value for value in notes if value.get("status") in statuses]
    for value in sorted(reasons, key=lambda value: not value["failed"]):
        if value["failed"]:
            raise Inconclusive(value["reason"], Cause.CONFIGURATION)
        raise NotExercised(value["reason"], Cause.CONFIGURATION)
    if LISTING_BEFORE.keys() & statuses and not view.header.settings.get("hook"):
        raise NotExercised(
            f"no answer had the status {statuses[0]}; a hook can provoke one: --hook", Cause.CONFIGURATION
        )


def conflicting_purges(view: JudgmentView) -> list[Attempt]:
    """Return the purges that were answered with a conflict, each between two looks at the first page of the list."""
    found = []
    for scenario in view.repetitions(SCENARIO):
        before, after = (view.of(scenario, f"{look}.events")[:1] for look in (LISTING_BEFORE[409], LISTING_AFTER[409]))
        sent = [x for x in view.of(scenario, "purge 409") if is_induced_error(x)]
        found += [Attempt(x, *before, *after) for x in sent if before and after]
    return found


def failed_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield each purge that was provoked to fail, between two looks, as if it had succeeded.

    Raises:
        Inconclusive: the lists could not be read.
    """
    return across_repetitions(view, SCENARIO, _failed_purges)


def _failed_purges(view: JudgmentView, scenario: str) -> Iterator[PurgeObservation]:
    snapshots = [read_snapshot(view, scenario, look) for look in ("before", "after")]
    for x in target_responses(view.of(scenario, "purge 503", "purge 500")):
        if is_induced_error(x) and x.status:
            listings = [
                read_listing(view, scenario, f"{look[x.status]}.events") for look in (LISTING_BEFORE, LISTING_AFTER)
            ]
            before, after = (replace(there, events=events) for there, events in zip(snapshots, listings, strict=True))
            for listing in (*listings, before.apps, after.apps):
                require_complete(listing, "lists")
            yield PurgeObservation(x, before, after, stable_apps(before, after, own_apps(view)))


def is_rolled_back(purge: PurgeObservation) -> bool:
    """Whether a purge left everything as it was: no event is gone, and none is there that only a purge makes."""
    before, after = _keys(purge.before.events), _keys(purge.after.events)
    seeds = {event_identity(row) for row in purge.after.events.rows if row["guid"] == app_of_event(row)}
    return before <= after and seeds <= before


def _keys(events: Listing) -> set[tuple[str, str]]:
    return {event_identity(row) for row in events.rows}
