"""Variants of the apps of a foundation: quotas, asynchronous changes, and further recorded events."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, combine, variant, wrap_all_operations, wrap_operations
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.tables import (
    STARTED,
    STOPPED,
    App,
    AppUsageEvent,
    Organization,
    Process,
    Space,
    utc_now,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.mutation import Wrapper


MAX_APPS = 3
MAX_MEMORY_MB = 6 * 1024
MAX_NAME_LENGTH = 20
JOB_S = 0.4  # seconds until an accepted change is complete


@wrap_operations("create_organization", "create_space", "create_app")
def forbid_creation(call: Call, answer: Handler) -> Reply:
    """Forbid everyone to create organizations, spaces and apps."""
    answer(call)
    raise problems.not_authorized()


variant("nothing-there")(forbid_creation)
variant("only-stopped-apps")(combine(initial_data(started=0, stopped=2), forbid_creation))


@variant("three-apps-at-most")
@wrap_operations("create_app")
def three_apps_at_most(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if (call.session.scalar(select(func.count()).select_from(App)) or 0) > MAX_APPS:
        raise problems.unprocessable(f"The quota allows {MAX_APPS} apps")
    return reply


@variant("memory-quota")
@wrap_operations("start_app", "restart_app", "scale_process", "scale_app_process")
def memory_quota(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    started_memory = select(func.sum(Process.instances * Process.memory_in_mb)).join(App).where(App.state == STARTED)
    if (call.session.scalar(started_memory) or 0) > MAX_MEMORY_MB:
        raise problems.unprocessable("memory quota_exceeded")
    return reply


@variant("app-names-short")
@wrap_operations("create_app")
def app_names_short(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if len(reply.body["name"]) > MAX_NAME_LENGTH:
        raise problems.unprocessable(f"Name is too long (maximum is {MAX_NAME_LENGTH} characters)")
    return reply


@variant("apps-are-made-by-jobs")
def apps_are_made_by_jobs(behaviour: Behaviour) -> Behaviour:
    due_times: dict[str, float] = {}  # guid -> when it is listed

    @wrap_operations("create_app")
    def create_by_job(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        due_times[reply.body["guid"]] = time.monotonic() + JOB_S
        return replace(reply, status=202, body=None, content_type=None, headers={"location": call.url("/v3/jobs/0")})

    @wrap_operations("list_apps")
    def list_finished(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        finished = [row for row in reply.body["resources"] if due_times.get(row["guid"], 0) <= time.monotonic()]
        return replace(reply, body={**reply.body, "resources": finished})

    return list_finished(create_by_job(behaviour))


@variant("starts-take-a-while")
def starts_take_a_while(behaviour: Behaviour) -> Behaviour:
    due_times: dict[str, float] = {}  # guid -> when it is started

    @wrap_operations("start_app")
    def start_later(call: Call, answer: Handler) -> Reply:
        with call.session.begin_nested() as savepoint:
            reply = answer(call)
            savepoint.rollback()
        due_times.setdefault(call.path_parameters["guid"], time.monotonic() + JOB_S)
        return replace(reply, status=202, body={**reply.body, "state": STOPPED})

    def finish_start(session: Session, guid: str) -> None:
        del due_times[guid]
        if app := find_by_guid(session, App, guid):
            store.start(session, app, behaviour.record)
        session.flush()

    @wrap_operations("stop_app", "delete_app", "scale_app_process")
    def finish_start_first(call: Call, answer: Handler) -> Reply:
        if call.path_parameters["guid"] in due_times:
            finish_start(call.session, call.path_parameters["guid"])
        return answer(call)

    @wrap_all_operations
    def finish_due_starts(call: Call, answer: Handler) -> Reply:
        for guid in [guid for guid, due_time in due_times.items() if due_time <= time.monotonic()]:
            finish_start(call.session, guid)
        return answer(call)

    return finish_due_starts(finish_start_first(start_later(behaviour)))


def _assign_to_started_app(assign: Wrapper) -> Change:
    """Decorate a function that answers the assignment of a droplet to a started app."""

    @wrap_operations("set_current_droplet")
    def change(call: Call, answer: Handler) -> Reply:
        app = find_by_guid(call.session, App, call.path_parameters["guid"])
        return assign(call, answer) if app and app.state == STARTED else answer(call)

    return change


@variant("new-droplet-refused")
@_assign_to_started_app
def new_droplet_refused(_call: Call, _answer: Handler) -> Reply:
    raise problems.unprocessable("Stop the app before changing droplet")


@variant("new-droplet-recorded")
@_assign_to_started_app
def new_droplet_recorded(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    _record_extra_event(call, "BUILDPACK_SET", STARTED)
    return reply


@variant("new-droplet-takes-a-while")
def new_droplet_takes_a_while(behaviour: Behaviour) -> Behaviour:
    due: dict[str, tuple[float, str]] = {}  # guid of an app -> when it runs which droplet

    @_assign_to_started_app
    def assign_later(call: Call, answer: Handler) -> Reply:
        with call.session.begin_nested() as savepoint:
            reply = answer(call)
            savepoint.rollback()
        due[call.path_parameters["guid"]] = time.monotonic() + JOB_S, reply.body["data"]["guid"]
        return replace(reply, status=202)

    @wrap_all_operations
    def assign_if_due(call: Call, answer: Handler) -> Reply:
        for guid, (moment, droplet) in [*due.items()]:
            if moment <= time.monotonic():
                del due[guid]
                if app := find_by_guid(call.session, App, guid):
                    app.droplet_guid = droplet
        call.session.flush()
        return answer(call)

    return combine(assign_later, assign_if_due)(behaviour)


@variant("renames-refused")
@wrap_operations("update_app", "update_space", "update_organization")
def renames_refused(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_request()


@variant("restarts-refused")
@wrap_operations("restart_app")
def restarts_refused(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_request()


@variant("renames-take-a-while")
def renames_take_a_while(behaviour: Behaviour) -> Behaviour:
    tables: dict[str, type[App | Space | Organization]] = {
        "update_app": App,
        "update_space": Space,
        "update_organization": Organization,
    }
    due: dict[tuple[type[App | Space | Organization], str], tuple[float, str]] = {}  # -> when it has which name

    def accept(operation: str) -> Change:
        @wrap_operations(operation)
        def rename_later(call: Call, answer: Handler) -> Reply:
            with call.session.begin_nested() as savepoint:
                reply = answer(call)
                savepoint.rollback()
            key = tables[operation], call.path_parameters["guid"]
            due[key] = time.monotonic() + JOB_S, reply.body["name"]
            return replace(reply, status=202, body=None, content_type=None)

        return rename_later

    @wrap_all_operations
    def rename_if_due(call: Call, answer: Handler) -> Reply:
        for (table, guid), (moment, name) in [*due.items()]:
            if moment <= time.monotonic():
                del due[table, guid]
                if row := find_by_guid(call.session, table, guid):
                    row.name = name
        call.session.flush()
        return answer(call)

    return combine(*map(accept, tables), rename_if_due)(behaviour)


@variant("apps-fail-at-times")
def apps_fail_at_times(behaviour: Behaviour) -> Behaviour:
    requests = count(1)

    @wrap_operations("start_app", "stop_app", "scale_app_process")
    def fail_every_seventh(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        if next(requests) % 7 == 0:
            raise problems.unknown_error()
        return reply

    return fail_every_seventh(behaviour)


def _record_extra_event(call: Call, state: str, previous: str) -> None:
    """Record a further event of the app in the path of a call."""
    if app := find_by_guid(call.session, App, call.path_parameters["guid"]):
        event = store.make_usage_event(app.web, previous_state=previous)
        event.state = state
        call.behaviour.record(call.session, event)


@variant("crashes-are-recorded")
@wrap_operations("start_app")
def crashes_are_recorded(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    _record_extra_event(call, "CRASHED", STARTED)
    return reply


@variant("creations-are-recorded")
@wrap_operations("create_app")
def creations_are_recorded(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    _record_extra_event(replace(call, path_parameters={"guid": reply.body["guid"]}), "CREATED", STOPPED)
    return reply


@variant("guids-in-capitals")
def guids_in_capitals(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: AppUsageEvent) -> None:
        event.guid = event.guid.upper()
        behaviour.record(session, event)

    return replace(behaviour, record=record)


def _newest_app_first(call: Call, answer: Handler) -> Reply:
    has_order = b"order_by" in call.query_string
    return answer(call if has_order else replace(call, query_string=call.query_string + b"&order_by=-created_at"))


variant("newest-app-first")(wrap_operations("list_apps")(_newest_app_first))


@variant("apps-updated-all-the-time")
@wrap_operations("list_apps")
def apps_updated_all_the_time(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    timestamp = utc_now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return replace(
        reply, body={**reply.body, "resources": [row | {"updated_at": timestamp} for row in reply.body["resources"]]}
    )


@variant("renames-are-recorded")
@wrap_operations("update_app")
def renames_are_recorded(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    app = find_by_guid(call.session, App, call.path_parameters["guid"])
    if app and app.state == STARTED:
        call.behaviour.record(call.session, store.make_usage_event(app.web))
    return reply
