"""Changes of apps and of their usage events in the database.

Every function takes the session of the request's transaction and commits nothing. Every event is recorded through a
`Record`, so that a fault can replace this one function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, inspect, select
from sqlalchemy.orm import Session, selectinload

from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import (
    BUILDPACK,
    STARTED,
    STOPPED,
    App,
    AppUsageEvent,
    Organization,
    Process,
    Space,
    new_guid,
    timestamp_now,
)

Record = Callable[[Session, AppUsageEvent], None]
IS_SEED = AppUsageEvent.guid == AppUsageEvent.app_guid
NOT_SEEDED = AppUsageEvent.guid != AppUsageEvent.app_guid
STARTED_APPS = select(App).where(App.state == STARTED).options(selectinload(App.processes)).order_by(App.id)


def record_event(session: Session, event: AppUsageEvent) -> None:
    """Add an event to the database."""
    session.add(event)


def add_app(
    session: Session, space: Space, name: str, *, labels: Mapping[str, str] | None = None, lifecycle: str = BUILDPACK
) -> App:
    """Create a stopped app in a space, with a `web` process of the same guid."""
    guid = new_guid()
    attributes = {"labels": dict(labels or {}), "lifecycle": lifecycle}
    app = App(guid=guid, name=name, space=space, processes=[Process(guid=guid)], **attributes)
    session.add(app)
    session.flush()
    return app


def make_usage_event(
    process: Process,
    *,
    previous_state: str | None = None,
    previous_instances: int | None = None,
    previous_memory_in_mb: int | None = None,
) -> AppUsageEvent:
    """Return an event that describes a process and its app now; previous values equal the current ones unless given."""
    app, space = process.app, process.app.space
    moment = timestamp_now()
    return AppUsageEvent(
        guid=new_guid(),
        created_at=moment,
        updated_at=moment,
        state=app.state,
        previous_state=app.state if previous_state is None else previous_state,
        app_guid=app.guid,
        app_name=app.name,
        process_guid=process.guid,
        process_type=process.type,
        space_guid=space.guid,
        space_name=space.name,
        organization_guid=space.organization_guid,
        instances=process.instances,
        previous_instances=process.instances if previous_instances is None else previous_instances,
        memory_in_mb=process.memory_in_mb,
        previous_memory_in_mb=process.memory_in_mb if previous_memory_in_mb is None else previous_memory_in_mb,
    )


def start(session: Session, app: App, record: Record) -> None:
    """Start an app and record that; a started app stays unchanged, and nothing is recorded."""
    _set_state(session, app, STARTED, record)


def stop(session: Session, app: App, record: Record) -> None:
    """Stop an app and record that; a stopped app stays unchanged, and nothing is recorded."""
    _set_state(session, app, STOPPED, record)


def _set_state(session: Session, app: App, state: str, record: Record) -> None:
    previous, processes = app.state, app.processes  # before the state changes: loading these later would flush it
    if previous != state:
        app.state = state
        for process in processes:
            record(session, make_usage_event(process, previous_state=previous))


def scale(session: Session, process: Process, changes: Mapping[str, int], record: Record) -> None:
    """Change instances, memory or disk; a change of instances or memory of a started app is recorded."""
    instances, memory_in_mb = process.instances, process.memory_in_mb
    for column, value in changes.items():
        setattr(process, column, value)
    is_change = (instances, memory_in_mb) != (process.instances, process.memory_in_mb)
    if is_change and process.app.state == STARTED:
        event = make_usage_event(process, previous_instances=instances, previous_memory_in_mb=memory_in_mb)
        record(session, event)


def delete_app(session: Session, app: App, record: Record) -> None:
    """Stop an app and delete it with its processes; its events stay."""
    stop(session, app, record)
    session.delete(app)


def delete_space(session: Session, space: Space, record: Record) -> None:
    """Stop the apps of a space and delete the space with them."""
    _stop_all(session, space, record)
    session.delete(space)


def delete_organization(session: Session, organization: Organization, record: Record) -> None:
    """Stop the apps of an organization and delete it with its spaces and apps."""
    for space in organization.spaces:
        _stop_all(session, space, record)
    session.delete(organization)


def _stop_all(session: Session, space: Space, record: Record) -> None:
    for app in space.apps:
        stop(session, app, record)


def find_started_apps(session: Session) -> Sequence[App]:
    """Return all started apps, in the order of creation."""
    return session.scalars(STARTED_APPS).all()


def seed_for_app(app: App, moment: str) -> AppUsageEvent:
    """Return the event that a purge seeds for an app: it has the app's guid and the time of the purge."""
    return seed_for_process(app.web, moment)


def seed_for_process(process: Process, moment: str) -> AppUsageEvent:
    """Return the event that a purge seeds for a process: it has the guid of the process and the time of the purge."""
    event = make_usage_event(process)
    event.guid, event.created_at, event.updated_at = process.guid, moment, moment
    return event


def make_seeds(session: Session, moment: str) -> list[AppUsageEvent]:
    """Return the events of a purge: one for each started app."""
    return [seed_for_app(app, moment) for app in find_started_apps(session)]


def find_event(session: Session, guid: str) -> AppUsageEvent | None:
    """Find a usage event by its guid."""
    return find_by_guid(session, AppUsageEvent, guid)


def destroy_events(session: Session) -> None:
    """Delete all usage events."""
    session.execute(delete(AppUsageEvent))


def is_seed(event: AppUsageEvent) -> bool:
    """Whether a purge seeded this event."""
    return event.guid == event.app_guid


def copy_event(event: AppUsageEvent, **columns: object) -> AppUsageEvent:
    """Copy an event outside the database, without its internal id and with these columns replaced."""
    names = inspect(AppUsageEvent).columns.keys()
    return AppUsageEvent(**{name: getattr(event, name) for name in names if name != "id"} | columns)


def delete_oldest(session: Session, number: int, *conditions: ColumnElement[bool]) -> None:
    """Delete as many of the events that satisfy the conditions, those that are in the database longest."""
    ids = select(AppUsageEvent.id).where(*conditions).order_by(AppUsageEvent.id).limit(number)
    session.execute(delete(AppUsageEvent).where(AppUsageEvent.id.in_(session.scalars(ids).all())))


def copy_recorded_events(session: Session) -> list[AppUsageEvent]:
    """Copy the events that no purge seeded, in the order in which they were recorded."""
    events = session.scalars(select(AppUsageEvent).where(NOT_SEEDED).order_by(AppUsageEvent.id))
    return [copy_event(event) for event in events]
