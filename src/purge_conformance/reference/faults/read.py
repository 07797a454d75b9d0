"""Faults of getting one event, and of two reads that differ though nothing changed."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import Change, copy_event, is_seed, new_registrar, wrap_operations
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import App, timestamp_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.database import Listing
    from purge_conformance.reference.store.tables import AppUsageEvent

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)


@fault("unknown-guid-422")
@wrap_operations("get_event")
def unknown_guid_422(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if error.status == 404 and not store.find_event(call.session, call.path_parameters["guid"]):  # noqa: PLR2004 - HTTP's
            raise ApiError(422, 10008, "CF-UnprocessableEntity", "There is no such event") from error
        raise


@fault("stopped-app-got-as-event")
def stopped_app_got_as_event(behaviour: Behaviour) -> Behaviour:
    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        app = find_by_guid(session, App, guid)
        return behaviour.find_event(session, guid) or (store.seed_for_app(app, timestamp_now()) if app else None)

    return replace(behaviour, find_event=find_event)


@fault("get-without-app")
@wrap_operations("get_event")
def get_without_app(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return replace(reply, body={name: value for name, value in reply.body.items() if name != "app"})


@fault("get-remembers-seeded-event")
def get_remembers_seeded_event(behaviour: Behaviour) -> Behaviour:
    cache: dict[str, AppUsageEvent] = {}

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        event = behaviour.find_event(session, guid)
        if event and is_seed(event):
            return cache.setdefault(guid, copy_event(event))
        return event

    return replace(behaviour, find_event=find_event)


@fault("seed-gettable-after-next-change")
def seed_gettable_after_next_change(behaviour: Behaviour) -> Behaviour:
    new_guids: set[str] = set()

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        events = behaviour.make_seeds(session, moment)
        new_guids.update(event.guid for event in events)
        return events

    def record(session: Session, event: AppUsageEvent) -> None:
        new_guids.clear()
        behaviour.record(session, event)

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        return None if guid in new_guids else behaviour.find_event(session, guid)

    return replace(behaviour, make_seeds=seeds, record=record, find_event=find_event)


@fault("list-turns-round")
def list_turns_round(behaviour: Behaviour) -> Behaviour:
    reads = count()

    def find_events(
        session: Session, listing: Listing[AppUsageEvent], query: ListQuery
    ) -> tuple[int, Sequence[AppUsageEvent]]:
        total, rows = behaviour.find_events(session, listing, query)
        return total, rows if query.order_by or next(reads) % 2 else rows[::-1]

    return replace(behaviour, find_events=find_events)
