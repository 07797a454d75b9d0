"""Variants of what is recorded where nobody says whether it is, and of the events of deleted apps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import delete

from purge_conformance.reference.mutation import Change, copy_event, new_registrar, wrap_operations
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import STOPPED, App, AppUsageEvent, Process, new_guid
from purge_conformance.reference.store.transitions import make_usage_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = new_registrar(VARIANTS)


@variant("idle-changes-recorded")
@wrap_operations("start_app", "stop_app")
def idle_changes_recorded(call: Call, answer: Handler) -> Reply:
    app = find_by_guid(call.session, App, call.path_parameters["guid"])
    previous_state = app.state if app else None
    reply = answer(call)
    if app and app.state == previous_state:
        call.behaviour.record(call.session, make_usage_event(app.web))
    return reply


@variant("scaling-of-stopped-recorded")
@wrap_operations("scale_process", "scale_app_process")
def scaling_of_stopped_recorded(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    process = find_by_guid(call.session, Process, reply.body["guid"])
    if process and process.app.state == STOPPED:
        call.behaviour.record(call.session, make_usage_event(process))
    return reply


@variant("deletion-not-recorded")
@wrap_operations("delete_app", "delete_space", "delete_organization")
def deletion_not_recorded(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, behaviour=replace(call.behaviour, record=lambda *_: None)))


@variant("deletion-takes-events-along")
@wrap_operations("delete_app")
def deletion_takes_events_along(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    call.session.flush()
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.app_guid == call.path_parameters["guid"]))
    return reply


@variant("scaling-recorded-by-instance")
@wrap_operations("scale_process", "scale_app_process")
def scaling_recorded_by_instance(call: Call, answer: Handler) -> Reply:
    def record(session: Session, event: AppUsageEvent) -> None:
        for instances in _unit_steps(event.previous_instances, event.instances):
            step = copy_event(event)
            step.guid, step.previous_instances, step.instances = new_guid(), *instances
            call.behaviour.record(session, step)
        if event.previous_memory_in_mb != event.memory_in_mb:
            call.behaviour.record(session, event)

    return answer(replace(call, behaviour=replace(call.behaviour, record=record)))


def _unit_steps(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of neighbours on the way from one number to another."""
    yield from pairwise(range(first, last + 1) if first < last else range(first, last - 1, -1))


@variant("scaling-recorded-as-restart")
@wrap_operations("scale_process", "scale_app_process")
def scaling_recorded_as_restart(call: Call, answer: Handler) -> Reply:
    def record(session: Session, event: AppUsageEvent) -> None:
        stopped = copy_event(event)
        stopped.guid, stopped.state = new_guid(), STOPPED
        stopped.instances, stopped.memory_in_mb = event.previous_instances, event.previous_memory_in_mb
        event.previous_state = STOPPED
        for step in (stopped, event):
            call.behaviour.record(session, step)

    return answer(replace(call, behaviour=replace(call.behaviour, record=record)))
