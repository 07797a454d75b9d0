"""Faults of purges that take effect a fixed time after their answer, as a whole or in part."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from sqlalchemy import delete

from purge_conformance.reference.faults.concurrency import PURGE_DURATION_S
from purge_conformance.reference.mutation import fault, schedule_purge
from purge_conformance.reference.store.tables import AppUsageEvent, format_timestamp, new_guid, utc_now
from purge_conformance.reference.store.transitions import IS_SEED, NOT_SEEDED, copy_event, copy_recorded_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour, Reply
    from purge_conformance.reference.mutation import Answer, Change

    Effect = Callable[[Session], object]
    Postpone = Callable[[Effect], None]


def _late(delay_s: float, alter: Callable[[Behaviour, Postpone], Behaviour]) -> Change:
    """Return the change by a function that can postpone effects: before the first request after that many seconds."""

    def change(behaviour: Behaviour) -> Behaviour:
        due: list[tuple[float, Effect]] = []  # when each effect comes, in order

        def postpone(effect: Effect) -> None:
            due.append((time.monotonic() + delay_s, effect))

        async def schedule(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            while due and due[0][0] <= time.monotonic():
                _, effect = due.pop(0)
                with sessions.begin() as session:
                    effect(session)
            return await altered.schedule(operation, answer, sessions)

        altered = alter(behaviour, postpone)
        return replace(altered, schedule=schedule)

    return change


def _purge_late(behaviour: Behaviour, postpone: Postpone) -> Behaviour:
    def destroy(_: Session) -> None:
        postpone(behaviour.purge_and_reseed)

    return replace(behaviour, destroy=destroy, make_seeds=lambda _session, _moment: [])


def _destroy_late(behaviour: Behaviour, postpone: Postpone) -> Behaviour:
    def destroy(session: Session) -> None:
        guids = [event.guid for event in copy_recorded_events(session)]
        session.execute(delete(AppUsageEvent).where(IS_SEED))
        postpone(lambda later: later.execute(delete(AppUsageEvent).where(AppUsageEvent.guid.in_(guids))))

    return replace(behaviour, destroy=destroy)


def _seed_late(behaviour: Behaviour, postpone: Postpone) -> Behaviour:
    def seed(session: Session) -> None:
        session.execute(delete(AppUsageEvent).where(IS_SEED))
        session.add_all(behaviour.make_seeds(session, format_timestamp(utc_now())))

    def make_none(_session: Session, _moment: str) -> list[AppUsageEvent]:
        postpone(seed)
        return []

    return replace(behaviour, make_seeds=make_none)


fault("purges-0.3-seconds-late")(_late(0.3, _purge_late))
fault("purges-2-seconds-late")(_late(2, _purge_late))
fault("destroys-2-seconds-late")(_late(2, _destroy_late))
fault("seeds-2-seconds-late")(_late(2, _seed_late))


def _later_effect_of_changes(make_effect: Callable[[Behaviour, list[AppUsageEvent]], Effect]) -> Change:
    """Decorate the effect of a purge during which apps change, from the events of the changes; it comes 0.6 s later."""

    def alter(behaviour: Behaviour, postpone: Postpone) -> Behaviour:
        running: list[list[AppUsageEvent]] = []  # of each purge under way, the events that are recorded since

        def record(session: Session, event: AppUsageEvent) -> None:
            behaviour.record(session, event)
            for events in running:
                events.append(copy_event(event))

        @schedule_purge
        async def purge(_: Behaviour, answer: Answer, __: sessionmaker[Session]) -> Reply:
            events: list[AppUsageEvent] = []
            running.append(events)
            await asyncio.sleep(PURGE_DURATION_S)
            running.remove(events)
            reply = answer()
            if events and reply.status == HTTPStatus.OK:
                postpone(make_effect(behaviour, events))
            return reply

        return purge(replace(behaviour, record=record))

    return _late(0.6, alter)


@fault("change-during-purge-recorded-again-later")
@_later_effect_of_changes
def change_during_purge_recorded_again_later(behaviour: Behaviour, events: list[AppUsageEvent]) -> Effect:
    def record_again(session: Session) -> None:
        for event in events:
            behaviour.record(session, copy_event(event, guid=new_guid()))

    return record_again


@fault("destroys-again-after-busy-purge")
@_later_effect_of_changes
def destroys_again_after_busy_purge(_: Behaviour, __: list[AppUsageEvent]) -> Effect:
    return lambda session: session.execute(delete(AppUsageEvent).where(NOT_SEEDED))
