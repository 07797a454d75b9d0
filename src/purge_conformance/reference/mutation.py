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
from purge_conformance.reference.store.transitions import seed_for_app

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery

Change = Callable[[Behaviour], Behaviour]
Registrar = Callable[[str], Callable[[Change], Change]]


FAULTS: dict[str, Change] = {}
VARIANTS: dict[str, Change] = {}


def new_registrar(changes: dict[str, Change]) -> Registrar:
    """Return the decorator that registers a change under its id in `spec/faults.yaml` or `spec/variants.yaml`."""

    def register_as(name: str) -> Callable[[Change], Change]:
        def register(change: Change) -> Change:
            if name in changes:
                raise ValueError(f"{name} is registered twice")
            changes[name] = change
            return change

        return register

    return register_as


fault, variant = new_registrar(FAULTS), new_registrar(VARIANTS)


def wrap_operations(*operations: str) -> Callable[[Callable[[Call, Handler], Reply]], Change]:
    """Make a change of a function that answers calls of these operations instead of their handler, given it."""

    def decorate(wrapper: Callable[[Call, Handler], Reply]) -> Change:
        def change(behaviour: Behaviour) -> Behaviour:
            def wrap(operation: str, handler: Handler) -> Handler:
                inner = behaviour.wrap_handler(operation, handler)
                return (lambda call: wrapper(call, inner)) if operation in operations else inner

            return replace(behaviour, wrap_handler=wrap)

        return change

    return decorate


def alter_errors(alter: Callable[[ApiError, Reply], Reply]) -> Change:
    """Make a change of a function that shows a refusal, given the right showing."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, error_reply=lambda error: alter(error, behaviour.error_reply(error)))

    return change


def alter_seeds(alter: Callable[[list[AppUsageEvent]], list[AppUsageEvent]]) -> Change:
    """Make a change of a function that alters the events of a purge, not yet in the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, make_seeds=lambda session, moment: alter(behaviour.make_seeds(session, moment)))

    return change


def choose_seeded_apps(choose: Callable[[Session], Sequence[App]]) -> Change:
    """Make a change of a function that chooses the apps that a purge seeds."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour, make_seeds=lambda session, moment: [seed_for_app(app, moment) for app in choose(session)]
        )

    return change


def skip_recording(is_skipped: Callable[[AppUsageEvent], bool]) -> Change:
    """Make a change of a function that tells which events never reach the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        def record(session: Session, event: AppUsageEvent) -> None:
            if not is_skipped(event):
                behaviour.record(session, event)

        return replace(behaviour, record=record)

    return change


def alter_query(alter: Callable[[Session, ListQuery], ListQuery]) -> Change:
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


def copy_event(event: AppUsageEvent) -> AppUsageEvent:
    """Copy an event outside the database, without its internal id."""
    columns = inspect(AppUsageEvent).columns.keys()
    return AppUsageEvent(**{name: getattr(event, name) for name in columns if name != "id"})


def alter_pagination_json(alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Make a change of a function that alters the pagination object of the list of events."""

    @wrap_operations("list_events")
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body={**reply.body, "pagination": alter(reply.body["pagination"])})

    return change


def alter_event_json(alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Make a change of a function that alters an event as it is shown, in the list and by itself."""

    @wrap_operations("list_events")
    def alter_list(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body={**reply.body, "resources": [alter(event) for event in reply.body["resources"]]})

    @wrap_operations("get_event")
    def alter_single(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body=alter(reply.body))

    return combine(alter_list, alter_single)


def combine(*changes: Change) -> Change:
    """Make one change of several, in their order."""
    return lambda behaviour: reduce(lambda behaviour_so_far, change: change(behaviour_so_far), changes, behaviour)


def wrap_all_operations(wrapper: Callable[[Call, Handler], Reply]) -> Change:
    """Make a change of a function that answers every call instead of its handler, given it."""

    def change(behaviour: Behaviour) -> Behaviour:
        def wrap(operation: str, handler: Handler) -> Handler:
            inner = behaviour.wrap_handler(operation, handler)
            return lambda call: wrapper(call, inner)

        return replace(behaviour, wrap_handler=wrap)

    return change


def alter_replies(finish: Callable[[Reply], Reply]) -> Change:
    """Make a change of a function that alters every answer before it is sent."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, finalize=lambda reply: finish(behaviour.finalize(reply)))

    return change


def on_error(status: int, handle: Callable[[Call, ApiError], Reply]) -> Callable[[Call, Handler], Reply]:
    """Answer a refusal with this status by something else, in the transaction that it would have undone."""

    def wrapper(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            if error.status != status:
                raise
            return handle(call, error)

    return wrapper


def reject_every_nth_call(n: int, refusal: Callable[[Call], Reply]) -> Change:
    """Refuse each call of that number, before anything is done."""

    def change(behaviour: Behaviour) -> Behaviour:
        calls = count(1)

        @wrap_all_operations
        def reject_nth(call: Call, answer: Handler) -> Reply:
            if next(calls) % n:
                return answer(call)
            return refusal(call)

        return reject_nth(behaviour)

    return change
