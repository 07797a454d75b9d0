"""Faults of what seeded events tell: when, in which state, where, and of which size."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from purge_conformance.reference.mutation import Change, registering, seeding, showing_events, together
from purge_conformance.reference.store.initial_data import furnishing
from purge_conformance.reference.store.tables import STOPPED, TIMESTAMP_FORMAT, App, AppUsageEvent, moment, new_guid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


def _dated(date: Callable[[datetime, int], datetime]) -> Change:
    """Make a change of a function that dates a seeded event, given the time of the purge and the event's number."""

    def alter(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
        for number, event in enumerate(seeds):
            at = datetime.strptime(event.created_at, TIMESTAMP_FORMAT).replace(tzinfo=UTC)
            event.created_at = event.updated_at = date(at, number).strftime(TIMESTAMP_FORMAT)
        return seeds

    return seeding(alter)


fault("seeds-of-the-next-minute")(_dated(lambda at, _: at + timedelta(minutes=1)))


def _an_hour_old(apps: Sequence[App]) -> None:
    for app in apps:
        app.created_at = (moment() - timedelta(hours=1)).strftime(TIMESTAMP_FORMAT)


def _dated_by(table: type[App | AppUsageEvent], guid: str) -> Change:
    """Date each seeded event by the newest row of a table whose column holds the guid of its app."""

    def change(behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            rows = session.scalars(select(table).order_by(table.id)).all()
            times = {getattr(row, guid): row.created_at for row in rows}
            made = behaviour.seeds(session, moment)
            for event in made:
                event.created_at = event.updated_at = times.get(event.app_guid, moment)
            return made

        return replace(behaviour, seeds=seeds)

    return change


fault("seeds-dated-by-app")(together(furnishing(alter=_an_hour_old), _dated_by(App, "guid")))
fault("seeds-dated-by-last-event")(together(furnishing(), _dated_by(AppUsageEvent, "app_guid")))


def _showing_seeds(alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Make a change of a function that tells which members a seeded event shows otherwise."""

    def altered(event: dict[str, Any]) -> dict[str, Any]:
        return event | alter(event) if event["guid"] == event["app"]["guid"] else event

    return showing_events(altered)


def _written(write: Callable[[str], object]) -> Change:
    return _showing_seeds(lambda event: dict.fromkeys(("created_at", "updated_at"), write(event["created_at"])))


fault("seeds-without-zone")(_written(lambda at: at.removesuffix("Z")))


@fault("seeds-updated-earlier")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.updated_at = (moment() - timedelta(minutes=1)).strftime(TIMESTAMP_FORMAT)
    return seeds


@fault("times-of-a-fraction")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return event | {name: event[name].replace("Z", ".000Z") for name in ("created_at", "updated_at")}


@fault("event-without-task")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "task"}


@fault("seeds-say-stopped")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.state = event.previous_state = STOPPED
    return seeds


def _with_columns_of(others: Callable[[Session, AppUsageEvent], dict[str, object]]) -> Change:
    """Make a change of a function that tells what a seeded event says instead, given the event."""

    def change(behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            made = behaviour.seeds(session, moment)
            for event in made:
                for column, value in others(session, event).items():
                    setattr(event, column, value)
            return made

        return replace(behaviour, seeds=seeds)

    return change


@fault("seeds-unknown-process")
@_with_columns_of
def _(_session: Session, _event: AppUsageEvent) -> dict[str, object]:
    return {"process_guid": new_guid()}
