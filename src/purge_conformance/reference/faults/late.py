"""Faults of purges that take effect a fixed time after their answer, as a whole or in part."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete

from purge_conformance.reference.mutation import fault
from purge_conformance.reference.store.tables import AppUsageEvent, format_timestamp, utc_now
from purge_conformance.reference.store.transitions import IS_SEED, copy_recorded_events

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
            return await behaviour.schedule(operation, answer, sessions)

        return replace(alter(behaviour, postpone), schedule=schedule)

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
