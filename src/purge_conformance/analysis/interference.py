"""What other clients changed on the target during the run; `foreign_purges` finds their purges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import created_apps
from purge_conformance.evidence.listing import (
    RUN_LABEL,
    app_of_event,
    app_of_process,
    dig,
    is_change_event,
    snapshots,
)

if TYPE_CHECKING:
    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Evidence


def count_changing_apps(evidence: Evidence) -> tuple[int, int]:
    """Return the number of other clients' apps during the run, and how many of them changed."""
    own_guids = created_apps(evidence)
    complete = [span.snapshot for span in evidence.cached(snapshots) if span.snapshot.apps.complete]
    states = [
        {guid: state for guid, state in _foreign_app_states(snapshot).items() if guid not in own_guids}
        for snapshot in complete
    ]
    app_guids = {guid for by_guid in states for guid in by_guid}
    changed_guids = {
        guid for before, after in pairwise(states) for guid in app_guids if before.get(guid) != after.get(guid)
    }
    return len(app_guids), len(changed_guids)


def is_deleted_since(evidence: Evidence, purge: PurgeObservation, app: str | None) -> bool:
    """Whether an app that no list around a purge shows may have existed at the purge, and been deleted since by others.

    It may if it has no event from before the purge, and an event since then records a change of it.
    """
    if app is None or app in created_apps(evidence) or app in map(app_of_event, purge.before.events.rows):
        return False
    later = (span.snapshot.events for span in evidence.cached(snapshots) if span.last > purge.request.n)
    return any(app_of_event(row) == app and is_change_event(row) for events in later for row in events.rows)


def is_of_deleted_app(evidence: Evidence, event: Row, number: int) -> bool:
    """Whether the app of an event is no longer listed after an exchange: its events may be deleted with it."""
    app = app_of_event(event)
    later = (span.snapshot.apps for span in evidence.cached(snapshots) if span.first > number)
    apps = next((apps for apps in later if apps.complete), None)
    return app is not None and apps is not None and app not in apps.by_guid


def _foreign_app_states(snapshot: Snapshot) -> dict[str, tuple[object, ...]]:
    """Return guid -> state and size of each app without the suite's label."""
    return {
        guid: _app_state(snapshot, row)
        for guid, row in snapshot.apps.by_guid.items()
        if not dig(row, "metadata", "labels", RUN_LABEL)
    }


def _app_state(snapshot: Snapshot, app: Row) -> tuple[object, ...]:
    processes = [row for row in snapshot.processes_of(app["guid"]) if app_of_process(row)]
    sizes = sorted((str(row.get("guid")), str(row.get("instances")), str(row.get("memory_in_mb"))) for row in processes)
    return app.get("state"), app.get("updated_at"), tuple(sizes)
