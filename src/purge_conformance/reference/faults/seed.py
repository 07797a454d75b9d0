"""Faults of which apps a purge seeds, with which guids, how often and when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import (
    Change,
    Json,
    add_worker_process,
    after_pause,
    alter_seed_json,
    alter_seeds,
    choose_seeded_apps,
    combine,
    fault,
)
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.tables import (
    DOCKER,
    STARTED,
    STOPPED,
    App,
    AppUsageEvent,
    Space,
    new_guid,
)
from purge_conformance.reference.store.transitions import (
    IS_SEED,
    copy_event,
    find_started_apps,
    seed_for_app,
    seed_for_process,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour


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
        columns = {"created_at": moment, "updated_at": moment, "state": STARTED, "previous_state": STARTED}
        events = {event.app_guid: event for event in session.scalars(orphans.order_by(AppUsageEvent.id))}
        seeds_of_deleted = [copy_event(event, guid=guid, **columns) for guid, event in events.items()]
        return behaviour.make_seeds(session, moment) + seeds_of_deleted

    return replace(behaviour, make_seeds=seeds)


@fault("seeds-a-stop")
@alter_seeds
def seeds_a_stop(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    return seeds + [copy_event(event, guid=new_guid(), state=STOPPED) for event in seeds]


@fault("seeds-a-task")
@alter_seeds
def seeds_a_task(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    columns = {"task_name": "migrate", "state": "TASK_STARTED", "previous_state": "TASK_STARTED"}
    return seeds + [copy_event(event, guid=new_guid(), task_guid=new_guid(), **columns) for event in seeds]


@fault("seed-guids-swapped")
@alter_seeds
def seed_guids_swapped(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    guids = [event.guid for event in seeds]
    for event, guid in zip(seeds, guids[1:] + guids[:1], strict=True):
        event.guid = guid
    return seeds


def _seed_newest_process(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        return [seed_for_process(app.processes[-1], moment) for app in find_started_apps(session)]

    return replace(behaviour, make_seeds=seeds)


def _seed_alternating_processes(behaviour: Behaviour) -> Behaviour:
    purges: list[str] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        purges.append(moment)
        apps = find_started_apps(session)
        processes = [process for app in apps for process in app.processes[: 1 + len(purges) % 2]]
        return [seed_for_process(process, moment) for process in processes]

    return replace(behaviour, make_seeds=seeds)


fault("seed-guid-of-newest-process")(combine(add_worker_process, _seed_newest_process))
fault("seeds-processes-by-turns")(combine(add_worker_process, _seed_alternating_processes))


def _roll_first_app(apps: Sequence[App]) -> None:
    apps[0].web.guid = new_guid()


fault("rolled-app-seeded-by-process")(initial_data(alter=_roll_first_app))


@fault("seeds-without-app")
@alter_seed_json
def seeds_without_app(event: Json) -> Json:
    return {"app": {**event["app"], "guid": None}}


@fault("seeds-late")
def seeds_late(behaviour: Behaviour) -> Behaviour:
    pending: list[AppUsageEvent] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        with session.no_autoflush:
            pending[:] = [copy_event(event) for event in behaviour.make_seeds(session, moment)]
        return []

    @after_pause
    def add_seeds(session: Session) -> None:
        session.add_all(pending)
        pending.clear()

    return add_seeds(replace(behaviour, make_seeds=seeds))


@fault("seeds-as-at-first-purge")
def seeds_as_at_first_purge(behaviour: Behaviour) -> Behaviour:
    first: list[str] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        if not first:
            first.extend(app.guid for app in find_started_apps(session))
        apps = session.scalars(select(App).where(App.guid.in_(first)).order_by(App.id))
        return [seed_for_app(app, moment) for app in apps]

    return replace(behaviour, make_seeds=seeds)


@fault("keeps-last-seeds-under-other-guids")
def keeps_last_seeds_under_other_guids(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        copies = [copy_event(event, guid=new_guid()) for event in session.scalars(select(AppUsageEvent).where(IS_SEED))]
        behaviour.destroy(session)
        session.add_all(copies)

    return replace(behaviour, destroy=destroy)


def _when_no_app_is_started(destroy: Callable[[Session], None]) -> Change:
    """Decorate a function that replaces the destruction of events in a purge when no app is started."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour,
            destroy=lambda session: behaviour.destroy(session) if find_started_apps(session) else destroy(session),
        )

    return change


@fault("purge-that-seeds-nothing-fails")
@_when_no_app_is_started
def purge_that_seeds_nothing_fails(_session: Session) -> None:
    raise problems.unknown_error()


@fault("purge-that-seeds-nothing-keeps-all")
@_when_no_app_is_started
def purge_that_seeds_nothing_keeps_all(_session: Session) -> None:
    pass
