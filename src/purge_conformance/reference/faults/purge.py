"""Faults of what a purge answers and seeds, and of purges with a body."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import parse_body
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import (
    alter_seeds,
    choose_seeded_apps,
    fault,
    wrap_operations,
)
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, new_guid
from purge_conformance.reference.store.transitions import copy_event, find_started_apps, is_seed, seed_for_app

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
    return seeds + [copy_event(event, guid=new_guid()) for event in seeds]


@fault("random-seed-guid")
@alter_seeds
def random_seed_guid(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.guid = new_guid()
    return seeds


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
