"""Faults of what a purge seeds for an app that changed after its creation, or whose space or organization did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.mutation import Change, choose_seeded_apps, combine, fault, wrap_operations
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import App, AppUsageEvent, Space, new_guid
from purge_conformance.reference.store.transitions import IS_SEED, copy_event, find_started_apps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

Columns = dict[str, object]


def _keep_columns(operation: str, owner: str, columns_of: Callable[[Session, str], Columns]) -> Change:
    """Seed columns as they were right after an operation on the resource whose guid the column `owner` holds.

    Args:
        operation: that creates or changes the resource.
        owner: the column of an event.
        columns_of: returns the columns, given the guid of the resource.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        columns: dict[str, Columns] = {}

        @wrap_operations(operation)
        def keep(call: Call, answer: Handler) -> Reply:
            reply = answer(call)
            columns[reply.body["guid"]] = columns_of(call.session, reply.body["guid"])
            return reply

        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            events = behaviour.make_seeds(session, moment)
            for event in events:
                _set_columns(event, columns.get(getattr(event, owner), {}))
            return events

        return keep(replace(behaviour, make_seeds=seeds))

    return change


def _keep_columns_of_last_seed(*names: str) -> Change:
    """Seed these columns as the previous purge seeded them."""

    def change(behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            last = {event.app_guid: event for event in session.scalars(select(AppUsageEvent).where(IS_SEED))}
            columns = {app: {name: getattr(event, name) for name in names} for app, event in last.items()}
            events = behaviour.make_seeds(session, moment)
            for event in events:
                _set_columns(event, columns.get(event.app_guid, {}))
            return events

        return replace(behaviour, make_seeds=seeds)

    return change


def _set_columns(event: AppUsageEvent, columns: Columns) -> None:
    for name, value in columns.items():
        setattr(event, name, value)


def _app_name(session: Session, guid: str) -> Columns:
    app = find_by_guid(session, App, guid)
    return {"app_name": app.name} if app else {}


def _size(session: Session, guid: str) -> Columns:
    app = find_by_guid(session, App, guid)
    return {"instances": app.web.instances, "memory_in_mb": app.web.memory_in_mb} if app else {}


def _space_name(session: Session, guid: str) -> Columns:
    space = find_by_guid(session, Space, guid)
    return {"space_name": space.name} if space else {}


def _no_organization(_session: Session, _guid: str) -> Columns:
    return {"organization_guid": ""}


fault("seeds-name-at-creation")(_keep_columns("create_app", "app_guid", _app_name))
fault("seeds-size-at-start")(_keep_columns("start_app", "app_guid", _size))
fault("seeds-space-name-at-creation")(_keep_columns("create_space", "space_guid", _space_name))
fault("seeds-no-renamed-organization")(_keep_columns("update_organization", "organization_guid", _no_organization))
fault("seeds-name-of-last-seed")(_keep_columns_of_last_seed("app_name"))
fault("seeds-size-of-last-seed")(_keep_columns_of_last_seed("instances", "memory_in_mb"))


@fault("seeds-second-name")
def seeds_second_name(behaviour: Behaviour) -> Behaviour:
    names: dict[str, list[str]] = {}

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        events = behaviour.make_seeds(session, moment)
        for event in events:
            known = names.setdefault(event.app_guid, [])
            known += [event.app_name] if event.app_name not in known else []
            event.app_name = known[:2][-1]
        return events

    return replace(behaviour, make_seeds=seeds)


@fault("misses-apps-with-a-new-droplet")
@choose_seeded_apps
def misses_apps_with_a_new_droplet(session: Session) -> Sequence[App]:
    return [app for app in find_started_apps(session) if len(app.droplets) <= 1]


@fault("seeds-each-droplet")
def seeds_each_droplet(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        more = {app.guid: len(app.droplets) - 1 for app in find_started_apps(session)}
        events = behaviour.make_seeds(session, moment)
        copies = [copy_event(seed, guid=new_guid()) for seed in events for _ in range(more.get(seed.app_guid, 0))]
        return events + copies

    return replace(behaviour, make_seeds=seeds)


def _miss_apps(operation: str, owner: Callable[[App], str]) -> Change:
    """Seed no app whose own guid, or that of its space, an operation changed before."""

    def change(behaviour: Behaviour) -> Behaviour:
        changed: set[str] = set()

        @wrap_operations(operation)
        def note(call: Call, answer: Handler) -> Reply:
            reply = answer(call)
            changed.add(call.path_parameters["guid"])
            return reply

        @choose_seeded_apps
        def choose(session: Session) -> Sequence[App]:
            return [app for app in find_started_apps(session) if owner(app) not in changed]

        return combine(note, choose)(behaviour)

    return change


fault("misses-renamed-apps")(_miss_apps("update_app", lambda app: app.guid))
fault("misses-restarted-apps")(_miss_apps("restart_app", lambda app: app.guid))
fault("misses-apps-of-renamed-spaces")(_miss_apps("update_space", lambda app: app.space_guid))
