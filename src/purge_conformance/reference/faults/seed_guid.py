"""Faults of the guids of seeded events, and of how they name their apps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.mutation import (
    Change,
    alter_event_json,
    alter_seeds,
    combine,
    new_registrar,
    wrap_operations,
)
from purge_conformance.reference.store.tables import App, AppUsageEvent, Process
from purge_conformance.reference.store.transitions import find_started_apps, seed_for_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)


def _with_guid(make: Callable[[AppUsageEvent], str]) -> Change:
    """Make a change of a function that makes the guid of a seeded event."""

    def alter(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
        for event in seeds:
            event.guid = make(event)
        return seeds

    return alter_seeds(alter)


@fault("seed-guids-swapped")
@alter_seeds
def seed_guids_swapped(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    guids = [event.guid for event in seeds]
    for event, guid in zip(seeds, guids[1:] + guids[:1], strict=True):
        event.guid = guid
    return seeds


@wrap_operations("create_app")
def _add_worker(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    for app in call.session.scalars(select(App).where(App.guid == reply.body["guid"])):
        app.processes.append(Process(type="worker"))
    return reply


def _seed_newest_process(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        return [seed_for_process(app.processes[-1], moment) for app in find_started_apps(session)]

    return replace(behaviour, make_seeds=seeds)


def _seed_alternating_processes(behaviour: Behaviour) -> Behaviour:
    purges: list[str] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        purges.append(moment)
        apps = find_started_apps(session)
        processes = [process for app in apps for process in app.processes[: 1 + len(purges) % 2]]
        return [seed_for_process(process, moment) for process in processes]

    return replace(behaviour, make_seeds=seeds)


fault("seed-guid-of-newest-process")(combine(_add_worker, _seed_newest_process))
fault("seeds-processes-by-turns")(combine(_add_worker, _seed_alternating_processes))


@fault("seeds-without-app")
@alter_event_json
def seeds_without_app(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "app": {**event["app"], "guid": None}} if event["guid"] == event["app"]["guid"] else event
