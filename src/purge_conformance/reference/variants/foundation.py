"""Variants of the foundation around the events: its apps, its clock, its neighbours."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.visibility import job_for
from purge_conformance.reference.mutation import Change, around, everywhere, finishing, registering, together
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import by_guid
from purge_conformance.reference.store.initial_data import furnished, furnishing
from purge_conformance.reference.store.tables import STARTED, App, AppUsageEvent

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

CALLS_BETWEEN_DEEDS = 4
MOST_NEIGHBOURS = 12
LOOKS_UNTIL_GONE = 3
LATE_S, LATER_S = 0.3, 2.5


variant("apps-from-the-start")(furnishing())
variant("many-apps")(furnishing(started=120, stopped=60, restarts=290))


@around("create_organization", "create_space", "create_app")
def _forbid_creation(call: Call, answer: Handler) -> Reply:
    answer(call)
    raise problems.not_authorized()


@around("create_organization", "create_space", "create_app")
def _know_no_creation(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_request()


variant("no-app-creation")(together(furnishing(), _forbid_creation))
variant("no-creation-routes")(together(furnishing(), _know_no_creation))


@around("start_app", "restart_app")
def _want_droplet(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    app = by_guid(call.session, App, reply.body["guid"])
    if app is None or not (app.droplet_guid or app in furnished(call.session)):
        raise problems.unprocessable("Assign a droplet before starting this app.")
    return reply


variant("start-needs-droplet")(together(furnishing(), _want_droplet))


@variant("no-processes-api")
@around(
    "list_processes",
    "get_process",
    "scale_process",
    "list_app_processes",
    "get_app_process",
    "scale_app_process",
)
def _(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_request()


@variant("deletes-never-end")
@around("delete_app", "delete_space", "delete_organization")
def _(call: Call, answer: Handler) -> Reply:
    with call.session.begin_nested() as undone:
        answer(call)
        undone.rollback()
    return job_for(call, "resource.delete")


@variant("deletes-take-a-while")
def _(behaviour: Behaviour) -> Behaviour:
    looks_left: dict[str, int] = {}

    @around("delete_app")
    def later(call: Call, _answer: Handler) -> Reply:
        looks_left.setdefault(call.parts["guid"], LOOKS_UNTIL_GONE)
        return job_for(call, "app.delete")

    @around("get_app")
    def at_last(call: Call, answer: Handler) -> Reply:
        guid = call.parts["guid"]
        looks_left.update({guid: looks_left[guid] - 1} if guid in looks_left else {})
        app = by_guid(call.session, App, guid)
        if app and looks_left.get(guid) == 0:
            store.delete_app(call.session, app, behaviour.record)
            call.session.flush()
            return call.behaviour.refusal(problems.not_found("App"))
        return answer(call)

    return at_last(later(behaviour))


def _ahead(**time: float) -> Change:
    return lambda behaviour: replace(behaviour, clock=replace(behaviour.clock, ahead=timedelta(**time)))


@finishing
def _without_date(reply: Reply) -> Reply:
    return replace(reply, headers={name: value for name, value in reply.headers.items() if name != "date"})


@finishing
def _with_machines_date(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "date": format_datetime(datetime.now(UTC), usegmt=True)})


variant("clock-ahead")(_ahead(hours=1))
variant("clock-behind")(_ahead(days=-400))
variant("clock-behind-without-date")(together(_ahead(hours=-1), _without_date))
variant("database-clock-apart")(together(_ahead(seconds=1), _with_machines_date))


@variant("busy-neighbours")
def _(behaviour: Behaviour) -> Behaviour:
    calls = 0
    chance = random.Random(0)  # noqa: S311 - the same in every run

    @everywhere
    def disturbed(call: Call, answer: Handler) -> Reply:
        nonlocal calls
        calls += 1
        if calls % CALLS_BETWEEN_DEEDS == 0:
            chance.choice(DEEDS)(call.session, chance, behaviour.record)
            call.session.flush()
        return answer(call)

    return disturbed(furnishing()(behaviour))


def _neighbour(session: Session, chance: random.Random) -> App:
    return chance.choice(furnished(session))


def _start(session: Session, chance: random.Random, record: store.Record) -> None:
    store.start(session, _neighbour(session, chance), record)


def _stop(session: Session, chance: random.Random, record: store.Record) -> None:
    store.stop(session, _neighbour(session, chance), record)


def _restart(session: Session, chance: random.Random, record: store.Record) -> None:
    app = _neighbour(session, chance)
    store.stop(session, app, record)
    store.start(session, app, record)


def _scale(session: Session, chance: random.Random, record: store.Record) -> None:
    store.scale(session, _neighbour(session, chance).web, {"instances": chance.randrange(5)}, record)


def _create(session: Session, chance: random.Random, record: store.Record) -> None:
    neighbours = furnished(session)
    if len(neighbours) < MOST_NEIGHBOURS:
        app = store.add_app(session, neighbours[0].space, f"neighbour {chance.random()}")
        store.start(session, app, record)


def _delete(session: Session, chance: random.Random, record: store.Record) -> None:
    neighbours = furnished(session)
    if len(neighbours) > MOST_NEIGHBOURS // 2:
        store.delete_app(session, chance.choice(neighbours), record)


def _run_task(session: Session, chance: random.Random, record: store.Record) -> None:
    event = store.usage_event(_neighbour(session, chance).web)
    event.state, event.previous_state = "TASK_STARTED", "TASK_STOPPED"
    event.task_guid, event.task_name = event.guid[::-1], "migrate"
    record(session, event)


def _stage(session: Session, chance: random.Random, record: store.Record) -> None:
    event = store.usage_event(_neighbour(session, chance).web)
    event.state, event.previous_state = "BUILDPACK_SET", STARTED
    record(session, event)


DEEDS = (_start, _stop, _restart, _scale, _create, _delete, _run_task, _stage)


def _recording_late(seconds: float, behaviour: Behaviour) -> Behaviour:
    waiting: list[tuple[float, AppUsageEvent]] = []

    def record(_session: Session, event: AppUsageEvent) -> None:
        waiting.append((time.monotonic() + seconds, event))

    def destroy(session: Session) -> None:
        waiting.clear()
        behaviour.destroy(session)

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        while waiting and waiting[0][0] <= time.monotonic():
            behaviour.record(call.session, waiting.pop(0)[1])
        call.session.flush()
        return answer(call)

    return at_last(replace(behaviour, record=record, destroy=destroy))


variant("records-late")(partial(_recording_late, LATE_S))
variant("records-after-seconds")(partial(_recording_late, LATER_S))
