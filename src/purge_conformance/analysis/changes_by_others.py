"""Changes of the suite's own apps that others made, as events show that no request of the suite explains."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps, state_changing_requests
from purge_conformance.analysis.app_states import describe_app
from purge_conformance.catalogue.api import EVENTS_PATH, guid_in_path, is_purge
from purge_conformance.evidence.listing import (
    APPS,
    STARTED,
    STOPPED,
    app_of_event,
    dig,
    is_change_event,
    is_crash_event,
    resources,
    snapshots,
)
from purge_conformance.evidence.steps import Tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.evidence.listing import Listing, Row, Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange

ACTIONS = {STARTED: ("actions/start", "actions/restart"), STOPPED: ("actions/stop", "actions/restart")}
MAX_PURGES = 2  # with which others change an app by chance
MIN_UNCHANGED = 2  # purges that left an app as it was, so that the one change of it was not due to its state


def was_set_by_others(evidence: Evidence, listing: Listing, app: str, state: str) -> bool:
    """Whether a list shows more changes of an app to a state than the suite requested until then.

    Requests count from the last purge but one on: a change may be recorded late, and so after the last purge.
    """
    last = listing.exchanges[-1].n if listing.exchanges else 0
    requests = [x for x in evidence.cached(state_changing_requests) if x.n < last]
    purges = [x.n for x in requests if is_purge(x.method, x.path) and x.status == HTTPStatus.OK]
    since = purges[-2] if len(purges) > 1 else 0
    requested = sum(x.n > since and _may_set(x, app, state) for x in requests)
    return len(_changes_to(listing.rows, app, state)) > requested


def changes_by_others(
    evidence: Evidence, purges: Sequence[PurgeObservation], changed: dict[int, set[str]]
) -> set[tuple[int, str]]:
    """Return those of the changed own apps that others changed around a purge: number of the purge, app.

    An event records such a change as an ordinary one. What comes with each purge, or with several, or changes several
    apps at once, is the purge's all the same.

    Args:
        evidence: that of the run.
        purges: the observed purges.
        changed: number of a purge -> the apps that differ before and after it.
    """
    if len(changed) > min(MAX_PURGES, max(1, len(purges) - 1)) or any(len(apps) > 1 for apps in changed.values()):
        return set()
    return {
        (purge.request.n, app)
        for purge in purges
        for app in changed.get(purge.request.n, ())
        if _is_recorded(evidence, purge, app)
    }


def single_change(purges: Sequence[PurgeObservation], changed: Mapping[int, set[str]]) -> tuple[int, str] | None:
    """Return the only change of an own app around any purge, if other purges left the app as it was before: purge, app.

    No event need record it: the purge may have destroyed the event before a list showed it. What changes an app
    whenever it is in that state changes it with those purges, too.

    Args:
        purges: the observed purges.
        changed: number of a purge -> the apps that differ before and after it, and of which no event records a change.
    """
    changes = [(n, app) for n, apps in changed.items() for app in apps]
    if len(changes) != 1:
        return None
    ((n, app),) = changes
    before = [describe_app(purge.before, app, with_sizes=True) for purge in purges if purge.request.n == n]
    unchanged = [purge for purge in purges if purge.request.n != n and app in purge.before.apps.by_guid]
    same = [purge for purge in unchanged if describe_app(purge.before, app, with_sizes=True) in before]
    return changes[0] if len(same) >= MIN_UNCHANGED else None


def find_deleted_by_others(evidence: Evidence) -> str:
    """Return an own app of the suite that others deleted; empty if the lists of apps show none.

    It is listed once and never again, and the suite did not delete it.
    """
    listed = [span for span in evidence.cached(snapshots) if span.snapshot.apps.complete]
    last_snapshot = max((span.last for span in listed), default=0)
    last = listed[-1].snapshot.apps.by_guid.keys() if listed else set()
    seen = {guid for span in listed for guid in span.snapshot.apps.by_guid}
    changes = [x for x in evidence.cached(state_changing_requests) if x.n < last_snapshot and x.method == "DELETE"]
    gone = own_apps(evidence) & seen - last
    return min((app for app in gone if not any(_is_of_app(x, app) for x in changes)), default="")


def _may_set(x: Exchange, app: str, state: str) -> bool:
    """Whether a request may have set the state of an app; what a hook did to it is unknown."""
    is_other_change = x.method in {"PATCH", "DELETE"} or Tag.CHANGED_BY_HOOK in x.tags
    return _is_of_app(x, app) and (is_other_change or x.route.endswith(ACTIONS[state]))


def _is_of_app(x: Exchange, app: str) -> bool:
    return x.route.startswith(f"{APPS}/") and guid_in_path(x.route) == app


def _changes_to(rows: Iterable[Row], app: str, state: str) -> list[Row]:
    """Return the recorded events of an app that changed to a state."""
    return [
        row
        for row in rows
        if app_of_event(row) == app != row["guid"]
        and dig(row, "state", "current") == state
        and dig(row, "state", "previous") not in {None, state}
    ]


def _is_recorded(evidence: Evidence, purge: PurgeObservation, app: str) -> bool:
    """Whether an event records a change of an app to what it is after a purge.

    It is listed after the list before the purge, which may destroy it later, and before the next purge and the suite's
    next change of the app.
    """
    later = (x for x in evidence.cached(state_changing_requests) if x.n > purge.request.n)
    end = next((x.n for x in later if is_purge(x.method, x.path) or _is_of_app(x, app)), sys.maxsize)
    first = max(x.n for x in purge.before.events.exchanges)
    pages = (x for x in evidence.exchanges if x.route == EVENTS_PATH and first < x.n < end)
    reusable = purge.after.processes.by_guid.keys() | purge.after.apps.by_guid.keys()
    known = purge.before.events.by_guid.keys() | reusable
    new = (row for x in pages for row in resources(x) if app_of_event(row) == app and row["guid"] not in known)
    changes = (row for row in new if is_change_event(row) and not is_crash_event(row))
    return any(_shows_now(row, purge.after, app) for row in changes)


def _shows_now(event: Row, snapshot: Snapshot, app: str) -> bool:
    """Whether an event shows the state and the size that an app has in a snapshot; a deleted app was stopped."""
    row = snapshot.apps.by_guid.get(app)
    if dig(event, "state", "current") != (row.get("state") if row else STOPPED):
        return False
    sizes = {(process.get("instances"), process.get("memory_in_mb")) for process in snapshot.processes_of(app)}
    size = dig(event, "instance_count", "current"), dig(event, "memory_in_mb_per_instance", "current")
    return not sizes or None in size or size in sizes
