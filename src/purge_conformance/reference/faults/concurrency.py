"""Faults of purges that overlap with other purges or with changes of apps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import Change, copy_event, fault, is_seed
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, new_guid, timestamp_now
from purge_conformance.reference.store.transitions import seed_for_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour

    Answer = Callable[[], Reply]

    CollisionHandler = Callable[[Answer, sessionmaker[Session]], Reply]


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


PURGE_DURATION_S = 0.15  # from the beginning of a purge to its end, for changes to come in between
OK = 200


@dataclass(eq=False)
class RunningPurge:
    """A purge under way.

    Attributes:
        before: what it destroyed when it began.
        seeds: what was started then.
        meanwhile: what was recorded since.
    """

    events_before: list[AppUsageEvent]
    seeds: list[AppUsageEvent]
    events_during: list[AppUsageEvent] = field(default_factory=list)

    @property
    def changed_apps(self) -> set[str]:
        """The guids of the apps that were changed meanwhile."""
        return {event.app_guid for event in self.events_during}


def _corrupt_end_of_purge(corrupt: Callable[[Session, RunningPurge], None]) -> Change:
    """Make a change of a function that spoils the end of a purge during which something was recorded.

    A purge is done twice, when it begins and when it ends, so that one that is refused need not last.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        running: list[RunningPurge] = []

        def record(session: Session, event: AppUsageEvent) -> None:
            behaviour.record(session, event)
            for purge in running:
                purge.events_during.append(copy_event(event))

        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != "purge_events":
                return await behaviour.schedule(operation, answer, sessions)
            events_before = _copy_all_events(sessions)
            reply = answer()
            if reply.status != OK:
                return reply
            purge = RunningPurge(events_before, _copy_all_events(sessions))
            running.append(purge)
            await asyncio.sleep(PURGE_DURATION_S)
            running.remove(purge)
            reply = answer()
            if purge.events_during:
                with sessions.begin() as session:
                    corrupt(session, purge)
            return reply

        return replace(behaviour, record=record, schedule=pace)

    return change


def _copy_all_events(sessions: sessionmaker[Session]) -> list[AppUsageEvent]:
    with sessions.begin() as session:
        return [copy_event(event) for event in session.scalars(select(AppUsageEvent).order_by(AppUsageEvent.id))]


def _replace_all(session: Session, events: list[AppUsageEvent]) -> None:
    session.execute(delete(AppUsageEvent))
    session.add_all(events)


@fault("changes-during-purge-lost")
@_corrupt_end_of_purge
def changes_during_purge_lost(session: Session, purge: RunningPurge) -> None:
    _replace_all(session, purge.seeds)


@fault("changed-apps-keep-events")
@_corrupt_end_of_purge
def changed_apps_keep_events(session: Session, purge: RunningPurge) -> None:
    session.add_all(
        event for event in purge.events_before if event.app_guid in purge.changed_apps and not is_seed(event)
    )


@fault("newest-event-survives-change")
@_corrupt_end_of_purge
def newest_event_survives_change(session: Session, purge: RunningPurge) -> None:
    session.add_all([event for event in purge.events_before if not is_seed(event)][-1:])


def _record_during_purge(record: Callable[[Behaviour, Session, AppUsageEvent], None], *, afterwards: bool) -> Change:
    """Make a change of a function that records what happens while a purge is under way, or the first thing afterwards.

    The purge itself is done when it begins, and answered later.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        running: list[Answer] = []
        pending: list[AppUsageEvent] = []

        def record_event(session: Session, event: AppUsageEvent) -> None:
            if running and afterwards:
                pending.append(event)
            if bool(running) != afterwards and (pending or not afterwards):
                pending.clear()
                record(behaviour, session, event)
            else:
                behaviour.record(session, event)

        async def pace(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            reply = await behaviour.schedule(operation, answer, sessions)
            if operation == "purge_events" and reply.status == OK:
                running.append(answer)
                await asyncio.sleep(PURGE_DURATION_S)
                running.remove(answer)
            return reply

        return replace(behaviour, record=record_event, schedule=pace)

    return change


def _record_twice(behaviour: Behaviour, session: Session, event: AppUsageEvent) -> None:
    copy = copy_event(event)
    copy.guid = new_guid()
    behaviour.record(session, event)
    behaviour.record(session, copy)


fault("change-during-purge-told-twice")(_record_during_purge(_record_twice, afterwards=False))
