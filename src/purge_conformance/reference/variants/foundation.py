"""Variants of the foundation: apps that exist before, clocks, other users, and events that are recorded late."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.visibility import job_reply
from purge_conformance.reference.mutation import (
    Change,
    after_pause,
    alter_replies,
    combine,
    variant,
    with_headers,
    without_date_header,
    wrap_all_operations,
    wrap_operations,
)
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.initial_data import initial_apps, initial_data
from purge_conformance.reference.store.tables import STARTED, App, AppUsageEvent
from purge_conformance.reference.variants.apps import forbid_creation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply


CALLS_PER_ACTION = 4
MAX_NEIGHBOURS = 12
READS_UNTIL_DELETED = 3
RECORDING_DELAY_S = 2.5
CALLS_PER_RESTART = 25
LATER_PURGE = 5  # number of a purge, after which others leave the apps as they are


variant("apps-from-the-start")(initial_data())
variant("many-apps")(initial_data(started=120, stopped=60, restarts=290))


@wrap_operations("create_organization", "create_space", "create_app")
def _hide_creation_routes(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_request()


@wrap_operations("create_organization", "create_space")
def _forbid_organizations(_call: Call, _answer: Handler) -> Reply:
    raise problems.not_authorized()


variant("no-organization-creation")(combine(initial_data(), _forbid_organizations))
variant("no-app-creation")(combine(initial_data(), forbid_creation))
variant("no-creation-routes")(combine(initial_data(), _hide_creation_routes))


@wrap_operations("start_app", "restart_app")
def _require_droplet(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    app = find_by_guid(call.session, App, reply.body["guid"])
    if app is None or not (app.droplet_guid or app in initial_apps(call.session)):
        raise problems.unprocessable("Assign a droplet before starting this app.")
    return reply


variant("start-needs-droplet")(combine(initial_data(), _require_droplet))


@variant("no-processes-api")
@wrap_operations(
    "list_processes",
    "get_process",
    "scale_process",
    "list_app_processes",
    "get_app_process",
    "scale_app_process",
)
def no_processes_api(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_request()


@variant("deletes-never-end")
@wrap_operations("delete_app", "delete_space", "delete_organization")
def deletes_never_end(call: Call, answer: Handler) -> Reply:
    with call.session.begin_nested() as savepoint:
        answer(call)
        savepoint.rollback()
    return job_reply(call, "resource.delete")


@variant("deletes-take-a-while")
def deletes_take_a_while(behaviour: Behaviour) -> Behaviour:
    reads_left: dict[str, int] = {}

    @wrap_operations("delete_app")
    def delete_later(call: Call, _answer: Handler) -> Reply:
        reads_left.setdefault(call.path_parameters["guid"], READS_UNTIL_DELETED)
        return job_reply(call, "app.delete")

    @wrap_operations("get_app")
    def delete_after_reads(call: Call, answer: Handler) -> Reply:
        guid = call.path_parameters["guid"]
        reads_left.update({guid: reads_left[guid] - 1} if guid in reads_left else {})
        app = find_by_guid(call.session, App, guid)
        if app and reads_left.get(guid) == 0:
            store.delete_app(call.session, app, behaviour.record)
            call.session.flush()
            return call.behaviour.error_reply(problems.not_found("App"))
        return answer(call)

    return delete_after_reads(delete_later(behaviour))


def _offset_clock(**time: float) -> Change:
    return lambda behaviour: replace(behaviour, clock=replace(behaviour.clock, offset=timedelta(**time)))


@alter_replies
def _set_system_date(reply: Reply) -> Reply:
    return with_headers(reply, {"date": format_datetime(datetime.now(UTC), usegmt=True)})


variant("clock-ahead")(_offset_clock(hours=1))
variant("clock-behind")(_offset_clock(days=-400))
variant("clock-behind-without-date")(combine(_offset_clock(hours=-1), without_date_header))
variant("database-clock-apart")(combine(_offset_clock(seconds=1), _set_system_date))


@variant("busy-neighbours")
def busy_neighbours(behaviour: Behaviour) -> Behaviour:
    calls = 0
    chance = random.Random(0)  # noqa: S311 - the same choices in every run

    @wrap_all_operations
    def act_between_calls(call: Call, answer: Handler) -> Reply:
        nonlocal calls
        calls += 1
        if calls % CALLS_PER_ACTION == 0:
            chance.choice(ACTIONS)(call.session, chance, behaviour.record)
            call.session.flush()
        return answer(call)

    return act_between_calls(initial_data()(behaviour))


def _random_neighbour(session: Session, chance: random.Random) -> App:
    return chance.choice(initial_apps(session))


def _start(session: Session, chance: random.Random, record: store.Record) -> None:
    store.start(session, _random_neighbour(session, chance), record)


def _stop(session: Session, chance: random.Random, record: store.Record) -> None:
    store.stop(session, _random_neighbour(session, chance), record)


def _restart(session: Session, chance: random.Random, record: store.Record) -> None:
    app = _random_neighbour(session, chance)
    store.stop(session, app, record)
    store.start(session, app, record)


def _scale(session: Session, chance: random.Random, record: store.Record) -> None:
    store.scale(session, _random_neighbour(session, chance).web, {"instances": chance.randrange(5)}, record)


def _create(session: Session, chance: random.Random, record: store.Record) -> None:
    neighbours = initial_apps(session)
    if len(neighbours) < MAX_NEIGHBOURS:
        app = store.add_app(session, neighbours[0].space, f"neighbour {chance.random()}")
        store.start(session, app, record)


def _delete(session: Session, chance: random.Random, record: store.Record) -> None:
    neighbours = initial_apps(session)
    if len(neighbours) > MAX_NEIGHBOURS // 2:
        store.delete_app(session, chance.choice(neighbours), record)


def _run_task(session: Session, chance: random.Random, record: store.Record) -> None:
    event = store.make_usage_event(_random_neighbour(session, chance).web)
    event.state, event.previous_state = "TASK_STARTED", "TASK_STOPPED"
    event.task_guid, event.task_name = event.guid[::-1], "migrate"
    record(session, event)


def _stage(session: Session, chance: random.Random, record: store.Record) -> None:
    event = store.make_usage_event(_random_neighbour(session, chance).web)
    event.state, event.previous_state = "BUILDPACK_SET", STARTED
    record(session, event)


ACTIONS = (_start, _stop, _restart, _scale, _create, _delete, _run_task, _stage)


@variant("records-late")
def records_late(behaviour: Behaviour) -> Behaviour:
    pending: list[AppUsageEvent] = []

    def record(_session: Session, event: AppUsageEvent) -> None:
        pending.append(event)

    def destroy(session: Session) -> None:
        pending.clear()
        behaviour.destroy(session)

    @after_pause
    def record_pending(session: Session) -> None:
        for event in pending:
            behaviour.record(session, event)
        pending.clear()

    return record_pending(replace(behaviour, record=record, destroy=destroy))


@variant("records-after-seconds")
def records_after_seconds(behaviour: Behaviour) -> Behaviour:
    pending: list[tuple[float, AppUsageEvent]] = []  # with the time when it is due

    def record(_session: Session, event: AppUsageEvent) -> None:
        pending.append((time.monotonic() + RECORDING_DELAY_S, event))

    def destroy(session: Session) -> None:
        pending.clear()
        behaviour.destroy(session)

    @wrap_all_operations
    def record_when_due(call: Call, answer: Handler) -> Reply:
        while pending and pending[0][0] <= time.monotonic():
            behaviour.record(call.session, pending.pop(0)[1])
        call.session.flush()
        return answer(call)

    return record_when_due(replace(behaviour, record=record, destroy=destroy))


CHANCE_PURGE = 3  # number of the purge, of those that succeed


@variant("neighbour-stops-apps-at-a-purge")
def neighbour_stops_apps_at_a_purge(behaviour: Behaviour) -> Behaviour:
    purges: list[str] = []

    @wrap_operations("purge_events")
    def stop_with_third(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        purges.append("")
        if len(purges) == CHANCE_PURGE:
            for app in initial_apps(call.session):
                store.stop(call.session, app, behaviour.record)
        return reply

    return stop_with_third(initial_data()(behaviour))


@variant("neighbour-scales-an-app-at-the-first-purge")
def neighbour_scales_an_app_at_the_first_purge(behaviour: Behaviour) -> Behaviour:
    @wrap_operations("purge_events")
    def scale(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        store.scale(call.session, initial_apps(call.session)[0].web, {"instances": 4}, behaviour.record)
        return reply

    return scale(initial_data()(behaviour))


@variant("neighbour-restarts-an-app-often")
def neighbour_restarts_an_app_often(behaviour: Behaviour) -> Behaviour:
    calls = count(1)

    @wrap_all_operations
    def restart(call: Call, answer: Handler) -> Reply:
        if next(calls) % CALLS_PER_RESTART == 0:
            app = initial_apps(call.session)[0]
            store.stop(call.session, app, behaviour.record)
            store.start(call.session, app, behaviour.record)
        return answer(call)

    return restart(initial_data()(behaviour))


@variant("another-client-scales-an-app-of-the-suite")
def another_client_scales_an_app_of_the_suite(behaviour: Behaviour) -> Behaviour:
    purges = count(1)

    def destroy(session: Session) -> None:
        if next(purges) == LATER_PURGE:
            app = store.find_started_apps(session)[1]  # the first one is the one that the suite changes most
            store.scale(session, app.web, {"instances": app.web.instances + 5}, behaviour.record)
            session.flush()
        behaviour.destroy(session)

    return replace(behaviour, destroy=destroy)
