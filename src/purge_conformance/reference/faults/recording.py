"""Faults of how changes after a purge are recorded, and of seeded events that disappear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

from purge_conformance.reference.mutation import (
    Change,
    after_pause,
    fault,
    skip_recording,
    wrap_operations,
)
from purge_conformance.reference.store.tables import STARTED, STOPPED, AppUsageEvent, new_guid
from purge_conformance.reference.store.transitions import IS_SEED, copy_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.transitions import Record


SECOND_PURGE = 2


@fault("start-not-recorded")
@skip_recording
def start_not_recorded(event: AppUsageEvent) -> bool:
    return (event.previous_state, event.state) == (STOPPED, STARTED)


@fault("stop-not-recorded")
@skip_recording
def stop_not_recorded(event: AppUsageEvent) -> bool:
    return (event.previous_state, event.state) == (STARTED, STOPPED)


@fault("scale-not-recorded")
@skip_recording
def scale_not_recorded(event: AppUsageEvent) -> bool:
    return event.previous_state == event.state


@fault("seeded-event-rewritten")
def seeded_event_rewritten(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: AppUsageEvent) -> None:
        if event.previous_state == STARTED:
            seeded = update(AppUsageEvent).where(AppUsageEvent.guid == event.app_guid)
            values = {name: getattr(event, name) for name in ("state", "instances", "memory_in_mb")}
            # updated_at is kept, since a changed one would show that the event was rewritten.
            session.execute(seeded.values(**values, updated_at=AppUsageEvent.updated_at))
        behaviour.record(session, event)

    return replace(behaviour, record=record)


def _record_with(record: Callable[[Record, Session, AppUsageEvent], None]) -> Change:
    """Decorate a function that records an event; it gets the original function."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, record=lambda session, event: record(behaviour.record, session, event))

    return change


@fault("recorded-twice")
@_record_with
def recorded_twice(record: Record, session: Session, event: AppUsageEvent) -> None:
    record(session, event)
    record(session, copy_event(event, guid=new_guid()))


@fault("scale-recorded-as-it-was")
@_record_with
def scale_recorded_as_it_was(record: Record, session: Session, event: AppUsageEvent) -> None:
    event.instances, event.memory_in_mb = event.previous_instances, event.previous_memory_in_mb
    record(session, event)


@fault("scale-from-none-not-recorded")
@skip_recording
def scale_from_none_not_recorded(event: AppUsageEvent) -> bool:
    return event.previous_instances == 0 and event.instances > 0


@fault("start-without-instances-not-recorded")
@skip_recording
def start_without_instances_not_recorded(event: AppUsageEvent) -> bool:
    return event.instances == 0 and event.state == STARTED and event.previous_state == STOPPED


@fault("seeded-events-end-after-a-while")
def seeded_events_end_after_a_while(behaviour: Behaviour) -> Behaviour:
    purges = 0

    def destroy(session: Session) -> None:
        nonlocal purges
        behaviour.destroy(session)
        purges += 1

    @after_pause
    def destroy_seeds(session: Session) -> None:
        if purges == SECOND_PURGE:
            session.execute(delete(AppUsageEvent).where(IS_SEED))

    return destroy_seeds(replace(behaviour, destroy=destroy))


@fault("get-destroys-event")
@wrap_operations("get_event")
def get_destroys_event(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == call.path_parameters["guid"]))
    return reply
