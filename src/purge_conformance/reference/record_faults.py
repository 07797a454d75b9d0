"""Faults of how a change after a purge is recorded: how often, of what, until when; and of seeded events that end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from purge_conformance.reference.change_kit import Change, around, everywhere, registering, twin
from purge_conformance.reference.problems import ApiError
from purge_conformance.reference.tables import STARTED, STOPPED, App, AppUsageEvent, moment, new_guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store import Record

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

SEEDED = AppUsageEvent.guid == AppUsageEvent.app_guid
A_WHILE = timedelta(seconds=0.8)  # less than a run lets pass so that times differ


def _recording(record: Callable[[Record, Session, AppUsageEvent], None]) -> Change:
    """Make a change of a function that records an event, given how it would be recorded."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, record=lambda session, event: record(behaviour.record, session, event))

    return change


@fault("recorded-twice")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    again = twin(event)
    again.guid = new_guid()
    record(session, event)
    record(session, again)


@fault("recorded-over-seeded-event")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    for seeded in session.scalars(select(AppUsageEvent).where(AppUsageEvent.guid == event.app_guid)):
        session.delete(seeded)
        session.flush()
        event.guid = event.app_guid
    record(session, event)


@fault("recorded-for-another-app")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    others = select(App.guid).where(App.guid != event.app_guid).order_by(App.id)
    event.app_guid = session.scalars(others).first() or event.app_guid
    record(session, event)


@fault("scale-recorded-as-it-was")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    event.instances, event.memory_in_mb = event.previous_instances, event.previous_memory_in_mb
    record(session, event)


@fault("start-drops-seeded-event")
@_recording
def _(record: Record, session: Session, event: AppUsageEvent) -> None:
    if (event.previous_state, event.state) == (STOPPED, STARTED):
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == event.app_guid))
    record(session, event)


@fault("recording-stops-after-third-purge")
def _(behaviour: Behaviour) -> Behaviour:
    purges = Counter[str]()

    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        purges.update(["done"])

    def record(session: Session, event: AppUsageEvent) -> None:
        if purges["done"] < 3:  # noqa: PLR2004 - the third
            behaviour.record(session, event)

    return replace(behaviour, destroy=destroy, record=record)


@fault("refused-purge-blocks-recording")
def _(behaviour: Behaviour) -> Behaviour:
    refusals: list[ApiError] = []

    @around("purge_events")
    def purge(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            refusals.append(error)
            raise

    def record(session: Session, event: AppUsageEvent) -> None:
        if not refusals:
            behaviour.record(session, event)

    return purge(replace(behaviour, record=record))


@fault("seeded-events-end-after-a-while")
def _(behaviour: Behaviour) -> Behaviour:
    ends: list[datetime] = []

    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        ends.append(moment() + A_WHILE)

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        if len(ends) == 2 and ends[-1] <= moment():  # noqa: PLR2004 - of the second purge
            call.session.execute(delete(AppUsageEvent).where(SEEDED))
        return answer(call)

    return at_last(replace(behaviour, destroy=destroy))


@fault("get-destroys-event")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == call.parts["guid"]))
    return reply
