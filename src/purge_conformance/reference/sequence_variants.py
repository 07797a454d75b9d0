"""Variants of what is recorded where nobody says whether it is, and of the events of deleted apps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete

from purge_conformance.reference.change_kit import Change, around, registering
from purge_conformance.reference.database import by_guid
from purge_conformance.reference.store import usage_event
from purge_conformance.reference.tables import STOPPED, App, AppUsageEvent, Process

if TYPE_CHECKING:
    from purge_conformance.reference.behaviour import Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)


@variant("idle-changes-recorded")
@around("start_app", "stop_app")
def _(call: Call, answer: Handler) -> Reply:
    app = by_guid(call.session, App, call.parts["guid"])
    before = app.state if app else None
    reply = answer(call)
    if app and app.state == before:
        call.behaviour.record(call.session, usage_event(app.web))
    return reply


@variant("scaling-of-stopped-recorded")
@around("scale_process", "scale_app_process")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    process = by_guid(call.session, Process, reply.body["guid"])
    if process and process.app.state == STOPPED:
        call.behaviour.record(call.session, usage_event(process))
    return reply


@variant("deletion-not-recorded")
@around("delete_app", "delete_space", "delete_organization")
def _(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, behaviour=replace(call.behaviour, record=lambda *_: None)))


@variant("deletion-takes-events-along")
@around("delete_app")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    call.session.flush()
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.app_guid == call.parts["guid"]))
    return reply
