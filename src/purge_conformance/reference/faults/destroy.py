"""Faults of which events outlive a purge, in the list, behind it, or until later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, not_, select, update

from purge_conformance.reference.mutation import Change, combine, copy_event, new_registrar
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.tables import STOPPED, TIMESTAMP_FORMAT, App, AppUsageEvent, Process, utc_now
from purge_conformance.reference.store.transitions import make_usage_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)

NOT_SEEDED = AppUsageEvent.guid != AppUsageEvent.app_guid


def _keep_where(condition: Callable[[], ColumnElement[bool]]) -> Change:
    """Make a change of a function that tells which of the recorded events outlive every purge."""

    def change(behaviour: Behaviour) -> Behaviour:
        def destroy(session: Session) -> None:
            session.execute(delete(AppUsageEvent).where(not_(and_(NOT_SEEDED, condition()))))

        return replace(behaviour, destroy=destroy)

    return change


def _ago(**time: float) -> str:
    return (utc_now() - timedelta(**time)).strftime(TIMESTAMP_FORMAT)


def _beyond_first(number: int) -> ColumnElement[bool]:
    return AppUsageEvent.id.not_in(select(AppUsageEvent.id).order_by(AppUsageEvent.id).limit(number))


@fault("keeps-events-of-last-minute")
@_keep_where
def keeps_events_of_last_minute() -> ColumnElement[bool]:
    return AppUsageEvent.created_at > _ago(minutes=1)


@fault("keeps-events-of-deleted-apps")
@_keep_where
def keeps_events_of_deleted_apps() -> ColumnElement[bool]:
    return AppUsageEvent.app_guid.not_in(select(App.guid))


@fault("keeps-events-beyond-a-page")
@_keep_where
def keeps_events_beyond_a_page() -> ColumnElement[bool]:
    return _beyond_first(50)


@_keep_where
def _keep_older_than_a_day() -> ColumnElement[bool]:
    return AppUsageEvent.created_at < _ago(days=1)


@_keep_where
def _keep_task_events() -> ColumnElement[bool]:
    return AppUsageEvent.task_guid.is_not(None)


def _add_task_event(behaviour: Behaviour) -> Behaviour:
    def create(session: Session) -> None:
        behaviour.initial_data(session)
        event = make_usage_event(session.scalars(select(Process)).first() or Process())
        event.state, event.previous_state = "TASK_STARTED", "TASK_STOPPED"
        event.task_guid, event.task_name = event.guid[::-1], "migrate"
        behaviour.record(session, event)

    return replace(behaviour, initial_data=create)


fault("keeps-events-older-than-a-day")(combine(initial_data(interval=timedelta(days=2)), _keep_older_than_a_day))
fault("keeps-events-of-tasks")(combine(initial_data(), _add_task_event, _keep_task_events))


def _keep_one_by_guid(choose: Callable[[Sequence[AppUsageEvent]], AppUsageEvent]) -> Change:
    """Make a change of a function that chooses which of the recorded events every purge leaves to be got by guid."""

    def change(behaviour: Behaviour) -> Behaviour:
        copies: dict[str, AppUsageEvent] = {}

        def destroy(session: Session) -> None:
            events = session.scalars(select(AppUsageEvent).where(NOT_SEEDED).order_by(AppUsageEvent.id)).all()
            if events:
                event = copy_event(choose(events))
                copies[event.guid] = event
            behaviour.destroy(session)

        def find_event(session: Session, guid: str) -> AppUsageEvent | None:
            return behaviour.find_event(session, guid) or copies.get(guid)

        return replace(behaviour, destroy=destroy, find_event=find_event)

    return change


fault("keeps-middle-event-by-guid")(_keep_one_by_guid(lambda events: events[len(events) // 2]))


@fault("purge-stops-apps-without-instances")
def purge_stops_apps_without_instances(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        empty = select(Process.app_guid).where(Process.instances == 0)
        session.execute(update(App).where(App.guid.in_(empty)).values(state=STOPPED))

    return replace(behaviour, destroy=destroy)


@fault("purge-resets-instances")
def purge_resets_instances(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        session.execute(update(Process).values(instances=1))

    return replace(behaviour, destroy=destroy)
