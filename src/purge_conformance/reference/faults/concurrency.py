"""Faults of purges that are under way at the same time; a purge by itself is right."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import Change, copy_event, new_registrar
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, new_guid, timestamp_now
from purge_conformance.reference.store.transitions import seed_for_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour

    Answer = Callable[[], Reply]
    CollisionHandler = Callable[[Answer, sessionmaker[Session]], Reply]

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)
OVERLAP_S = 0.1  # in which purges meet each other


def _on_collision(handle_collision: CollisionHandler) -> Change:
    """Make a change of a function that answers a purge beside which another one is or was under way."""

    def change(behaviour: Behaviour) -> Behaviour:
        running: set[object] = set()
        overlapping: set[object] = set()

        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != "purge_events":
                return await behaviour.schedule(operation, answer, sessions)
            purge = object()
            running.add(purge)
            if len(running) > 1:
                overlapping.update(running)
            await asyncio.sleep(OVERLAP_S)
            running.discard(purge)
            return handle_collision(answer, sessions) if purge in overlapping else answer()

        return replace(behaviour, schedule=pace)

    return change


def _corrupt_after_collision(corrupt: Callable[[Session], None]) -> Change:
    """Make a change of a function that spoils what a purge left that met another one."""

    @_on_collision
    def change(answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        reply = answer()
        with sessions.begin() as session:
            corrupt(session)
        return reply

    return change


@fault("parallel-purges-seed-twice")
@_corrupt_after_collision
def parallel_purges_seed_twice(session: Session) -> None:
    copies = [copy_event(event) for event in session.scalars(select(AppUsageEvent))]
    for event in copies:
        event.guid = new_guid()
    session.add_all(copies)


@fault("parallel-purges-miss-an-app")
@_corrupt_after_collision
def parallel_purges_miss_an_app(session: Session) -> None:
    newest = select(func.max(AppUsageEvent.id)).scalar_subquery()
    session.execute(delete(AppUsageEvent).where(AppUsageEvent.id == newest))


@fault("parallel-purges-seed-stopped-apps")
@_corrupt_after_collision
def parallel_purges_seed_stopped_apps(session: Session) -> None:
    for app in session.scalars(select(App).where(App.state == STOPPED)):
        event = seed_for_app(app, timestamp_now())
        event.state = event.previous_state = STARTED
        session.add(event)


@fault("parallel-purges-keep-an-event")
@_on_collision
def parallel_purges_keep_an_event(answer: Answer, sessions: sessionmaker[Session]) -> Reply:
    not_seeded = select(AppUsageEvent).where(AppUsageEvent.guid != AppUsageEvent.app_guid)
    with sessions.begin() as session:
        copies = [copy_event(event) for event in session.scalars(not_seeded.order_by(AppUsageEvent.id).limit(1))]
    reply = answer()
    with sessions.begin() as session:
        session.add_all(copies)
    return reply


@fault("parallel-purges-answer-202")
@_on_collision
def parallel_purges_answer_202(answer: Answer, _: sessionmaker[Session]) -> Reply:
    return replace(answer(), status=202)


@fault("parallel-purges-answer-bare-500")
@_on_collision
def parallel_purges_answer_bare_500(answer: Answer, _: sessionmaker[Session]) -> Reply:
    answer()
    return Reply(status=500, body="Internal Server Error", content_type="text/plain; charset=utf-8")
