"""Faults of the values of seeded events: times, state, place and size."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.mutation import (
    TIMES,
    Change,
    Json,
    add_zero_fraction,
    alter_event_json,
    alter_seed_json,
    alter_seeds,
    combine,
    fault,
    rewrite_times,
)
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.tables import (
    STOPPED,
    TIMESTAMP_FORMAT,
    App,
    AppUsageEvent,
    format_timestamp,
    new_guid,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour


def _set_times(date: Callable[[datetime, int], datetime]) -> Change:
    """Decorate a function that returns the time of a seeded event; it gets the time of the purge and a number."""

    def alter(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
        for number, event in enumerate(seeds):
            at = datetime.strptime(event.created_at, TIMESTAMP_FORMAT).replace(tzinfo=UTC)
            event.created_at = event.updated_at = format_timestamp(date(at, number))
        return seeds

    return alter_seeds(alter)


fault("seeds-of-the-next-minute")(_set_times(lambda at, _: at + timedelta(minutes=1)))
fault("stale-created-at")(_set_times(lambda at, _: at - timedelta(hours=1)))


def _age_by_an_hour(apps: Sequence[App]) -> None:
    for app in apps:
        app.created_at = format_timestamp(utc_now() - timedelta(hours=1))


def _date_by_newest_row(table: type[App | AppUsageEvent], guid: str) -> Change:
    """Give each seeded event the time of the newest row of a table whose column `guid` holds the guid of its app."""

    def change(behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            rows = session.scalars(select(table).order_by(table.id)).all()
            times = {getattr(row, guid): row.created_at for row in rows}
            events = behaviour.make_seeds(session, moment)
            for event in events:
                event.created_at = event.updated_at = times.get(event.app_guid, moment)
            return events

        return replace(behaviour, make_seeds=seeds)

    return change


fault("seeds-dated-by-app")(combine(initial_data(alter=_age_by_an_hour), _date_by_newest_row(App, "guid")))
fault("seeds-dated-by-last-event")(combine(initial_data(), _date_by_newest_row(AppUsageEvent, "app_guid")))


@fault("seeds-without-zone")
@alter_seed_json
def seeds_without_zone(event: Json) -> Json:
    return dict.fromkeys(TIMES, event["created_at"].removesuffix("Z"))


@fault("seeds-updated-earlier")
@alter_seeds
def seeds_updated_earlier(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.updated_at = format_timestamp(utc_now() - timedelta(minutes=1))
    return seeds


fault("times-of-a-fraction")(rewrite_times(add_zero_fraction))


@fault("event-without-task")
@alter_event_json
def event_without_task(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "task"}


@fault("seeds-say-stopped")
@alter_seeds
def seeds_say_stopped(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.state = event.previous_state = STOPPED
    return seeds


def _set_columns(values_for: Callable[[Session, AppUsageEvent], dict[str, object]]) -> Change:
    """Decorate a function that returns the columns of a seeded event that are replaced, with their values."""

    def change(behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
            events = behaviour.make_seeds(session, moment)
            for event in events:
                for column, value in values_for(session, event).items():
                    setattr(event, column, value)
            return events

        return replace(behaviour, make_seeds=seeds)

    return change


@fault("seeds-unknown-process")
@_set_columns
def seeds_unknown_process(_session: Session, _event: AppUsageEvent) -> dict[str, object]:
    return {"process_guid": new_guid()}
