"""Faults of how a change after a purge is recorded: whether, how often, of what; and of seeded events that end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

from purge_conformance.reference.mutation import Change, around, everywhere, not_recording, registering, twin
from purge_conformance.reference.store.tables import STARTED, STOPPED, AppUsageEvent, moment, new_guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.transitions import Record

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

SEEDED = AppUsageEvent.guid == AppUsageEvent.app_guid
A_WHILE = timedelta(seconds=0.8)  # less than a run lets pass so that times differ


@fault("start-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return (event.previous_state, event.state) == (STOPPED, STARTED)


@fault("stop-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return (event.previous_state, event.state) == (STARTED, STOPPED)


@fault("scale-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return event.previous_state == event.state


@fault("seeded-event-rewritten")
def _(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: AppUsageEvent) -> None:
        if event.previous_state == STARTED:
            seeded = update(AppUsageEvent).where(AppUsageEvent.guid == event.app_guid)
            told = {name: getattr(event, name) for name in ("state", "instances", "memory_in_mb")}
            session.execute(seeded.values(**told, updated_at=AppUsageEvent.updated_at))  # else it tells of the writing
        behaviour.record(session, event)

    return replace(behaviour, record=record)


def _recording(record: Callable[[Record, Session, AppUsageEvent], None]) -> Change:
    """Make a change of a function that records an event, given how it would be recorded."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, record=lambda session, event: record(behaviour.record, session, event))

    return change


@fault("recorded-twice")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    again = twin(event)
    again.guid = new_guid()
    record(session, event)
    record(session, again)


@fault("scale-recorded-as-it-was")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    event.instances, event.memory_in_mb = event.previous_instances, event.previous_memory_in_mb
    record(session, event)


@fault("scale-from-none-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return event.previous_instances == 0 and event.instances > 0


@fault("start-without-instances-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return event.instances == 0 and event.state == STARTED and event.previous_state == STOPPED


@fault("seeded-events-end-after-a-while")
def _(behaviour: Behaviour) -> Behaviour:
    ends: list[datetime] = []

    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        ends.append(moment() + A_WHILE)

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        if len(ends) == 2 and ends[-1] <= moment():  # noqa: PLR2004 - of the second purge
            call.session.execute(delete(AppUsageEvent).where(SEEDED))
        return answer(call)

    return at_last(replace(behaviour, destroy=destroy))


@fault("get-destroys-event")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == call.parts["guid"]))
    return reply
