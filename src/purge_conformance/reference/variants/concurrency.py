"""Variants of how purges meet each other, and of what is recorded meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, new_registrar
from purge_conformance.reference.store.tables import AppUsageEvent, timestamp_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Behaviour, Reply

    Answer = Callable[[], Reply]
    PurgeHandler = Callable[[Behaviour, Answer, sessionmaker[Session]], Awaitable[Reply]]

VARIANTS: dict[str, Change] = {}
variant = new_registrar(VARIANTS)
PURGE = "purge_events"
PURGE_DURATION_S = 0.1  # in which purges meet each other, and changes
OK = 200


def _schedule_purge(purge: PurgeHandler) -> Change:
    """Make a change of a function that takes its time for a purge."""

    def change(behaviour: Behaviour) -> Behaviour:
        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != PURGE:
                return await behaviour.schedule(operation, answer, sessions)
            return await purge(behaviour, answer, sessions)

        return replace(behaviour, schedule=pace)

    return change


@variant("purges-one-at-a-time")
def purges_one_at_a_time(behaviour: Behaviour) -> Behaviour:
    lock = asyncio.Lock()

    @_schedule_purge
    async def change(_: Behaviour, answer: Answer, __: sessionmaker[Session]) -> Reply:
        async with lock:
            await asyncio.sleep(PURGE_DURATION_S)
            return answer()

    return change(behaviour)


def _reject_concurrent_purges(refusal: Callable[[], ApiError], headers: dict[str, str] | None = None) -> Change:
    """Refuse a purge while another one is under way."""

    def change(behaviour: Behaviour) -> Behaviour:
        running: list[Answer] = []

        @_schedule_purge
        async def reject_if_busy(behaviour: Behaviour, answer: Answer, _: sessionmaker[Session]) -> Reply:
            if running:
                return replace(behaviour.error_reply(refusal()), headers=headers or {})
            running.append(answer)
            await asyncio.sleep(PURGE_DURATION_S)
            running.clear()
            return answer()

        return reject_if_busy(behaviour)

    return change


variant("busy-purge-409")(_reject_concurrent_purges(problems.conflict))
variant("busy-purge-503")(_reject_concurrent_purges(problems.database_unavailable, {"retry-after": "1"}))


def _seed_in_further_transactions(seed: Callable[[Behaviour, sessionmaker[Session]], Awaitable[None]]) -> Change:
    """Let a purge destroy in one transaction, and seed in further ones."""

    def change(behaviour: Behaviour) -> Behaviour:
        @_schedule_purge
        async def purge(without_seeds: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            reply = answer()
            if reply.status != OK:
                return reply
            try:
                await seed(behaviour, sessions)
            except IntegrityError:
                return without_seeds.error_reply(problems.unknown_error())
            return reply

        return purge(replace(behaviour, make_seeds=lambda _session, _moment: []))

    return change


async def _seed_later(behaviour: Behaviour, sessions: sessionmaker[Session], *, allow_duplicates: bool) -> None:
    await asyncio.sleep(PURGE_DURATION_S)
    with sessions.begin() as session:
        existing = set() if allow_duplicates else set(session.scalars(select(AppUsageEvent.guid)))
        session.add_all(event for event in behaviour.make_seeds(session, timestamp_now()) if event.guid not in existing)


@variant("purge-in-two-commits")
@_seed_in_further_transactions
async def purge_in_two_commits(behaviour: Behaviour, sessions: sessionmaker[Session]) -> None:
    await _seed_later(behaviour, sessions, allow_duplicates=False)


@variant("busy-purge-500")
@_seed_in_further_transactions
async def busy_purge_500(behaviour: Behaviour, sessions: sessionmaker[Session]) -> None:
    await _seed_later(behaviour, sessions, allow_duplicates=True)


@variant("seeds-app-by-app")
@_seed_in_further_transactions
async def seeds_app_by_app(behaviour: Behaviour, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        guids = [event.guid for event in behaviour.make_seeds(session, timestamp_now())]
        session.rollback()
    for guid in guids:
        await asyncio.sleep(PURGE_DURATION_S / len(guids))
        with sessions.begin() as session:
            existing = set(session.scalars(select(AppUsageEvent.guid)))
            seeds = [
                event for event in behaviour.make_seeds(session, timestamp_now()) if event.guid == guid not in existing
            ]
            session.add_all(seeds)


@variant("recording-waits-for-purge")
def recording_waits_for_purge(behaviour: Behaviour) -> Behaviour:
    running: list[Answer] = []
    pending: list[AppUsageEvent] = []

    def record(session: Session, event: AppUsageEvent) -> None:
        if running:
            pending.append(event)
        else:
            behaviour.record(session, event)

    @_schedule_purge
    async def purge(_: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        running.append(answer)
        await asyncio.sleep(PURGE_DURATION_S)
        reply = answer()
        running.remove(answer)
        if not running:
            with sessions.begin() as session:
                for event in pending:
                    behaviour.record(session, event)
            pending.clear()
        return reply

    return purge(replace(behaviour, record=record))
