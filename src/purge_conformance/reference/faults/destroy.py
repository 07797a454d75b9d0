"""Faults of which events outlive a purge, in the list, behind it, or until later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, not_, select, update

from purge_conformance.reference.mutation import Change, registering, together, twin
from purge_conformance.reference.store.initial_data import furnishing
from purge_conformance.reference.store.tables import STOPPED, TIMESTAMP_FORMAT, App, AppUsageEvent, Process, moment
from purge_conformance.reference.store.transitions import usage_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

RECORDED = AppUsageEvent.guid != AppUsageEvent.app_guid


def _sparing(spared: Callable[[], ColumnElement[bool]]) -> Change:
    """Make a change of a function that tells which of the recorded events outlive every purge."""

    def change(behaviour: Behaviour) -> Behaviour:
        def destroy(session: Session) -> None:
            session.execute(delete(AppUsageEvent).where(not_(and_(RECORDED, spared()))))

        return replace(behaviour, destroy=destroy)

    return change


def _ago(**time: float) -> str:
    return (moment() - timedelta(**time)).strftime(TIMESTAMP_FORMAT)


def _beyond(number: int) -> ColumnElement[bool]:
    return AppUsageEvent.id.not_in(select(AppUsageEvent.id).order_by(AppUsageEvent.id).limit(number))


@fault("keeps-events-of-last-minute")
@_sparing
def _() -> ColumnElement[bool]:
    return AppUsageEvent.created_at > _ago(minutes=1)


@fault("keeps-events-of-deleted-apps")
@_sparing
def _() -> ColumnElement[bool]:
    return AppUsageEvent.app_guid.not_in(select(App.guid))


@fault("keeps-events-beyond-a-page")
@_sparing
def _() -> ColumnElement[bool]:
    return _beyond(50)


@_sparing
def _older_than_a_day() -> ColumnElement[bool]:
    return AppUsageEvent.created_at < _ago(days=1)


@_sparing
def _of_tasks() -> ColumnElement[bool]:
    return AppUsageEvent.task_guid.is_not(None)


def _with_task(behaviour: Behaviour) -> Behaviour:
    def furnish(session: Session) -> None:
        behaviour.furnish(session)
        event = usage_event(session.scalars(select(Process)).first() or Process())
        event.state, event.previous_state = "TASK_STARTED", "TASK_STOPPED"
        event.task_guid, event.task_name = event.guid[::-1], "migrate"
        behaviour.record(session, event)

    return replace(behaviour, furnish=furnish)


fault("keeps-events-older-than-a-day")(together(furnishing(apart=timedelta(days=2)), _older_than_a_day))
fault("keeps-events-of-tasks")(together(furnishing(), _with_task, _of_tasks))


def _kept_by_guid(choose: Callable[[Sequence[AppUsageEvent]], AppUsageEvent]) -> Change:
    """Make a change of a function that chooses which of the recorded events every purge leaves to be got by guid."""

    def change(behaviour: Behaviour) -> Behaviour:
        kept: dict[str, AppUsageEvent] = {}

        def destroy(session: Session) -> None:
            recorded = session.scalars(select(AppUsageEvent).where(RECORDED).order_by(AppUsageEvent.id)).all()
            if recorded:
                event = twin(choose(recorded))
                kept[event.guid] = event
            behaviour.destroy(session)

        def find_event(session: Session, guid: str) -> AppUsageEvent | None:
            return behaviour.find_event(session, guid) or kept.get(guid)

        return replace(behaviour, destroy=destroy, find_event=find_event)

    return change


fault("keeps-middle-event-by-guid")(_kept_by_guid(lambda events: events[len(events) // 2]))


@fault("purge-stops-apps-without-instances")
def _(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        empty = select(Process.app_guid).where(Process.instances == 0)
        session.execute(update(App).where(App.guid.in_(empty)).values(state=STOPPED))

    return replace(behaviour, destroy=destroy)


@fault("purge-resets-instances")
def _(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        session.execute(update(Process).values(instances=1))

    return replace(behaviour, destroy=destroy)
