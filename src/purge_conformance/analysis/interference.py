"""What others did on the target meanwhile: apps that they changed, and purges of theirs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import Inconclusive, JudgmentView, NotExercised
from purge_conformance.analysis.history import complete_listings, undestroyed_events_per_list
from purge_conformance.analysis.purge_series import snapshot_spans
from purge_conformance.analysis.rejected import unconfirmed_losses
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.evidence.listing import APPS, RUN_LABEL, app_of_event, app_of_process, dig, event_identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.evidence.listing import Listing, Row, Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange

SAFE = {"GET", "HEAD", "OPTIONS"}
# What compares two looks, and so goes wrong where somebody else purges in between.
DISTURBED_BY_FOREIGN_PURGE = frozenset(
    {
        *("PURGE-03", "PURGE-04", "PURGE-05", "AGAIN-02", "AGAIN-03", "MODEL-01", "BODY-02", "BODY-03"),
        *(f"SEED-0{n}" for n in range(1, 10)),
        *(f"AFTER-0{n}" for n in range(1, 5)),
        *(f"REFUSE-0{n}" for n in (1, 2, 3, 4, 6, 7)),
        *("AUTH-09", "AUTH-10", "AUTH-11", "AUTH-12", "RACE-02", "RACE-03", "GET-02", "GET-03"),
        *(f"PARALLEL-0{n}" for n in range(1, 5)),
        *("LIST-02", "LIST-04", "LIST-05", "LIST-06", "LIST-07", "LIST-08", "LIST-09", "LIST-10", "LIST-11", "LIST-15"),
        *("UP-SEED-01", "UP-SEED-02", "UP-SEED-03", "UP-SEED-04", "UP-RECORD-01", "UP-FIELD-04"),
        *("UP-ROLE-02", "UP-ROLE-03"),
    }
)


def find_foreign_purge(evidence: Evidence) -> tuple[int, int] | None:
    """Return the numbers of two exchanges between which somebody else purged, or None where nothing tells of that.

    What tells is that all recorded events are gone and seeded ones are there, while the suite sent nothing that could
    be taken for a purge; or that what must be refused seemed to destroy, and did not when it was tried again.
    """
    seen = JudgmentView(evidence)
    for (before, after), undestroyed in zip(
        pairwise(complete_listings(seen)), undestroyed_events_per_list(seen), strict=False
    ):
        first, last = before.exchanges[0], after.exchanges[-1]
        if _resembles_purge(before, after, undestroyed) and not any(
            _could_purge(x) for x in _exchanges_between(evidence, first, last)
        ):
            return first.n, last.n
    for scenario in ("refused", "bypass"):
        try:
            losses = unconfirmed_losses(seen, scenario)
        except (Inconclusive, NotExercised):
            continue
        for attempt in losses:
            return attempt.before.n, attempt.after.n
    return None


def count_changing_apps(evidence: Evidence) -> tuple[int, int]:
    """Return how many apps of others were there in the course of the run, and how many of them changed."""
    own_guids = own_apps(evidence) | {
        str(guid)
        for x in evidence.exchanges
        if (x.method, x.route) == ("POST", APPS) and isinstance(x.json, dict) and (guid := dig(x.json, "guid"))
    }
    looks = [look.snapshot for look in evidence.cached(snapshot_spans) if look.snapshot.apps.complete]
    states = [
        {guid: state for guid, state in _foreign_app_states(look).items() if guid not in own_guids} for look in looks
    ]
    app_guids = {guid for found in states for guid in found}
    changed_guids = {guid for one, other in pairwise(states) for guid in app_guids if one.get(guid) != other.get(guid)}
    return len(app_guids), len(changed_guids)


def _foreign_app_states(snapshot: Snapshot) -> dict[str, tuple[object, ...]]:
    """Return what each app without the suite's label is like."""
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
    """Whether a target could take a request for a purge, be it wrongly: all but plain reads and changes of apps."""
    if x.route.startswith(APPS) and "?" not in x.path:
        return False
    is_read = x.method == "GET" and not x.route.startswith(PURGE_PATH.rpartition("/")[0])
    return is_purge(x.method, x.path) or not is_read or x.experiment == "bypass"


def _resembles_purge(before: Listing, after: Listing, undestroyed: Collection[str]) -> bool:
    """Whether all that was recorded is gone, and something is seeded anew; where nothing was recorded, everything.

    Where nothing stood before, what is there now may as well be late, and so the doing of the purge before. So may what
    is gone, where all of it was overdue. Where one seeded event of several is another now, something was recorded over
    it.
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
