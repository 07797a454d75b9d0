"""Baseline check: isolated purges must be correct before an effect is attributed to concurrency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.history import unexpected_input_purges
from purge_conformance.analysis.outcomes import PrerequisiteFailed
from purge_conformance.analysis.purge_series import observed_purges
from purge_conformance.evidence.listing import STARTED, dig

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView


def require_baseline(view: JudgmentView, *extra: PurgeObservation) -> None:
    """Require that every isolated purge of the run, and each of `extra`, is correct.

    Raises:
        PrerequisiteFailed: one is not.
    """
    own = single_process_apps(view)
    if any(_is_incorrect(purge, own) for purge in (*_isolated_purges(view), *extra)):
        raise PrerequisiteFailed("isolated purges already fail")


def seeded_instances_match(view: JudgmentView) -> bool:
    """Whether every event that an isolated purge seeded has the instance count of its app, if it has one at all."""
    return all(_instances_match(purge, app) for purge in _isolated_purges(view) for app in purge.started_apps)


def _isolated_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield the successful purges between two snapshots that nothing was concurrent with."""
    yield from observed_purges(view)
    yield from unexpected_input_purges(view)


def _is_incorrect(purge: PurgeObservation, own: Collection[str]) -> bool:
    new_events = purge.new_events_by_app(exclude_changes=True)
    stopped = {app for app, state in purge.apps.items() if state != STARTED}
    seeds = {row["guid"] for row in purge.after.events.rows if row["guid"] == dig(row, "app", "guid")}
    return bool(
        purge.surviving_events
        or purge.duplicate_seeds(own)
        or stopped & set(new_events)
        or set(purge.started_apps) - seeds
    )


def _instances_match(purge: PurgeObservation, app: str) -> bool:
    event_instances = dig(purge.after.events.by_guid.get(app, {}), "instance_count", "current")
    process_instances = [row.get("instances") for row in purge.after.processes_of(app)]
    return event_instances is None or len(process_instances) != 1 or event_instances == process_instances[0]
