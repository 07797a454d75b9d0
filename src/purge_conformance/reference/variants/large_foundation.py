"""A foundation with very many apps; for speed, rows are written by one statement for all apps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from purge_conformance.reference.mutation import variant
from purge_conformance.reference.store.tables import (
    STARTED,
    STOPPED,
    App,
    AppUsageEvent,
    Organization,
    Process,
    Space,
    format_timestamp,
    new_guid,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

    Values = dict[str, Any]


APP_COUNT = 5000
SPACE_COUNT = 50
STATES = (STARTED, STOPPED, STARTED, STOPPED, STARTED)  # of the apps, in turn
INSTANCES = (1, 2, 1, 0, 3, 1, 8)
MEMORY_MB = (256, 512, 1024, 64)
EVENT_INTERVAL = timedelta(minutes=1)  # from one event of the history to the next


@variant("very-many-apps")
def very_many_apps(behaviour: Behaviour) -> Behaviour:
    def create(session: Session) -> None:
        behaviour.initial_data(session)
        if session.scalar(select(App).limit(1)) is None:
            _insert_initial_data(session)

    return replace(behaviour, initial_data=create)


def _insert_initial_data(session: Session) -> None:
    """Insert the apps and their history: each app was started, and some were stopped afterwards."""
    spaces = [_space(number) for number in range(SPACE_COUNT)]
    session.add_all(spaces)
    session.flush()
    apps = [_app(number, spaces[number % SPACE_COUNT]) for number in range(APP_COUNT)]
    processes = [_process(number, app) for number, app in enumerate(apps)]
    spaces_by_guid = {space.guid: space for space in spaces}
    session.execute(insert(App), apps)
    session.execute(insert(Process), processes)
    session.execute(
        insert(AppUsageEvent),
        _set_times(
            [
                event
                for app, process in zip(apps, processes, strict=True)
                for event in _history(app, process, spaces_by_guid[app["space_guid"]])
            ]
        ),
    )


def _space(number: int) -> Space:
    return Space(name=f"space {number}", organization=Organization(name=f"organization {number}"))


def _app(number: int, space: Space) -> Values:
    state = STATES[number % len(STATES)]
    return {"guid": new_guid(), "name": f"app {number}", "state": state, "space_guid": space.guid}


def _process(number: int, app: Values) -> Values:
    instances, memory_in_mb = INSTANCES[number % len(INSTANCES)], MEMORY_MB[number % len(MEMORY_MB)]
    return {"guid": app["guid"], "app_guid": app["guid"], "instances": instances, "memory_in_mb": memory_in_mb}


def _history(app: Values, process: Values, space: Space) -> Iterator[Values]:
    states = (STOPPED, STARTED) if app["state"] == STARTED else (STOPPED, STARTED, STOPPED)
    for previous, state in pairwise(states):
        yield {
            "guid": new_guid(),
            "state": state,
            "previous_state": previous,
            "app_guid": app["guid"],
            "app_name": app["name"],
            "process_guid": process["guid"],
            "process_type": "web",
            "space_guid": space.guid,
            "space_name": space.name,
            "organization_guid": space.organization_guid,
            "instances": process["instances"],
            "previous_instances": process["instances"],
            "memory_in_mb": process["memory_in_mb"],
            "previous_memory_in_mb": process["memory_in_mb"],
        }


def _set_times(history: Sequence[Values]) -> list[Values]:
    """Give the events times in the past, one EVENT_INTERVAL apart."""
    times = (format_timestamp(utc_now() - number * EVENT_INTERVAL) for number in range(len(history), 0, -1))
    return [{**event, "created_at": time, "updated_at": time} for event, time in zip(history, times, strict=True)]
