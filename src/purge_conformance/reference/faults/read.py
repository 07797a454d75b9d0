"""Faults of getting one event, and of two reads that differ though nothing changed."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import Change, around, is_seed, registering, twin
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import by_guid
from purge_conformance.reference.store.tables import App, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.database import Listing
    from purge_conformance.reference.store.tables import AppUsageEvent

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


@fault("unknown-guid-422")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if error.status == 404 and not store.event_by_guid(call.session, call.parts["guid"]):  # noqa: PLR2004 - HTTP's
            raise ApiError(422, 10008, "CF-UnprocessableEntity", "There is no such event") from error
        raise


@fault("stopped-app-got-as-event")
def _(behaviour: Behaviour) -> Behaviour:
    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        app = by_guid(session, App, guid)
        return behaviour.find_event(session, guid) or (store.seed_of(app, now()) if app else None)

    return replace(behaviour, find_event=find_event)


@fault("get-without-app")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return replace(reply, body={name: value for name, value in reply.body.items() if name != "app"})


@fault("get-remembers-seeded-event")
def _(behaviour: Behaviour) -> Behaviour:
    remembered: dict[str, AppUsageEvent] = {}

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        event = behaviour.find_event(session, guid)
        if event and is_seed(event):
            return remembered.setdefault(guid, twin(event))
        return event

    return replace(behaviour, find_event=find_event)


@fault("seed-gettable-after-next-change")
def _(behaviour: Behaviour) -> Behaviour:
    fresh: set[str] = set()

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        made = behaviour.seeds(session, moment)
        fresh.update(event.guid for event in made)
        return made

    def record(session: Session, event: AppUsageEvent) -> None:
        fresh.clear()
        behaviour.record(session, event)

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        return None if guid in fresh else behaviour.find_event(session, guid)

    return replace(behaviour, seeds=seeds, record=record, find_event=find_event)


@fault("list-turns-round")
def _(behaviour: Behaviour) -> Behaviour:
    reads = count()

    def find_events(
        session: Session, listing: Listing[AppUsageEvent], query: ListQuery
    ) -> tuple[int, Sequence[AppUsageEvent]]:
        total, rows = behaviour.find_events(session, listing, query)
        return total, rows if query.order_by or next(reads) % 2 else rows[::-1]

    return replace(behaviour, find_events=find_events)
