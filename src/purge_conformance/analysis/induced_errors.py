"""Errors that a hook induces: which occurred, what they left, and why others did not occur."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import across_rounds, require_complete, to_sentence
from purge_conformance.analysis.next_steps import FIX_HOOK, GIVE_HOOK
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.purge import PurgeObservation, find_reseeded_guids
from purge_conformance.analysis.rejected import Attempt, is_by_retention_job
from purge_conformance.analysis.retention import may_delete
from purge_conformance.analysis.view import target_responses
from purge_conformance.evidence import notes
from purge_conformance.evidence.induced import INDUCED_STATUSES
from purge_conformance.evidence.listing import (
    app_of_event,
    event_identity,
    first_page,
    listing_of,
    snapshot_at,
    stable_apps,
)
from purge_conformance.evidence.steps import Part, Scenario, Step, Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

FAILURES = {str(HTTPStatus.SERVICE_UNAVAILABLE.value), str(HTTPStatus.INTERNAL_SERVER_ERROR.value)}
CONFLICT_TAG = str(HTTPStatus.CONFLICT.value)


def is_induced_error(exchange: Exchange) -> bool:
    """Whether a response has the error status that the hook induced."""
    return exchange.tags.get(Tag.INDUCED) == str(exchange.status)


def raise_if_not_induced(view: JudgmentView, *statuses: int) -> None:
    """Raise if an error with one of these statuses was not induced; return if a hook was not asked for it.

    Raises:
        Inconclusive: the hook failed.
        NotExercised: the hook does not support the state, or it had no visible effect; or there is no hook.
    """
    reasons = [note for note in view.noted(notes.NOT_INDUCED, Scenario.INDUCED_ERRORS) if note.status in statuses]
    for note in sorted(reasons, key=lambda note: not note.failed):
        if note.failed:
            raise Inconclusive(to_sentence(note.reason), Cause.CONFIGURATION, FIX_HOOK)
        raise NotExercised(to_sentence(note.reason), Cause.CONFIGURATION, FIX_HOOK)
    if set(INDUCED_STATUSES) & set(statuses) and not view.header.settings.get("hook"):
        raise NotExercised(f"No response had the status {statuses[0]}.", Cause.CONFIGURATION, GIVE_HOOK)


def conflicting_purges(view: JudgmentView) -> list[Attempt]:
    """Return the purges that were answered with an induced conflict, each between two first pages of the list."""
    attempts = []
    for span in view.spans(Scenario.INDUCED_ERRORS):
        before, after = (first_page(view, side, Part.EVENTS) for side in (span.before, span.after))
        sent = [x for x in view.numbered(span.requests) if x.tags.get(Tag.INDUCED) == CONFLICT_TAG]
        attempts += [Attempt(x, before, after) for x in sent if is_induced_error(x) and before and after]
    return [attempt for attempt in attempts if not is_by_retention_job(view, attempt)]


def failed_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield each purge that was induced to fail, between two snapshots, as if it had succeeded.

    Raises:
        Inconclusive: the lists could not be read.
    """
    return across_rounds(view, Scenario.INDUCED_ERRORS, _failed_purges)


def _failed_purges(view: JudgmentView, number: int) -> Iterator[PurgeObservation]:
    snapshots = [snapshot_at(view, Scenario.INDUCED_ERRORS, step, number) for step in (Step.OPENING, Step.CLOSING)]
    for span in view.spans(Scenario.INDUCED_ERRORS, round=number):
        listings = [listing_of(view, side, Part.EVENTS) for side in (span.before, span.after)]
        before, after = (replace(snapshot, events=events) for snapshot, events in zip(snapshots, listings, strict=True))
        for x in target_responses(view.numbered(span.requests)):
            if x.tags.get(Tag.INDUCED) in FAILURES and is_induced_error(x):
                for snapshot in (before, after):
                    require_complete(snapshot.events, "events")
                    require_complete(snapshot.apps, "apps")
                apps, reseeded = stable_apps(before, after, own_apps(view)), view.cached(find_reseeded_guids)
                yield PurgeObservation(x, before, after, apps, seeded_earlier=reseeded)


def is_rolled_back(view: JudgmentView, purge: PurgeObservation) -> bool:
    """Whether a purge left the events unchanged: none disappeared, and none is new that only a purge creates.

    What disappears may be what a retention job deletes.
    """
    before, after = _keys(purge.before.events), _keys(purge.after.events)
    seeds = {event_identity(row) for row in purge.after.events.rows if row["guid"] == app_of_event(row)}
    lost = before - after
    return seeds <= before and (not lost or may_delete(view, len(lost)))


def _keys(events: Listing) -> set[tuple[str, str]]:
    return {event_identity(row) for row in events.rows}
