"""Faults of what a purge destroys, seeds and answers, whatever comes with the request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import parsed
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import Change, around, is_seed, registering, seeding, seeding_apps, twin
from purge_conformance.reference.store.tables import STARTED, STOPPED, TIMESTAMP_FORMAT, App, AppUsageEvent, new_guid
from purge_conformance.reference.store.transitions import seed_of, started_apps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


@fault("purge-returns-data")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return replace(reply, body={"purged": call.session.scalar(select(func.count(AppUsageEvent.id)))})


@fault("purge-answers-202")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    return replace(answer(call), status=202)


@fault("purge-wants-a-body")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if not _has_object(call):
        raise ApiError(400, 10005, "CF-BadRequest", "Confirm the purge in the body")
    return reply


@fault("purge-answers-500-when-done")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    answer(call)
    return call.behaviour.refusal(problems.unknown_error())


@fault("second-purge-fails")
def _(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        events = session.scalars(select(AppUsageEvent)).all()
        if events and all(is_seed(event) for event in events):
            raise ApiError(409, 10016, "CF-Conflict", "There is nothing to purge")
        behaviour.destroy(session)

    return replace(behaviour, destroy=destroy)


@fault("keeps-oldest-event")
def _(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        recorded = AppUsageEvent.guid != AppUsageEvent.app_guid
        oldest = session.scalar(select(func.min(AppUsageEvent.id)).where(recorded))
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.id != (oldest or 0)))

    return replace(behaviour, destroy=destroy)


@fault("keeps-events-by-guid")
def _(behaviour: Behaviour) -> Behaviour:
    kept: dict[str, AppUsageEvent] = {}

    def destroy(session: Session) -> None:
        kept.update((event.guid, twin(event)) for event in session.scalars(select(AppUsageEvent)))
        behaviour.destroy(session)

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        return behaviour.find_event(session, guid) or kept.get(guid)

    return replace(behaviour, destroy=destroy, find_event=find_event)


@fault("resurrects-events")
def _(behaviour: Behaviour) -> Behaviour:
    buried: list[AppUsageEvent] = []

    def destroy(session: Session) -> None:
        buried.extend(twin(event) for event in session.scalars(select(AppUsageEvent)) if not is_seed(event))
        behaviour.destroy(session)

    def record(session: Session, event: AppUsageEvent) -> None:
        if buried:
            session.add(buried.pop())
        behaviour.record(session, event)

    return replace(behaviour, destroy=destroy, record=record)


@fault("seeds-nothing")
@seeding_apps
def _(_session: Session) -> Sequence[App]:
    return []


@fault("misses-other-organization")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    apps = started_apps(session)
    return [app for app in apps if app.space.organization_guid == apps[0].space.organization_guid]


@fault("misses-apps-without-instances")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if app.web.instances > 0]


@fault("seeds-stopped-apps")
def _(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        stopped = [seed_of(app, moment) for app in session.scalars(select(App).where(App.state == STOPPED))]
        for event in stopped:
            event.state = event.previous_state = STARTED
        return behaviour.seeds(session, moment) + stopped

    return replace(behaviour, seeds=seeds)


@fault("seeds-wrong-instance-count")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.instances += 1
    return seeds


@fault("seeds-wrong-space")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.space_guid = new_guid()
    return seeds


@fault("seeds-twice")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    again = [twin(event) for event in seeds]
    for event in again:
        event.guid = new_guid()
    return seeds + again


@fault("random-seed-guid")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.guid = new_guid()
    return seeds


def _seeding_later(offset: timedelta) -> Change:
    def alter(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
        for event in seeds:
            moment = datetime.strptime(event.created_at, TIMESTAMP_FORMAT).replace(tzinfo=UTC) + offset
            event.created_at = event.updated_at = moment.strftime(TIMESTAMP_FORMAT)
        return seeds

    return seeding(alter)


fault("stale-created-at")(_seeding_later(timedelta(hours=-1)))


def _has_object(call: Call) -> bool:
    return isinstance(parsed(call.raw_body, call.content_type), dict)


@fault("object-body-keeps-events")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    with call.session.begin_nested() as undone:
        reply = answer(call)
        if _has_object(call):
            undone.rollback()
    return reply


@fault("object-body-500")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if _has_object(call):
        raise problems.unknown_error()
    return reply
