"""Purges of the suite that take effect after their answer: how late events disappear, and how late others appear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.purge_series import observed_purges
from purge_conformance.analysis.sightings import sightings
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence.listing import event_identity, resources

if TYPE_CHECKING:
    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange


def describe_late_destruction(evidence: Evidence, purge: PurgeObservation, event: Row) -> str:
    """Return how late an event disappeared that a purge left, for a finding; empty if it did not, or another purge did.

    It disappeared late if no purge lies between the last page that shows it and the first list that does not.
    """
    span = _find_disappearance(evidence, purge.request, event)
    if span is None:
        return ""
    listed, gone = (_seconds_after(purge.request, x) for x in span)
    return f"; it was still listed {listed:.1f} s after the purge's answer, and no longer {gone:.1f} s after it"


def describe_late_seed(evidence: Evidence, purge: PurgeObservation, app: str) -> str:
    """Return how late an app's seeded event appeared, for a finding; empty if it did not, or by another purge."""
    seen = evidence.cached(sightings)
    pages = [x for x in seen.pages if x.n > purge.last_exchange]
    known = event_identity(row) if (row := purge.before.events.by_guid.get(app)) else None
    shown = (x for x in pages if any(row["guid"] == app and event_identity(row) != known for row in resources(x)))
    first = next(shown, None)
    earlier = [state.last for state in seen.states if first and state.last < first.n]
    if first is None or _has_purge_between(evidence, max([purge.last_exchange, *earlier]), first.n):
        return ""
    return f"; it was listed {_seconds_after(purge.request, first):.1f} s after the purge's answer"


def longest_delay(evidence: Evidence) -> float:
    """Return how many seconds after its answer a purge of the suite destroyed events, at most; 0 if none was late."""
    delays = [
        _seconds_after(purge.request, span[1])
        for purge in observed_purges(JudgmentView(evidence))
        for event in purge.surviving_events.values()
        if (span := _find_disappearance(evidence, purge.request, event))
    ]
    return max(delays, default=0)


def _find_disappearance(evidence: Evidence, purge: Exchange, event: Row) -> tuple[Exchange, Exchange] | None:
    seen = evidence.cached(sightings)
    identity = event_identity(event)
    shown = [x for x in seen.pages if x.n > purge.n and any(event_identity(row) == identity for row in resources(x))]
    state = next((state for state in seen.states if shown and state.first > shown[-1].n), None)
    if state is None or _has_purge_between(evidence, shown[-1].n, state.first):
        return None
    (gone,) = evidence.numbered([state.first])
    return shown[-1], gone


def _has_purge_between(evidence: Evidence, first: int, last: int) -> bool:
    return any(first < x.n < last and is_purge(x.method, x.path) and not x.rejected for x in evidence.exchanges)


def _seconds_after(purge: Exchange, x: Exchange) -> float:
    return max(0.0, x.sent_at - purge.sent_at - purge.elapsed)
