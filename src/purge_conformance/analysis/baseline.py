"""Whether purges do right by themselves, so that what several leave, or one beside changes, is put down to haste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.assertions import Inconclusive
from purge_conformance.analysis.history import unexpected_input_purges
from purge_conformance.analysis.purge_series import observed_purges
from purge_conformance.evidence.listing import STARTED, dig
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.analysis.purge import PurgeObservation


def require_baseline(view: JudgmentView, *extra: PurgeObservation) -> None:
    """Return if every purge of the run that was alone did what a purge does, and these too.

    Raises:
        Inconclusive: one did not.
    """
    own = single_process_apps(view)
    if any(_is_incorrect(found, own) for found in (*_isolated_purges(view), *extra)):
        raise Inconclusive("a purge by itself is no whole purge either: see PURGE-03, SEED and AGAIN", Cause.TARGET)


def seeded_instances_match(view: JudgmentView) -> bool:
    """Whether every seeded event of a purge that was alone shows the instances of its app, if it shows any."""
    return all(_instances_match(found, app) for found in _isolated_purges(view) for app in found.started_apps)


def _isolated_purges(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield the purges that were alone, succeeded, and stand between two looks."""
    yield from observed_purges(view)
    yield from unexpected_input_purges(view)


def _is_incorrect(purge: PurgeObservation, own: Collection[str]) -> bool:
    populated = purge.new_events_by_app(exclude_changes=True)
    stopped = {app for app, state in purge.apps.items() if state != STARTED}
    seeds = {row["guid"] for row in purge.after.events.rows if row["guid"] == dig(row, "app", "guid")}
    return bool(
        purge.surviving_events
        or purge.duplicate_seeds(own)
        or stopped & set(populated)
        or set(purge.started_apps) - seeds
    )


def _instances_match(purge: PurgeObservation, app: str) -> bool:
    event_instances = dig(purge.after.events.by_guid.get(app, {}), "instance_count", "current")
    process_instances = [row.get("instances") for row in purge.after.processes_of(app)]
    return event_instances is None or len(process_instances) != 1 or event_instances == process_instances[0]
