"""Faults of which apps a purge seeds, and how often."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select

from purge_conformance.reference.mutation import Change, registering, seeding, seeding_apps, together, twin
from purge_conformance.reference.store.initial_data import furnishing
from purge_conformance.reference.store.tables import DOCKER, STARTED, STOPPED, App, AppUsageEvent, Space, new_guid
from purge_conformance.reference.store.transitions import started_apps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


@fault("misses-names-beyond-ascii")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if app.name.isascii()]


@fault("misses-names-beyond-two-bytes")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if max(app.name) <= "\uffff"]


@fault("misses-names-with-quotes")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if "'" not in app.name]


@fault("misses-apps-of-one-name")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [*{app.name: app for app in started_apps(session)}.values()]


@fault("misses-space-beside")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    spaces = session.scalars(select(Space).order_by(Space.id.desc()))
    first = {space.organization_guid: space.guid for space in spaces}
    return [app for app in started_apps(session) if app.space_guid in first.values()]


def _events(session: Session, *conditions: ColumnElement[bool]) -> Sequence[AppUsageEvent]:
    return session.scalars(select(AppUsageEvent).where(*conditions).order_by(AppUsageEvent.id)).all()


@seeding_apps
def _misses_docker(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if app.lifecycle != DOCKER]


def _make_docker(apps: Sequence[App]) -> None:
    apps[0].lifecycle = DOCKER


fault("misses-docker-apps")(together(furnishing(alter=_make_docker), _misses_docker))


@seeding_apps
def _first_page(session: Session) -> Sequence[App]:
    return started_apps(session)[:50]


fault("misses-apps-beyond-a-page")(together(furnishing(started=60), _first_page))


@fault("deleted-app-seeded")
def _(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        gone = select(AppUsageEvent).where(AppUsageEvent.app_guid.not_in(select(App.guid)))
        ghosts = {event.app_guid: twin(event) for event in session.scalars(gone.order_by(AppUsageEvent.id))}
        for guid, event in ghosts.items():
            event.guid, event.created_at, event.updated_at = guid, moment, moment
            event.state = event.previous_state = STARTED
        return behaviour.seeds(session, moment) + list(ghosts.values())

    return replace(behaviour, seeds=seeds)


@fault("seeds-a-stop")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    stops = [twin(event) for event in seeds]
    for event in stops:
        event.guid, event.state = new_guid(), STOPPED
    return seeds + stops


@fault("seeds-a-task")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    tasks = [twin(event) for event in seeds]
    for event in tasks:
        event.guid, event.task_guid, event.task_name = new_guid(), new_guid(), "migrate"
        event.state = event.previous_state = "TASK_STARTED"
    return seeds + tasks
