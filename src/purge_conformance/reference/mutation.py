"""How faults and variants are written: a small function for one seam, decorated into a change of the behaviour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.store.tables import App, AppUsageEvent
from purge_conformance.reference.store.transitions import seed_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery

Change = Callable[[Behaviour], Behaviour]
Register = Callable[[str], Callable[[Change], Change]]


def registering(changes: dict[str, Change]) -> Register:
    """Make the decorator that enters a change under its id in `spec/faults.yaml` or `spec/variants.yaml`."""

    def named(name: str) -> Callable[[Change], Change]:
        def register(change: Change) -> Change:
            changes[name] = change
            return change

        return register

    return named


def around(*operations: str) -> Callable[[Callable[[Call, Handler], Reply]], Change]:
    """Make a change of a function that answers calls of these operations instead of their handler, given it."""

    def decorate(wrapper: Callable[[Call, Handler], Reply]) -> Change:
        def change(behaviour: Behaviour) -> Behaviour:
            def wrapped(operation: str, handler: Handler) -> Handler:
                inner = behaviour.around(operation, handler)
                return (lambda call: wrapper(call, inner)) if operation in operations else inner

            return replace(behaviour, around=wrapped)

        return change

    return decorate


def refusing(show: Callable[[ApiError, Reply], Reply]) -> Change:
    """Make a change of a function that shows a refusal, given the right showing."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, refusal=lambda error: show(error, behaviour.refusal(error)))

    return change


def seeding(alter: Callable[[list[AppUsageEvent]], list[AppUsageEvent]]) -> Change:
    """Make a change of a function that alters the events of a purge, not yet in the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, seeds=lambda session, moment: alter(behaviour.seeds(session, moment)))

    return change


def seeding_apps(choose: Callable[[Session], Sequence[App]]) -> Change:
    """Make a change of a function that chooses the apps that a purge seeds."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, seeds=lambda session, moment: [seed_of(app, moment) for app in choose(session)])

    return change


def not_recording(forgotten: Callable[[AppUsageEvent], bool]) -> Change:
    """Make a change of a function that tells which events never reach the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        def record(session: Session, event: AppUsageEvent) -> None:
            if not forgotten(event):
                behaviour.record(session, event)

        return replace(behaviour, record=record)

    return change


def finding(alter: Callable[[Session, ListQuery], ListQuery]) -> Change:
    """Make a change of a function that alters what is looked for, while the links show what was asked."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour,
            find_events=lambda session, listing, query: behaviour.find_events(session, listing, alter(session, query)),
        )

    return change


def is_seed(event: AppUsageEvent) -> bool:
    """Tell whether a purge made an event."""
    return event.guid == event.app_guid


def twin(event: AppUsageEvent) -> AppUsageEvent:
    """Copy an event outside the database, without its internal id."""
    columns = inspect(AppUsageEvent).columns.keys()
    return AppUsageEvent(**{name: getattr(event, name) for name in columns if name != "id"})


def showing_pagination(alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Make a change of a function that alters the pagination object of the list of events."""

    @around("list_events")
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body={**reply.body, "pagination": alter(reply.body["pagination"])})

    return change


def showing_events(alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Make a change of a function that alters an event as it is shown, in the list and by itself."""

    @around("list_events")
    def many(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body={**reply.body, "resources": [alter(event) for event in reply.body["resources"]]})

    @around("get_event")
    def one(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body=alter(reply.body))

    return together(many, one)


def together(*changes: Change) -> Change:
    """Make one change of several, in their order."""
    return lambda behaviour: reduce(lambda changed, change: change(changed), changes, behaviour)


def everywhere(wrapper: Callable[[Call, Handler], Reply]) -> Change:
    """Make a change of a function that answers every call instead of its handler, given it."""

    def change(behaviour: Behaviour) -> Behaviour:
        def wrapped(operation: str, handler: Handler) -> Handler:
            inner = behaviour.around(operation, handler)
            return lambda call: wrapper(call, inner)

        return replace(behaviour, around=wrapped)

    return change


def finishing(finish: Callable[[Reply], Reply]) -> Change:
    """Make a change of a function that alters every answer before it is sent."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, finish=lambda reply: finish(behaviour.finish(reply)))

    return change


def instead_of(status: int, other: Callable[[Call, ApiError], Reply]) -> Callable[[Call, Handler], Reply]:
    """Answer a refusal with this status by something else, in the transaction that it would have undone."""

    def wrapper(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            if error.status != status:
                raise
            return other(call, error)

    return wrapper


def refusing_at_times(every: int, refusal: Callable[[Call], Reply]) -> Change:
    """Refuse each call of that number, before anything is done."""

    def change(behaviour: Behaviour) -> Behaviour:
        calls = count(1)

        @everywhere
        def limited(call: Call, answer: Handler) -> Reply:
            if next(calls) % every:
                return answer(call)
            return refusal(call)

        return limited(behaviour)

    return change
