"""Faults of purges that overlap with other purges or with changes of apps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import Change, fault, schedule_purge
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, new_guid, timestamp_now
from purge_conformance.reference.store.transitions import (
    IS_SEED,
    copy_event,
    copy_recorded_events,
    is_seed,
    seed_for_app,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour
    from purge_conformance.reference.mutation import Answer

    CollisionHandler = Callable[[Answer, sessionmaker[Session]], Reply]


OVERLAP_S = 0.1  # seconds in which purges can overlap


def on_collision(handle_collision: CollisionHandler) -> Change:
    """Decorate a function that answers a purge that overlapped with another one; it gets the original answer."""

    def change(behaviour: Behaviour) -> Behaviour:
        running: set[Answer] = set()
        overlapping: set[Answer] = set()

        @schedule_purge
        async def purge(_: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            running.add(answer)
            if len(running) > 1:
                overlapping.update(running)
            await asyncio.sleep(OVERLAP_S)
            running.discard(answer)
            return handle_collision(answer, sessions) if answer in overlapping else answer()

        return purge(behaviour)

    return change


def _corrupt_after_collision(corrupt: Callable[[Session], None]) -> Change:
    """Decorate a function that corrupts the events after a purge that overlapped with another one."""

    @on_collision
    def change(answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        reply = answer()
        if reply.status == HTTPStatus.OK:
            with sessions.begin() as session:
                corrupt(session)
        return reply

    return change


@fault("parallel-purges-seed-twice")
@_corrupt_after_collision
def parallel_purges_seed_twice(session: Session) -> None:
    session.add_all([copy_event(event, guid=new_guid()) for event in session.scalars(select(AppUsageEvent))])


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
@on_collision
def parallel_purges_keep_an_event(answer: Answer, sessions: sessionmaker[Session]) -> Reply:
    with sessions.begin() as session:
        recorded = copy_recorded_events(session)
    reply = answer()
    if reply.status == HTTPStatus.OK:
        with sessions.begin() as session:
            known = set(session.scalars(select(AppUsageEvent.guid)))
            session.add_all([event for event in recorded if event.guid not in known][:1])
    return reply


@fault("parallel-purges-answer-202")
@on_collision
def parallel_purges_answer_202(answer: Answer, _: sessionmaker[Session]) -> Reply:
    reply = answer()
    return replace(reply, status=HTTPStatus.ACCEPTED) if reply.status == HTTPStatus.OK else reply


@fault("parallel-purges-answer-bare-500")
@on_collision
def parallel_purges_answer_bare_500(answer: Answer, _: sessionmaker[Session]) -> Reply:
    reply = answer()
    failure = Reply(
        status=HTTPStatus.INTERNAL_SERVER_ERROR, body="Internal Server Error", content_type="text/plain; charset=utf-8"
    )
    return failure if reply.status == HTTPStatus.OK else reply


PURGE_DURATION_S = 0.15  # seconds from the start of a purge to its end, in which apps can change


@dataclass(eq=False)
class RunningPurge:
    """A purge under way.

    Attributes:
        events_before: copies of the events that it destroyed.
        seeds: copies of the events that it seeded at its start.
        events_during: copies of the events recorded since.
    """

    events_before: list[AppUsageEvent]
    seeds: list[AppUsageEvent]
    events_during: list[AppUsageEvent] = field(default_factory=list)

    @property
    def changed_apps(self) -> set[str]:
        """The guids of the apps that changed during the purge."""
        return {event.app_guid for event in self.events_during}


def _corrupt_end_of_purge(corrupt: Callable[[Session, RunningPurge], None]) -> Change:
    """Decorate a function that corrupts the events at the end of a purge during which something was recorded.

    Such a purge purges twice, at its start and at its end. A rejected purge is answered at once.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        running: list[RunningPurge] = []

        def record(session: Session, event: AppUsageEvent) -> None:
            behaviour.record(session, event)
            for purge in running:
                purge.events_during.append(copy_event(event))

        @schedule_purge
        async def purge_twice(_: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            events_before = _copy_all_events(sessions)
            reply = answer()
            if reply.status != HTTPStatus.OK:
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

        return purge_twice(replace(behaviour, record=record))

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


@fault("change-after-busy-purge-lost")
def change_after_busy_purge_lost(behaviour: Behaviour) -> Behaviour:
    is_busy: list[bool] = []

    def record(session: Session, event: AppUsageEvent) -> None:
        if not (is_busy and not running):
            behaviour.record(session, event)
        is_busy[:] = [True] if running else []

    running: list[Answer] = []

    @schedule_purge
    async def purge(behaviour: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        reply = await behaviour.schedule("purge_events", answer, sessions)
        if reply.status == HTTPStatus.OK:
            running.append(answer)
            await asyncio.sleep(PURGE_DURATION_S)
            running.remove(answer)
        return reply

    return purge(replace(behaviour, record=record))


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


@fault("seed-of-changed-app-stopped")
@_corrupt_end_of_purge
def seed_of_changed_app_stopped(session: Session, purge: RunningPurge) -> None:
    changed = select(AppUsageEvent).where(IS_SEED, AppUsageEvent.app_guid.in_(purge.changed_apps))
    for event in session.scalars(changed):
        event.state = STOPPED


@fault("change-during-purge-told-twice")
def change_during_purge_told_twice(behaviour: Behaviour) -> Behaviour:
    running: list[Answer] = []

    def record(session: Session, event: AppUsageEvent) -> None:
        behaviour.record(session, event)
        if running:
            behaviour.record(session, copy_event(event, guid=new_guid()))

    @schedule_purge
    async def purge_first_and_answer_later(
        behaviour: Behaviour, answer: Answer, sessions: sessionmaker[Session]
    ) -> Reply:
        reply = await behaviour.schedule("purge_events", answer, sessions)
        if reply.status == HTTPStatus.OK:
            running.append(answer)
            await asyncio.sleep(PURGE_DURATION_S)
            running.remove(answer)
        return reply

    return purge_first_and_answer_later(replace(behaviour, record=record))
