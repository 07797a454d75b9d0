"""Variants of what is recorded where nobody says whether it is, and of the events of deleted apps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import delete

from purge_conformance.reference.mutation import Change, around, registering, twin
from purge_conformance.reference.store.database import by_guid
from purge_conformance.reference.store.tables import STOPPED, App, AppUsageEvent, Process, new_guid
from purge_conformance.reference.store.transitions import usage_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

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


@variant("scaling-recorded-by-instance")
@around("scale_process", "scale_app_process")
def _(call: Call, answer: Handler) -> Reply:
    def record(session: Session, event: AppUsageEvent) -> None:
        for instances in _between(event.previous_instances, event.instances):
            step = twin(event)
            step.guid, step.previous_instances, step.instances = new_guid(), *instances
            call.behaviour.record(session, step)
        if event.previous_memory_in_mb != event.memory_in_mb:
            call.behaviour.record(session, event)

    return answer(replace(call, behaviour=replace(call.behaviour, record=record)))


def _between(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of neighbours on the way from one number to another."""
    yield from pairwise(range(first, last + 1) if first < last else range(first, last - 1, -1))


@variant("scaling-recorded-as-restart")
@around("scale_process", "scale_app_process")
def _(call: Call, answer: Handler) -> Reply:
    def record(session: Session, event: AppUsageEvent) -> None:
        stopped = twin(event)
        stopped.guid, stopped.state = new_guid(), STOPPED
        stopped.instances, stopped.memory_in_mb = event.previous_instances, event.previous_memory_in_mb
        event.previous_state = STOPPED
        for each in (stopped, event):
            call.behaviour.record(session, each)

    return answer(replace(call, behaviour=replace(call.behaviour, record=record)))
