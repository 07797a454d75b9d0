"""What other clients did on the target during the run: changes of apps, and purges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import created_apps
from purge_conformance.analysis.history import complete_listings, undestroyed_events_per_list
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.rejected import unconfirmed_losses
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.evidence.listing import (
    APPS,
    RUN_LABEL,
    app_of_event,
    app_of_process,
    dig,
    event_identity,
    snapshots,
)
from purge_conformance.evidence.steps import Scenario

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.evidence.listing import Listing, Row, Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange


def find_foreign_purge(evidence: Evidence) -> tuple[int, int] | None:
    """Return the numbers of two exchanges between which another client purged; None if the evidence shows no purge.

    Either all recorded events disappeared and seeded events are listed, although the suite sent no request that a
    target could treat as a purge; or a request that must be rejected seemed to destroy events, and did not when
    repeated.
    """
    view = JudgmentView(evidence)
    for (before, after), undestroyed in zip(
        pairwise(complete_listings(view)), undestroyed_events_per_list(view), strict=False
    ):
        first, last = before.exchanges[0], after.exchanges[-1]
        if _resembles_purge(before, after, undestroyed) and not any(
            _could_purge(x) for x in _exchanges_between(evidence, first, last)
        ):
            return first.n, last.n
    for scenario in (Scenario.REJECTED_PURGES, Scenario.AUTH_BYPASS):
        try:
            losses = unconfirmed_losses(view, scenario)
        except (Inconclusive, NotExercised):
            continue
        for attempt in losses:
            return attempt.before.n, attempt.after.n
    return None


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


def _exchanges_between(evidence: Evidence, first: Exchange, last: Exchange) -> Iterator[Exchange]:
    return (x for x in evidence.exchanges if first.n <= x.n <= last.n)


def _could_purge(x: Exchange) -> bool:
    """Whether the target might treat a request as a purge: all except plain reads and changes of apps."""
    if x.route.startswith(APPS) and "?" not in x.path:
        return False
    is_read = x.method == "GET" and not x.route.startswith(PURGE_PATH.rpartition("/")[0])
    return is_purge(x.method, x.path) or not is_read or x.scenario is Scenario.AUTH_BYPASS


def _resembles_purge(before: Listing, after: Listing, undestroyed: Collection[str]) -> bool:
    """Whether the difference between two lists looks like the effect of a purge.

    All recorded events disappeared, and at least one event is newly seeded; without recorded events, all seeded events
    are new. Two effects of an earlier purge do not count: events that it seeds late in an empty list, and events that
    it should have destroyed and that disappear late. If only some seeded events are new, recorded events replaced them.
    """
    recorded = {guid for guid, row in before.by_guid.items() if guid != app_of_event(row)}
    if recorded and recorded <= set(undestroyed):
        return False
    known = {event_identity(row) for row in before.rows}
    seeds = [row for row in after.rows if row["guid"] == app_of_event(row)]
    new_seeds = [row for row in seeds if event_identity(row) not in known]
    if not recorded:
        return len(new_seeds) == len(seeds) and any(row["guid"] in before.by_guid for row in new_seeds)
    return not recorded & set(after.by_guid) and (bool(new_seeds) or (bool(seeds) and len(recorded) > 1))
