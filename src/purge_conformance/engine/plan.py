"""What a run would send, told beforehand; whoever asks sends a few reads, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.apps import Mode
from purge_conformance.engine.collect import experiment_names
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import resources, total_results
from purge_conformance.evidence.records import base_name
from purge_conformance.scenarios import setup as opening
from purge_conformance.target.apps import SuiteApps
from purge_conformance.target.apps.suite_apps import LABELS
from purge_conformance.target.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from purge_conformance.config.settings import Limits, Settings
    from purge_conformance.evidence.records import Exchange


@dataclass(frozen=True, slots=True)
class Cost:
    """What an experiment sends at most, where every list fits on a page of the largest size.

    Attributes:
        requests: of any kind.
        purges: with the admin's token.
        may_use_remainder: whether it may take all that is left of the budgets, should it see a failure.
    """

    requests: int
    purges: int = 0
    may_use_remainder: bool = False


COSTS = {
    "reach": Cost(8),
    "foundation": Cost(80),
    "fill": Cost(60),
    "archive": Cost(4),
    "purge": Cost(50, 1),
    "again": Cost(6, 1),
    "lifecycle": Cost(45),
    "reads": Cost(60),
    "refused": Cost(100),
    "bypass": Cost(55),
    "lists": Cost(130),
    "changed": Cost(20, 1),
    "contract": Cost(220, 2),
    "stateful": Cost(30, 1),
    "odd": Cost(80, 7),
    "late": Cost(50),
    "provoked": Cost(30, 3),
    "parallel": Cost(60, 7),
    "race": Cost(80, 5),
    "standstill": Cost(20, 1),
    "sequences": Cost(160, 11, may_use_remainder=True),
    "demolish": Cost(60),
}
REPETITION_COST = Cost(45, 2)  # of the experiment `repeat`
OVERHEAD_S = 10.0  # seconds that do not hang on the target: cases are generated, the record is judged


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would send, and what is there now.

    Attributes:
        costs: of each experiment, by its name, in their order.
        limits: that hold whatever happens.
        seconds: how long it would take, about.
        creates: what it would make on the target; empty where nothing.
        events: how many there are now, if the target says so.
        apps: how many there are now, if the target says so.
        fingerprint: of the foundation; None: its root document has no links.
        last: `guid` and `created_at` of the newest event; None: there is none.
        age: of that event, in seconds by the target's clock; None where that is not known.
    """

    costs: dict[str, Cost]
    limits: Limits
    seconds: float
    creates: str
    events: int | None
    apps: int | None
    fingerprint: str | None
    last: dict[str, str] | None
    age: float | None


def plan_run(settings: Settings) -> Plan:
    """Return what a run with these settings would send; eight reads or fewer are sent for it.

    Raises:
        TargetUnusable: the target does not answer as the API to its admin.
        TargetLost: it gives no answer.
    """
    exchanges: list[Exchange] = []
    with unrecorded_client(settings, on_exchange=exchanges.append) as client:
        opening.preflight(client, SuiteApps(client))
        newest = client.get(look.NEWEST_EVENTS, "newest")
    totals = {x.route: total_results(x) for x in exchanges}
    rows = resources(newest)
    moment = clock.parse_rfc3339(rows[0].get("created_at")) if rows else None
    now = clock.parse_http_date(newest.header("Date")) or newest.sent_at
    costs = costs_for(settings)
    return Plan(
        costs=costs,
        limits=settings.limits,
        seconds=OVERHEAD_S + median(x.elapsed for x in exchanges) * sum(cost.requests for cost in costs.values()),
        creates=_describe_apps(settings),
        events=totals.get(EVENTS_PATH),
        apps=totals.get("/v3/apps"),
        fingerprint=fingerprint_of(exchanges[0]),
        last={name: str(rows[0].get(name)) for name in ("guid", "created_at")} if rows else None,
        age=now - moment.timestamp() if moment else None,
    )


def costs_for(settings: Settings) -> dict[str, Cost]:
    """Return what each experiment of a run with these settings sends at most."""
    names = Counter(base_name(name) for name in experiment_names(settings))
    repetitions = {**names, "repeat": settings.repeat - 1, "sequences": settings.repeat}
    costs = {name: _multiply(repetitions[name], COSTS.get(name, REPETITION_COST)) for name in names}
    return {name: replace(cost, purges=0) for name, cost in costs.items()} if settings.is_read_only else costs


def _multiply(number: int, cost: Cost) -> Cost:
    return replace(cost, requests=number * cost.requests, purges=number * cost.purges)


def _describe_apps(settings: Settings) -> str:
    if settings.is_read_only or settings.apps.mode is Mode.OBSERVE:
        return ""
    location = f"in the space {settings.apps.space}" if settings.apps.space else "in two new organizations"
    return f"{len(LABELS)} apps {location} and a few temporary ones; all are deleted at the end"
