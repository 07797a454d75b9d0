"""Faults of purges that are under way at the same time; a purge by itself is right."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import Change, registering, twin
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, new_guid, now
from purge_conformance.reference.store.transitions import seed_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour

    Answer = Callable[[], Reply]
    Colliding = Callable[[Answer, sessionmaker[Session]], Reply]

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)
WAIT_S = 0.1  # in which purges meet each other


def colliding(collide: Colliding) -> Change:
    """Make a change of a function that answers a purge beside which another one is or was under way."""

    def change(behaviour: Behaviour) -> Behaviour:
        under_way: set[object] = set()
        met: set[object] = set()

        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != "purge_events":
                return await behaviour.pace(operation, answer, sessions)
            purge = object()
            under_way.add(purge)
            if len(under_way) > 1:
                met.update(under_way)
            await asyncio.sleep(WAIT_S)
            under_way.discard(purge)
            return collide(answer, sessions) if purge in met else answer()

        return replace(behaviour, pace=pace)

    return change


def _spoilt(spoil: Callable[[Session], None]) -> Change:
    """Make a change of a function that spoils what a purge left that met another one."""

    @colliding
    def change(answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        reply = answer()
        with sessions.begin() as session:
            spoil(session)
        return reply

    return change


@fault("parallel-purges-seed-twice")
@_spoilt
def _(session: Session) -> None:
    again = [twin(event) for event in session.scalars(select(AppUsageEvent))]
    for event in again:
        event.guid = new_guid()
    session.add_all(again)


@fault("parallel-purges-miss-an-app")
@_spoilt
def _(session: Session) -> None:
    newest = select(func.max(AppUsageEvent.id)).scalar_subquery()
    session.execute(delete(AppUsageEvent).where(AppUsageEvent.id == newest))


@fault("parallel-purges-seed-stopped-apps")
@_spoilt
def _(session: Session) -> None:
    for app in session.scalars(select(App).where(App.state == STOPPED)):
        event = seed_of(app, now())
        event.state = event.previous_state = STARTED
        session.add(event)


@fault("parallel-purges-keep-an-event")
@colliding
def _(answer: Answer, sessions: sessionmaker[Session]) -> Reply:
    recorded = select(AppUsageEvent).where(AppUsageEvent.guid != AppUsageEvent.app_guid)
    with sessions.begin() as session:
        kept = [twin(event) for event in session.scalars(recorded.order_by(AppUsageEvent.id).limit(1))]
    reply = answer()
    with sessions.begin() as session:
        session.add_all(kept)
    return reply


@fault("parallel-purges-answer-202")
@colliding
def _(answer: Answer, _: sessionmaker[Session]) -> Reply:
    return replace(answer(), status=202)


@fault("parallel-purges-answer-bare-500")
@colliding
def _(answer: Answer, _: sessionmaker[Session]) -> Reply:
    answer()
    return Reply(status=500, body="Internal Server Error", content_type="text/plain; charset=utf-8")
