"""Variants of how purges meet each other, and of what is recorded meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, registering
from purge_conformance.reference.store.tables import AppUsageEvent, now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Behaviour, Reply

    Answer = Callable[[], Reply]
    Purge = Callable[[Behaviour, Answer, sessionmaker[Session]], Awaitable[Reply]]

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)
PURGE = "purge_events"
WAIT_S = 0.1  # in which purges meet each other, and changes
OK = 200


def _purging(purge: Purge) -> Change:
    """Make a change of a function that takes its time for a purge."""

    def change(behaviour: Behaviour) -> Behaviour:
        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != PURGE:
                return await behaviour.pace(operation, answer, sessions)
            return await purge(behaviour, answer, sessions)

        return replace(behaviour, pace=pace)

    return change


@variant("purges-one-at-a-time")
def _(behaviour: Behaviour) -> Behaviour:
    turn = asyncio.Lock()

    @_purging
    async def change(_: Behaviour, answer: Answer, __: sessionmaker[Session]) -> Reply:
        async with turn:
            await asyncio.sleep(WAIT_S)
            return answer()

    return change(behaviour)


def _refusing_others(refusal: Callable[[], ApiError], headers: dict[str, str] | None = None) -> Change:
    """Refuse a purge while another one is under way."""

    def change(behaviour: Behaviour) -> Behaviour:
        under_way: list[Answer] = []

        @_purging
        async def busy(behaviour: Behaviour, answer: Answer, _: sessionmaker[Session]) -> Reply:
            if under_way:
                return replace(behaviour.refusal(refusal()), headers=headers or {})
            under_way.append(answer)
            await asyncio.sleep(WAIT_S)
            under_way.clear()
            return answer()

        return busy(behaviour)

    return change


variant("busy-purge-409")(_refusing_others(problems.conflict))
variant("busy-purge-503")(_refusing_others(problems.database_unavailable, {"retry-after": "1"}))


def _seeding_afterwards(seed: Callable[[Behaviour, sessionmaker[Session]], Awaitable[None]]) -> Change:
    """Let a purge destroy in one transaction, and seed in further ones."""

    def change(behaviour: Behaviour) -> Behaviour:
        @_purging
        async def purge(bare: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            reply = answer()
            if reply.status != OK:
                return reply
            try:
                await seed(behaviour, sessions)
            except IntegrityError:
                return bare.refusal(problems.unknown_error())
            return reply

        return purge(replace(behaviour, seeds=lambda _session, _moment: []))

    return change


async def _later(behaviour: Behaviour, sessions: sessionmaker[Session], *, again: bool) -> None:
    await asyncio.sleep(WAIT_S)
    with sessions.begin() as session:
        there = set() if again else set(session.scalars(select(AppUsageEvent.guid)))
        session.add_all(event for event in behaviour.seeds(session, now()) if event.guid not in there)


@variant("purge-in-two-commits")
@_seeding_afterwards
async def _(behaviour: Behaviour, sessions: sessionmaker[Session]) -> None:
    await _later(behaviour, sessions, again=False)


@variant("busy-purge-500")
@_seeding_afterwards
async def _(behaviour: Behaviour, sessions: sessionmaker[Session]) -> None:
    await _later(behaviour, sessions, again=True)


@variant("seeds-app-by-app")
@_seeding_afterwards
async def _(behaviour: Behaviour, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        guids = [event.guid for event in behaviour.seeds(session, now())]
        session.rollback()
    for guid in guids:
        await asyncio.sleep(WAIT_S / len(guids))
        with sessions.begin() as session:
            there = set(session.scalars(select(AppUsageEvent.guid)))
            seeds = [event for event in behaviour.seeds(session, now()) if event.guid == guid not in there]
            session.add_all(seeds)


@variant("recording-waits-for-purge")
def _(behaviour: Behaviour) -> Behaviour:
    under_way: list[Answer] = []
    waiting: list[AppUsageEvent] = []

    def record(session: Session, event: AppUsageEvent) -> None:
        if under_way:
            waiting.append(event)
        else:
            behaviour.record(session, event)

    @_purging
    async def purge(_: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        under_way.append(answer)
        await asyncio.sleep(WAIT_S)
        reply = answer()
        under_way.remove(answer)
        if not under_way:
            with sessions.begin() as session:
                for event in waiting:
                    behaviour.record(session, event)
            waiting.clear()
        return reply

    return purge(replace(behaviour, record=record))
