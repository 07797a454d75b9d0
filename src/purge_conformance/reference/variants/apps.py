"""Variants of the apps of a foundation: how many there are, how they come to be, and what is recorded of them."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, around, everywhere, registering, together
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import by_guid
from purge_conformance.reference.store.initial_data import furnishing
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, Process, moment

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

MOST_APPS = 3
MOST_MB = 6 * 1024
LONGEST_NAME = 20
JOB_S = 0.4  # until what was asked for is done


@around("create_organization", "create_space", "create_app")
def _forbid_creation(call: Call, answer: Handler) -> Reply:
    answer(call)
    raise problems.not_authorized()


variant("nothing-there")(_forbid_creation)
variant("only-stopped-apps")(together(furnishing(started=0, stopped=2), _forbid_creation))


@variant("three-apps-at-most")
@around("create_app")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if (call.session.scalar(select(func.count()).select_from(App)) or 0) > MOST_APPS:
        raise problems.unprocessable(f"The quota allows {MOST_APPS} apps")
    return reply


@variant("memory-quota")
@around("start_app", "restart_app", "scale_process", "scale_app_process")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    of_started = select(func.sum(Process.instances * Process.memory_in_mb)).join(App).where(App.state == STARTED)
    if (call.session.scalar(of_started) or 0) > MOST_MB:
        raise problems.unprocessable("memory quota_exceeded")
    return reply


@variant("app-names-short")
@around("create_app")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if len(reply.body["name"]) > LONGEST_NAME:
        raise problems.unprocessable(f"Name is too long (maximum is {LONGEST_NAME} characters)")
    return reply


@variant("apps-are-made-by-jobs")
def _(behaviour: Behaviour) -> Behaviour:
    waiting: dict[str, float] = {}  # guid -> when it is there

    @around("create_app")
    def later(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        waiting[reply.body["guid"]] = time.monotonic() + JOB_S
        return replace(reply, status=202, body=None, content_type=None, headers={"location": call.url("/v3/jobs/0")})

    @around("list_apps")
    def at_last(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        there = [row for row in reply.body["resources"] if waiting.get(row["guid"], 0) <= time.monotonic()]
        return replace(reply, body={**reply.body, "resources": there})

    return at_last(later(behaviour))


@variant("starts-take-a-while")
def _(behaviour: Behaviour) -> Behaviour:
    waiting: dict[str, float] = {}  # guid -> when it is started

    @around("start_app")
    def later(call: Call, answer: Handler) -> Reply:
        with call.session.begin_nested() as undone:
            reply = answer(call)
            undone.rollback()
        waiting.setdefault(call.parts["guid"], time.monotonic() + JOB_S)
        return replace(reply, status=202, body={**reply.body, "state": STOPPED})

    def carry_out(session: Session, guid: str) -> None:
        del waiting[guid]
        if app := by_guid(session, App, guid):
            store.start(session, app, behaviour.record)
        session.flush()

    @around("stop_app", "delete_app", "scale_app_process")
    def in_turn(call: Call, answer: Handler) -> Reply:
        if call.parts["guid"] in waiting:
            carry_out(call.session, call.parts["guid"])
        return answer(call)

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        for guid in [guid for guid, due in waiting.items() if due <= time.monotonic()]:
            carry_out(call.session, guid)
        return answer(call)

    return at_last(in_turn(later(behaviour)))


@variant("apps-fail-at-times")
def _(behaviour: Behaviour) -> Behaviour:
    asked = count(1)

    @around("start_app", "stop_app", "scale_app_process")
    def unlucky(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        if next(asked) % 7 == 0:
            raise problems.unknown_error()
        return reply

    return unlucky(behaviour)


def _recording(call: Call, state: str, previous: str) -> None:
    """Write down a further event of the app that a call is about."""
    if app := by_guid(call.session, App, call.parts["guid"]):
        event = store.usage_event(app.web, previous_state=previous)
        event.state = state
        call.behaviour.record(call.session, event)


@variant("crashes-are-recorded")
@around("start_app")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    _recording(call, "CRASHED", STARTED)
    return reply


@variant("creations-are-recorded")
@around("create_app")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    _recording(replace(call, parts={"guid": reply.body["guid"]}), "CREATED", STOPPED)
    return reply


@variant("guids-in-capitals")
def _(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: AppUsageEvent) -> None:
        event.guid = event.guid.upper()
        behaviour.record(session, event)

    return replace(behaviour, record=record)


def _newest_app_first(call: Call, answer: Handler) -> Reply:
    has_order = b"order_by" in call.query_string
    return answer(call if has_order else replace(call, query_string=call.query_string + b"&order_by=-created_at"))


variant("newest-app-first")(around("list_apps")(_newest_app_first))


@variant("apps-updated-all-the-time")
@around("list_apps")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    ticks = moment().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return replace(
        reply, body={**reply.body, "resources": [row | {"updated_at": ticks} for row in reply.body["resources"]]}
    )
