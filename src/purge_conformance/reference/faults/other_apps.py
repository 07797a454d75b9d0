"""Faults of purges that change apps, also those of other clients than the suite."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.mutation import Change, combine, fault, wrap_operations
from purge_conformance.reference.store.initial_data import initial_apps, initial_data
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, format_timestamp, utc_now
from purge_conformance.reference.store.transitions import find_started_apps, start, stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

MANY_APPS = 6
_seconds = count(1)


def _with_each_purge(act: Callable[[Session], object]) -> Change:
    """Decorate a function that changes apps in the transaction of each purge, once its events are seeded."""

    def change(behaviour: Behaviour) -> Behaviour:
        def destroy(session: Session) -> None:
            behaviour.destroy(session)
            act(session)

        return replace(behaviour, destroy=destroy)

    return change


def _of_others(*, started: int = 3, stopped: int = 1) -> Callable[[Change], Change]:
    """Return a decorator that adds apps of others to a change."""
    return lambda change: combine(initial_data(started=started, stopped=stopped), change)


@fault("purge-stops-apps-of-others")
@_of_others()
@_with_each_purge
def purge_stops_apps_of_others(session: Session) -> None:
    for app in initial_apps(session):
        app.state = STOPPED


@fault("purge-starts-an-app-of-others")
@_of_others(stopped=MANY_APPS)
@_with_each_purge
def purge_starts_an_app_of_others(session: Session) -> None:
    for app in [app for app in initial_apps(session) if app.state == STOPPED][:1]:
        app.state = STARTED


@fault("purge-deletes-an-app-of-others")
@_of_others(started=MANY_APPS)
@_with_each_purge
def purge_deletes_an_app_of_others(session: Session) -> None:
    for app in initial_apps(session)[:1]:
        session.delete(app)


@fault("purge-scales-apps-of-others")
@_of_others()
@_with_each_purge
def purge_scales_apps_of_others(session: Session) -> None:
    for app in initial_apps(session):
        app.web.memory_in_mb = 256


@fault("each-third-purge-scales-an-app-of-others")
@_of_others()
def each_third_purge_scales_an_app_of_others(behaviour: Behaviour) -> Behaviour:
    purges: list[str] = []

    @_with_each_purge
    def scale_at_third(session: Session) -> None:
        purges.append("")
        for app in initial_apps(session)[:1]:
            app.web.instances += len(purges) % 3 == 0

    return scale_at_third(behaviour)


@fault("purge-renames-an-app-of-others")
@_of_others()
@_with_each_purge
def purge_renames_an_app_of_others(session: Session) -> None:
    for app in initial_apps(session)[:1]:
        app.name += "'"


@fault("purge-restarts-an-app-of-others")
@_of_others()
def purge_restarts_an_app_of_others(behaviour: Behaviour) -> Behaviour:
    @_with_each_purge
    def restart(session: Session) -> None:
        for app in initial_apps(session)[:1]:
            stop(session, app, behaviour.record)
            start(session, app, behaviour.record)

    return restart(behaviour)


@fault("purge-touches-apps-of-others")
@_of_others()
@_with_each_purge
def purge_touches_apps_of_others(session: Session) -> None:
    later = utc_now() + timedelta(seconds=next(_seconds))  # differs from the last one within a second, too
    for app in initial_apps(session):
        app.updated_at = format_timestamp(later)


@fault("purge-resets-disk")
@_with_each_purge
def purge_resets_disk(session: Session) -> None:
    for app in find_started_apps(session):
        app.web.disk_in_mb = 256


@fault("purge-resets-health-checks")
def purge_resets_health_checks(behaviour: Behaviour) -> Behaviour:
    reset: set[str] = set()

    @_with_each_purge
    def note(session: Session) -> None:
        reset.update(app.web.guid for app in find_started_apps(session))

    @wrap_operations("list_processes")
    def show(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        check = {"health_check": {"type": "process", "data": {}}}
        rows = [row | check if row["guid"] in reset else row for row in reply.body["resources"]]
        return replace(reply, body={**reply.body, "resources": rows})

    return combine(note, show)(behaviour)


@fault("purge-renames-apps")
@_with_each_purge
def purge_renames_apps(session: Session) -> None:
    apps: list[App] = list(find_started_apps(session))
    for app in apps:
        app.name = f"{app.name[:200]}'"
