"""Variants of overlapping purges, and of what is recorded of changes that nothing documents."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.connection_changes import wrap_app_with
from purge_conformance.reference.mutation import Answer, Change, Rows, schedule_purge, variant, wrap_operations
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import STOPPED, App, AppUsageEvent, Process, new_guid, timestamp_now
from purge_conformance.reference.store.transitions import copy_event, make_usage_event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.lists import Listing


READ_AHEAD_S = 0.15  # seconds between reading the started apps and the purge
PURGE_DURATION_S = 0.1  # seconds in which purges overlap, and apps can change


@variant("purges-one-at-a-time")
def purges_one_at_a_time(behaviour: Behaviour) -> Behaviour:
    lock = asyncio.Lock()

    @schedule_purge
    async def change(_: Behaviour, answer: Answer, __: sessionmaker[Session]) -> Reply:
        async with lock:
            await asyncio.sleep(PURGE_DURATION_S)
            return answer()

    return change(behaviour)


def _reject_concurrent_purges(make_error: Callable[[], ApiError], headers: dict[str, str] | None = None) -> Change:
    """Return the change that rejects a purge while another one is under way."""

    def change(behaviour: Behaviour) -> Behaviour:
        running: list[Answer] = []

        @schedule_purge
        async def reject_if_busy(behaviour: Behaviour, answer: Answer, _: sessionmaker[Session]) -> Reply:
            if running:
                return replace(behaviour.error_reply(make_error()), headers=headers or {})
            running.append(answer)
            await asyncio.sleep(PURGE_DURATION_S)
            running.clear()
            return answer()

        return reject_if_busy(behaviour)

    return change


variant("busy-purge-409")(_reject_concurrent_purges(problems.conflict))
variant("busy-purge-503")(_reject_concurrent_purges(problems.database_unavailable, {"retry-after": "1"}))


def _seed_in_further_transactions(seed: Callable[[Behaviour, sessionmaker[Session]], Awaitable[None]]) -> Change:
    """Decorate a coroutine that seeds in transactions of its own, after a purge that only destroys."""

    def change(behaviour: Behaviour) -> Behaviour:
        @schedule_purge
        async def purge(without_seeds: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            reply = answer()
            if reply.status != HTTPStatus.OK:
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


@variant("counts-nothing-during-purge")
def counts_nothing_during_purge(behaviour: Behaviour) -> Behaviour:
    running: list[Answer] = []

    def find_events(session: Session, listing: Listing[AppUsageEvent], query: ListQuery) -> tuple[int, Rows]:
        total, rows = behaviour.find_events(session, listing, query)
        return 0 if running else total, rows

    @schedule_purge
    async def purge(_: Behaviour, answer: Answer, __: sessionmaker[Session]) -> Reply:
        running.append(answer)
        await asyncio.sleep(PURGE_DURATION_S)
        running.remove(answer)
        return answer()

    return purge(replace(behaviour, find_events=find_events))


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


@variant("reads-apps-before-purge")
def reads_apps_before_purge(behaviour: Behaviour) -> Behaviour:
    seeds: list[AppUsageEvent] = []

    @schedule_purge
    async def purge(_: Behaviour, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
        with sessions() as session:
            early = [copy_event(event) for event in behaviour.make_seeds(session, timestamp_now())]
            session.rollback()
        await asyncio.sleep(READ_AHEAD_S)
        seeds[:] = early
        return answer()

    return purge(replace(behaviour, make_seeds=lambda _session, moment: [_at(event, moment) for event in seeds]))


def _at(event: AppUsageEvent, moment: str) -> AppUsageEvent:
    return copy_event(event, created_at=moment, updated_at=moment)


@variant("recording-waits-for-purge")
def recording_waits_for_purge(behaviour: Behaviour) -> Behaviour:
    running: list[Answer] = []
    pending: list[AppUsageEvent] = []

    def record(session: Session, event: AppUsageEvent) -> None:
        if running:
            pending.append(event)
        else:
            behaviour.record(session, event)

    @schedule_purge
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


@variant("idle-changes-recorded")
@wrap_operations("start_app", "stop_app")
def idle_changes_recorded(call: Call, answer: Handler) -> Reply:
    app = find_by_guid(call.session, App, call.path_parameters["guid"])
    previous_state = app.state if app else None
    reply = answer(call)
    if app and app.state == previous_state:
        call.behaviour.record(call.session, make_usage_event(app.web))
    return reply


@variant("scaling-of-stopped-recorded")
@wrap_operations("scale_process", "scale_app_process")
def scaling_of_stopped_recorded(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    process = find_by_guid(call.session, Process, reply.body["guid"])
    if process and process.app.state == STOPPED:
        call.behaviour.record(call.session, make_usage_event(process))
    return reply


@variant("deletion-not-recorded")
@wrap_operations("delete_app", "delete_space", "delete_organization")
def deletion_not_recorded(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, behaviour=replace(call.behaviour, record=lambda *_: None)))


@variant("deletion-takes-events-along")
@wrap_operations("delete_app")
def deletion_takes_events_along(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    call.session.flush()
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.app_guid == call.path_parameters["guid"]))
    return reply


@variant("scaling-recorded-by-instance")
@wrap_operations("scale_process", "scale_app_process")
def scaling_recorded_by_instance(call: Call, answer: Handler) -> Reply:
    def record(session: Session, event: AppUsageEvent) -> None:
        for previous, current in _unit_steps(event.previous_instances, event.instances):
            step = copy_event(event, guid=new_guid(), previous_instances=previous, instances=current)
            call.behaviour.record(session, step)
        if event.previous_memory_in_mb != event.memory_in_mb:
            call.behaviour.record(session, event)

    return answer(replace(call, behaviour=replace(call.behaviour, record=record)))


def _unit_steps(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of consecutive numbers on the way from one number to another."""
    yield from pairwise(range(first, last + 1) if first < last else range(first, last - 1, -1))


@variant("scaling-recorded-as-restart")
@wrap_operations("scale_process", "scale_app_process")
def scaling_recorded_as_restart(call: Call, answer: Handler) -> Reply:
    def record(session: Session, event: AppUsageEvent) -> None:
        previous_size = {"instances": event.previous_instances, "memory_in_mb": event.previous_memory_in_mb}
        stopped = copy_event(event, guid=new_guid(), state=STOPPED, **previous_size)
        event.previous_state = STOPPED
        for step in (stopped, event):
            call.behaviour.record(session, step)

    return answer(replace(call, behaviour=replace(call.behaviour, record=record)))


@variant("one-request-at-a-time")
def one_request_at_a_time(behaviour: Behaviour) -> Behaviour:
    lock = asyncio.Lock()

    @wrap_app_with
    async def wait_for_turn(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async with lock:
            await app(scope, receive, send)

    return wait_for_turn(behaviour)
