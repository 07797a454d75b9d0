"""Apps that exist when the server starts, with a history of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.furnishing import furnish
from purge_conformance.reference.store.tables import (
    STARTED,
    App,
    AppUsageEvent,
    Organization,
    Space,
    format_timestamp,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour
    from purge_conformance.reference.mutation import Change

INITIAL_DATA_NAME = "furnished"


def _no_change(_apps: Sequence[App]) -> None:
    pass


def initial_data(
    *,
    started: int = 3,
    stopped: int = 1,
    restarts: int = 0,
    interval: timedelta = timedelta(minutes=1),
    alter: Callable[[Sequence[App]], None] = _no_change,
) -> Change:
    """Return the change that creates apps in an empty database, in their own organization.

    Args:
        started: number of started apps.
        stopped: number of stopped apps.
        restarts: number of restarts in their history, of the started apps in turn.
        interval: time between two events of their history, and between the last one and the start of the server.
        alter: changes the apps after their creation.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        def create(session: Session) -> None:
            behaviour.initial_data(session)
            if initial_apps(session):
                return
            apps = _create_apps(session, started + stopped)
            history = _create_history(session, behaviour.record, apps[:started], restarts)
            for number, event in enumerate(reversed(history), 1):
                event.created_at = event.updated_at = format_timestamp(utc_now() - number * interval)
            alter(apps)

        return replace(behaviour, initial_data=create)

    return change


def furnished(*, apps: int, events: int, states: Sequence[str] = (STARTED,)) -> Change:
    """Return the change that creates apps with a history first; see `furnishing.furnish`."""

    def change(behaviour: Behaviour) -> Behaviour:
        def create(session: Session) -> None:
            furnish(session, apps=apps, events=events, states=states)
            behaviour.initial_data(session)

        return replace(behaviour, initial_data=create)

    return change


def initial_apps(session: Session) -> Sequence[App]:
    """Return the apps that were created at the start, and later ones in the same space."""
    return session.scalars(select(App).where(App.space.has(Space.name == INITIAL_DATA_NAME)).order_by(App.id)).all()


def _create_apps(session: Session, number: int) -> list[App]:
    space = Space(name=INITIAL_DATA_NAME, organization=Organization(name=INITIAL_DATA_NAME))
    session.add(space)
    return [store.add_app(session, space, f"app {n} é") for n in range(number)]


def _create_history(
    session: Session, record_original: store.Record, apps: Sequence[App], restarts: int
) -> list[AppUsageEvent]:
    """Start the apps, restart some of them, and return the recorded events."""
    history: list[AppUsageEvent] = []

    def record(session: Session, event: AppUsageEvent) -> None:
        record_original(session, event)
        history.append(event)

    for app in apps:
        store.start(session, app, record)
    for number in range(restarts):
        app = apps[number % len(apps)]
        store.stop(session, app, record)
        store.start(session, app, record)
    return history
