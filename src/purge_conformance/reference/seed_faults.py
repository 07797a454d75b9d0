"""Faults of which apps a purge seeds, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select

from purge_conformance.reference.change_kit import (
    Change,
    is_seed,
    registering,
    seeding,
    seeding_apps,
    together,
    twin,
)
from purge_conformance.reference.furnishing import furnishing
from purge_conformance.reference.store import seed_of, started_apps
from purge_conformance.reference.tables import (
    DOCKER,
    STARTED,
    STOPPED,
    TIMESTAMP_FORMAT,
    App,
    AppUsageEvent,
    moment,
    new_guid,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

LONG = 63  # characters, as of a host name


@fault("misses-apps-of-several-instances")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if app.web.instances <= 1]


@fault("misses-fresh-apps")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    hour_ago = (moment() - timedelta(hours=1)).strftime(TIMESTAMP_FORMAT)
    return [app for app in started_apps(session) if app.created_at < hour_ago]


@fault("misses-names-beyond-ascii")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if app.name.isascii()]


def _events(session: Session, *conditions: ColumnElement[bool]) -> Sequence[AppUsageEvent]:
    return session.scalars(select(AppUsageEvent).where(*conditions).order_by(AppUsageEvent.id)).all()


@fault("misses-apps-scaled-last")
@seeding_apps
def _(session: Session) -> Sequence[App]:
    last = {event.app_guid: event for event in _events(session)}
    scaled = {guid for guid, event in last.items() if event.previous_state == event.state and not is_seed(event)}
    return [app for app in started_apps(session) if app.guid not in scaled]


@seeding_apps
def _misses_docker(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if app.lifecycle != DOCKER]


@seeding_apps
def _misses_suspended(session: Session) -> Sequence[App]:
    return [app for app in started_apps(session) if not app.space.organization.suspended]


def _make_docker(apps: Sequence[App]) -> None:
    apps[0].lifecycle = DOCKER


def _suspend(apps: Sequence[App]) -> None:
    apps[0].space.organization.suspended = True


fault("misses-docker-apps")(together(furnishing(alter=_make_docker), _misses_docker))
fault("misses-suspended-organizations")(together(furnishing(alter=_suspend), _misses_suspended))


@seeding_apps
def _first_page(session: Session) -> Sequence[App]:
    return started_apps(session)[:50]


fault("misses-apps-beyond-a-page")(together(furnishing(started=60), _first_page))


def _seeding_stopped(choose: Callable[[Session, Sequence[App]], Sequence[App]]) -> Change:
    """Make a change of a function that chooses, of the stopped apps, those that are seeded as if they were started."""

    def change(behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            stopped = session.scalars(select(App).where(App.state == STOPPED).order_by(App.id)).all()
            more = [seed_of(app, moment) for app in choose(session, stopped)]
            for event in more:
                event.state = event.previous_state = STARTED
            return behaviour.seeds(session, moment) + more

        return replace(behaviour, seeds=seeds)

    return change


@fault("seeds-apps-once-started")
@_seeding_stopped
def _(session: Session, stopped: Sequence[App]) -> Sequence[App]:
    known = {event.app_guid for event in _events(session)}
    return [app for app in stopped if app.guid in known]


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


@fault("seeds-each-instance")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    more = [twin(event) for event in seeds for _ in range(event.instances - 1)]
    for event in more:
        event.guid = new_guid()
    return seeds + more


@fault("seeds-a-task")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    tasks = [twin(event) for event in seeds]
    for event in tasks:
        event.guid, event.task_guid, event.task_name = new_guid(), new_guid(), "migrate"
        event.state = event.previous_state = "TASK_STARTED"
    return seeds + tasks
