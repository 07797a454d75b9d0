"""Faults of which apps a purge seeds, and how often."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select

from purge_conformance.reference.mutation import (
    Change,
    alter_seeds,
    choose_seeded_apps,
    combine,
    copy_event,
    new_registrar,
)
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.tables import DOCKER, STARTED, STOPPED, App, AppUsageEvent, Space, new_guid
from purge_conformance.reference.store.transitions import find_started_apps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)


@fault("misses-names-beyond-ascii")
@choose_seeded_apps
def misses_names_beyond_ascii(session: Session) -> Sequence[App]:
    return [app for app in find_started_apps(session) if app.name.isascii()]


@fault("misses-names-beyond-two-bytes")
@choose_seeded_apps
def misses_names_beyond_two_bytes(session: Session) -> Sequence[App]:
    return [app for app in find_started_apps(session) if max(app.name) <= "\uffff"]


@fault("misses-names-with-quotes")
@choose_seeded_apps
def misses_names_with_quotes(session: Session) -> Sequence[App]:
    return [app for app in find_started_apps(session) if "'" not in app.name]


@fault("misses-apps-of-one-name")
@choose_seeded_apps
def misses_apps_of_one_name(session: Session) -> Sequence[App]:
    return [*{app.name: app for app in find_started_apps(session)}.values()]


@fault("misses-space-beside")
@choose_seeded_apps
def misses_space_beside(session: Session) -> Sequence[App]:
    spaces = session.scalars(select(Space).order_by(Space.id.desc()))
    first = {space.organization_guid: space.guid for space in spaces}
    return [app for app in find_started_apps(session) if app.space_guid in first.values()]


def _events(session: Session, *conditions: ColumnElement[bool]) -> Sequence[AppUsageEvent]:
    return session.scalars(select(AppUsageEvent).where(*conditions).order_by(AppUsageEvent.id)).all()


@choose_seeded_apps
def _skip_docker_apps(session: Session) -> Sequence[App]:
    return [app for app in find_started_apps(session) if app.lifecycle != DOCKER]


def _set_docker_lifecycle(apps: Sequence[App]) -> None:
    apps[0].lifecycle = DOCKER


fault("misses-docker-apps")(combine(initial_data(alter=_set_docker_lifecycle), _skip_docker_apps))


@choose_seeded_apps
def _first_50_apps(session: Session) -> Sequence[App]:
    return find_started_apps(session)[:50]


fault("misses-apps-beyond-a-page")(combine(initial_data(started=60), _first_50_apps))


@fault("deleted-app-seeded")
def deleted_app_seeded(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        orphans = select(AppUsageEvent).where(AppUsageEvent.app_guid.not_in(select(App.guid)))
        ghosts = {event.app_guid: copy_event(event) for event in session.scalars(orphans.order_by(AppUsageEvent.id))}
        for guid, event in ghosts.items():
            event.guid, event.created_at, event.updated_at = guid, moment, moment
            event.state = event.previous_state = STARTED
        return behaviour.make_seeds(session, moment) + list(ghosts.values())

    return replace(behaviour, make_seeds=seeds)


@fault("seeds-a-stop")
@alter_seeds
def seeds_a_stop(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    stops = [copy_event(event) for event in seeds]
    for event in stops:
        event.guid, event.state = new_guid(), STOPPED
    return seeds + stops


@fault("seeds-a-task")
@alter_seeds
def seeds_a_task(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    tasks = [copy_event(event) for event in seeds]
    for event in tasks:
        event.guid, event.task_guid, event.task_name = new_guid(), new_guid(), "migrate"
        event.state = event.previous_state = "TASK_STARTED"
    return seeds + tasks
