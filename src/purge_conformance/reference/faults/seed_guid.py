"""Faults of the guids of seeded events, and of how they name their apps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.mutation import Change, around, registering, seeding, showing_events, together
from purge_conformance.reference.store.tables import App, AppUsageEvent, Process
from purge_conformance.reference.store.transitions import seed_of_process, started_apps

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


def _with_guid(make: Callable[[AppUsageEvent], str]) -> Change:
    """Make a change of a function that makes the guid of a seeded event."""

    def alter(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
        for event in seeds:
            event.guid = make(event)
        return seeds

    return seeding(alter)


@fault("seed-guids-swapped")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    guids = [event.guid for event in seeds]
    for event, guid in zip(seeds, guids[1:] + guids[:1], strict=True):
        event.guid = guid
    return seeds


@around("create_app")
def _with_worker(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    for app in call.session.scalars(select(App).where(App.guid == reply.body["guid"])):
        app.processes.append(Process(type="worker"))
    return reply


def _newest_process(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        return [seed_of_process(app.processes[-1], moment) for app in started_apps(session)]

    return replace(behaviour, seeds=seeds)


def _processes_by_turns(behaviour: Behaviour) -> Behaviour:
    purges: list[str] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        purges.append(moment)
        apps = started_apps(session)
        chosen = [process for app in apps for process in app.processes[: 1 + len(purges) % 2]]
        return [seed_of_process(process, moment) for process in chosen]

    return replace(behaviour, seeds=seeds)


fault("seed-guid-of-newest-process")(together(_with_worker, _newest_process))
fault("seeds-processes-by-turns")(together(_with_worker, _processes_by_turns))


@fault("seeds-without-app")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "app": {**event["app"], "guid": None}} if event["guid"] == event["app"]["guid"] else event
