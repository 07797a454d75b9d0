"""Faults of what a purge destroys, seeds and answers, whatever comes with the request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import parse_body
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import (
    Change,
    alter_seeds,
    choose_seeded_apps,
    copy_event,
    fault,
    is_seed,
    wrap_operations,
)
from purge_conformance.reference.store.tables import STARTED, STOPPED, TIMESTAMP_FORMAT, App, AppUsageEvent, new_guid
from purge_conformance.reference.store.transitions import find_started_apps, seed_for_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply


@fault("purge-returns-data")
@wrap_operations("purge_events")
def purge_returns_data(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return replace(reply, body={"purged": call.session.scalar(select(func.count(AppUsageEvent.id)))})


@fault("purge-answers-202")
@wrap_operations("purge_events")
def purge_answers_202(call: Call, answer: Handler) -> Reply:
    return replace(answer(call), status=202)


@fault("purge-wants-a-body")
@wrap_operations("purge_events")
def purge_wants_a_body(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if not _has_object_body(call):
        raise ApiError(400, 10005, "CF-BadRequest", "Confirm the purge in the body")
    return reply


@fault("purge-answers-500-when-done")
@wrap_operations("purge_events")
def purge_answers_500_when_done(call: Call, answer: Handler) -> Reply:
    answer(call)
    return call.behaviour.error_reply(problems.unknown_error())


@fault("second-purge-fails")
def second_purge_fails(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        events = session.scalars(select(AppUsageEvent)).all()
        if events and all(is_seed(event) for event in events):
            raise ApiError(409, 10016, "CF-Conflict", "There is nothing to purge")
        behaviour.destroy(session)

    return replace(behaviour, destroy=destroy)


@fault("keeps-oldest-event")
def keeps_oldest_event(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        not_seeded = AppUsageEvent.guid != AppUsageEvent.app_guid
        oldest = session.scalar(select(func.min(AppUsageEvent.id)).where(not_seeded))
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.id != (oldest or 0)))

    return replace(behaviour, destroy=destroy)


@fault("keeps-events-by-guid")
def keeps_events_by_guid(behaviour: Behaviour) -> Behaviour:
    copies: dict[str, AppUsageEvent] = {}

    def destroy(session: Session) -> None:
        copies.update((event.guid, copy_event(event)) for event in session.scalars(select(AppUsageEvent)))
        behaviour.destroy(session)

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        return behaviour.find_event(session, guid) or copies.get(guid)

    return replace(behaviour, destroy=destroy, find_event=find_event)


@fault("resurrects-events")
def resurrects_events(behaviour: Behaviour) -> Behaviour:
    hidden: list[AppUsageEvent] = []

    def destroy(session: Session) -> None:
        hidden.extend(copy_event(event) for event in session.scalars(select(AppUsageEvent)) if not is_seed(event))
        behaviour.destroy(session)

    def record(session: Session, event: AppUsageEvent) -> None:
        if hidden:
            session.add(hidden.pop())
        behaviour.record(session, event)

    return replace(behaviour, destroy=destroy, record=record)


@fault("seeds-nothing")
@choose_seeded_apps
def seeds_nothing(_session: Session) -> Sequence[App]:
    return []


@fault("misses-other-organization")
@choose_seeded_apps
def misses_other_organization(session: Session) -> Sequence[App]:
    apps = find_started_apps(session)
    return [app for app in apps if app.space.organization_guid == apps[0].space.organization_guid]


@fault("misses-apps-without-instances")
@choose_seeded_apps
def misses_apps_without_instances(session: Session) -> Sequence[App]:
    return [app for app in find_started_apps(session) if app.web.instances > 0]


@fault("seeds-stopped-apps")
def seeds_stopped_apps(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        stopped = [seed_for_app(app, moment) for app in session.scalars(select(App).where(App.state == STOPPED))]
        for event in stopped:
            event.state = event.previous_state = STARTED
        return behaviour.make_seeds(session, moment) + stopped

    return replace(behaviour, make_seeds=seeds)


@fault("seeds-wrong-instance-count")
@alter_seeds
def seeds_wrong_instance_count(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.instances += 1
    return seeds


@fault("seeds-wrong-space")
@alter_seeds
def seeds_wrong_space(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.space_guid = new_guid()
    return seeds


@fault("seeds-twice")
@alter_seeds
def seeds_twice(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    copies = [copy_event(event) for event in seeds]
    for event in copies:
        event.guid = new_guid()
    return seeds + copies


@fault("random-seed-guid")
@alter_seeds
def random_seed_guid(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.guid = new_guid()
    return seeds


def _shift_seed_times(offset: timedelta) -> Change:
    def alter(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
        for event in seeds:
            moment = datetime.strptime(event.created_at, TIMESTAMP_FORMAT).replace(tzinfo=UTC) + offset
            event.created_at = event.updated_at = moment.strftime(TIMESTAMP_FORMAT)
        return seeds

    return alter_seeds(alter)


fault("stale-created-at")(_shift_seed_times(timedelta(hours=-1)))


def _has_object_body(call: Call) -> bool:
    return isinstance(parse_body(call.raw_body, call.content_type), dict)


@fault("object-body-keeps-events")
@wrap_operations("purge_events")
def object_body_keeps_events(call: Call, answer: Handler) -> Reply:
    with call.session.begin_nested() as savepoint:
        reply = answer(call)
        if _has_object_body(call):
            savepoint.rollback()
    return reply


@fault("object-body-500")
@wrap_operations("purge_events")
def object_body_500(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if _has_object_body(call):
        raise problems.unknown_error()
    return reply
