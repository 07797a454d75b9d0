"""Faults of a purge during which apps are started, stopped or scaled; without haste it is right."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from purge_conformance.reference.mutation import Change, is_seed, registering, twin
from purge_conformance.reference.store.tables import AppUsageEvent, new_guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour, Reply

    Answer = Callable[[], Reply]

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)
WAIT_S = 0.15  # from the beginning of a purge to its end, for changes to come in between
OK = 200


@dataclass(eq=False)
class Purge:
    """A purge under way.

    Attributes:
        before: what it destroyed when it began.
        seeds: what was started then.
        meanwhile: what was recorded since.
    """

    before: list[AppUsageEvent]
    seeds: list[AppUsageEvent]
    meanwhile: list[AppUsageEvent] = field(default_factory=list)

    @property
    def changed(self) -> set[str]:
        """The guids of the apps that were changed meanwhile."""
        return {event.app_guid for event in self.meanwhile}


def _lasting(spoil: Callable[[Session, Purge], None]) -> Change:
    """Make a change of a function that spoils the end of a purge during which something was recorded.

    A purge is done twice, when it begins and when it ends, so that one that is refused need not last.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        under_way: list[Purge] = []

        def record(session: Session, event: AppUsageEvent) -> None:
            behaviour.record(session, event)
            for purge in under_way:
                purge.meanwhile.append(twin(event))

        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != "purge_events":
                return await behaviour.pace(operation, answer, sessions)
            before = _events(sessions)
            reply = answer()
            if reply.status != OK:
                return reply
            purge = Purge(before, _events(sessions))
            under_way.append(purge)
            await asyncio.sleep(WAIT_S)
            under_way.remove(purge)
            reply = answer()
            if purge.meanwhile:
                with sessions.begin() as session:
                    spoil(session, purge)
            return reply

        return replace(behaviour, record=record, pace=pace)

    return change


def _events(sessions: sessionmaker[Session]) -> list[AppUsageEvent]:
    with sessions.begin() as session:
        return [twin(event) for event in session.scalars(select(AppUsageEvent).order_by(AppUsageEvent.id))]


def _replace_all(session: Session, events: list[AppUsageEvent]) -> None:
    session.execute(delete(AppUsageEvent))
    session.add_all(events)


@fault("changes-during-purge-lost")
@_lasting
def _(session: Session, purge: Purge) -> None:
    _replace_all(session, purge.seeds)


@fault("changed-apps-keep-events")
@_lasting
def _(session: Session, purge: Purge) -> None:
    session.add_all(event for event in purge.before if event.app_guid in purge.changed and not is_seed(event))


@fault("newest-event-survives-change")
@_lasting
def _(session: Session, purge: Purge) -> None:
    session.add_all([event for event in purge.before if not is_seed(event)][-1:])


def _recording(record: Callable[[Behaviour, Session, AppUsageEvent], None], *, afterwards: bool) -> Change:
    """Make a change of a function that records what happens while a purge is under way, or the first thing afterwards.

    The purge itself is done when it begins, and answered later.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        under_way: list[Answer] = []
        raced: list[AppUsageEvent] = []

        def record_or_not(session: Session, event: AppUsageEvent) -> None:
            if under_way and afterwards:
                raced.append(event)
            if bool(under_way) != afterwards and (raced or not afterwards):
                raced.clear()
                record(behaviour, session, event)
            else:
                behaviour.record(session, event)

        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            reply = await behaviour.pace(operation, answer, sessions)
            if operation == "purge_events" and reply.status == OK:
                under_way.append(answer)
                await asyncio.sleep(WAIT_S)
                under_way.remove(answer)
            return reply

        return replace(behaviour, record=record_or_not, pace=pace)

    return change


def _twice(behaviour: Behaviour, session: Session, event: AppUsageEvent) -> None:
    again = twin(event)
    again.guid = new_guid()
    behaviour.record(session, event)
    behaviour.record(session, again)


fault("change-during-purge-told-twice")(_recording(_twice, afterwards=False))
