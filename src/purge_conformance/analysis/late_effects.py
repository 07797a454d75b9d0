"""Purges of the suite that take effect after their answer: how late events disappear, and how late others appear."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from purge_conformance.analysis.event_lists import own_purges
from purge_conformance.analysis.outcomes import PrerequisiteFailed
from purge_conformance.analysis.purge_series import observed_purges
from purge_conformance.analysis.sightings import SAME_SECOND_S, sightings
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence.listing import event_identity, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    page = _find_late_seed(evidence, purge, app)
    return f"; it was listed {_seconds_after(purge.request, page):.1f} s after the purge's answer" if page else ""


def longest_delay(evidence: Evidence) -> float:
    """Return how many seconds after its answer a purge destroyed or seeded, at most; 0 if none was late."""
    return evidence.cached(_find_longest_delay)


def may_be_late(evidence: Evidence, x: Exchange) -> bool:
    """Whether the last purge before an exchange may take effect only after it, as one of the run was that late."""
    delay = longest_delay(evidence)
    purge = next((purge for purge in reversed(own_purges(evidence)) if purge.n < x.n), None)
    return bool(purge and delay and _seconds_after(purge, x) <= delay + SAME_SECOND_S)


def require_not_late(evidence: Evidence, x: Exchange) -> None:
    """Require that no purge before an exchange takes effect after it.

    Raises:
        PrerequisiteFailed: one may, so a change after the exchange may be its effect.
    """
    if may_be_late(evidence, x):
        require_no_delay(evidence)


def require_no_delay(evidence: Evidence) -> None:
    """Require that no purge of the run took effect after its answer.

    Raises:
        PrerequisiteFailed: one did, so a change without a purge may be its effect.
    """
    if longest_delay(evidence):
        raise PrerequisiteFailed("a purge took effect only after its answer")


def _find_longest_delay(evidence: Evidence) -> float:
    return max(chain.from_iterable(_delays(evidence, p) for p in observed_purges(JudgmentView(evidence))), default=0)


def _delays(evidence: Evidence, purge: PurgeObservation) -> Iterator[float]:
    """Yield how many seconds after its answer a purge destroyed each event that it left, and seeded each app."""
    spans = (_find_disappearance(evidence, purge.request, event) for event in purge.surviving_events.values())
    seeds = (_find_late_seed(evidence, purge, app) for app in purge.started_apps if app in purge.constant_apps)
    for shown in (*(span[1] for span in spans if span), *filter(None, seeds)):
        yield _seconds_after(purge.request, shown)


def _find_late_seed(evidence: Evidence, purge: PurgeObservation, app: str) -> Exchange | None:
    """Return the first page that shows the event of an app which a purge seeded late; None if it was not late."""
    if app in purge.new_events_by_app():
        return None
    seen = evidence.cached(sightings)
    pages = [x for x in seen.pages if x.n > purge.last_exchange]
    known = event_identity(row) if (row := purge.before.events.by_guid.get(app)) else None
    shown = (x for x in pages if any(row["guid"] == app and event_identity(row) != known for row in resources(x)))
    first = next(shown, None)
    earlier = [state.last for state in seen.states if first and state.last < first.n]
    if first is None or _has_purge_between(evidence, max([purge.last_exchange, *earlier]), first.n):
        return None
    return first


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
