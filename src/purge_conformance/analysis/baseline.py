"""Baseline check: isolated purges must be correct before an effect is attributed to concurrency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.history import unexpected_input_purges
from purge_conformance.analysis.outcomes import PrerequisiteFailed
from purge_conformance.analysis.purge_series import find_unusual_apps, observed_purges
from purge_conformance.evidence.listing import dig

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView


def require_baseline(view: JudgmentView, *extra: PurgeObservation) -> frozenset[str]:
    """Require that every isolated purge of the run, and each of `extra`, is correct for the apps that are judged.

    Returns:
        the apps of other clients that one of them treats incorrectly, for example one whose process was replaced by a
        rolling deployment. They are left out where something else is judged; SEED names them.

    Raises:
        PrerequisiteFailed: one is not, for events from before, for an own app of the suite, or for every started app.
    """
    purges = [*_isolated_purges(view), *extra]
    unusual = find_unusual_apps(view, purges)
    if unusual is None or any(purge.surviving_events for purge in purges):
        raise PrerequisiteFailed("isolated purges already fail")
    return unusual


def seeded_instances_match(view: JudgmentView, unusual: Collection[str]) -> bool:
    """Whether every event that an isolated purge seeded has the instance count of its app, if it has one at all.

    The apps in `unusual` are left out.
    """
    return all(
        _instances_match(purge, app)
        for purge in _isolated_purges(view)
        for app in purge.started_apps
        if app not in unusual
    )


def _isolated_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield the successful purges between two snapshots that nothing was concurrent with."""
    yield from observed_purges(view)
    yield from unexpected_input_purges(view)


def _instances_match(purge: PurgeObservation, app: str) -> bool:
    event_instances = dig(purge.after.events.by_guid.get(app, {}), "instance_count", "current")
    process_instances = [row.get("instances") for row in purge.after.processes_of(app)]
    return event_instances is None or len(process_instances) != 1 or event_instances == process_instances[0]
