"""How a fault is written: a small function for one seam, decorated into a change of the behaviour, and registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.tables import AppUsageEvent

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.parameters import ListQuery
    from purge_conformance.reference.problems import ApiError

Fault = Callable[[Behaviour], Behaviour]
Register = Callable[[str], Callable[[Fault], Fault]]


def registering(faults: dict[str, Fault]) -> Register:
    """Make the decorator that enters a fault under its id in `spec/faults.yaml`."""

    def fault(name: str) -> Callable[[Fault], Fault]:
        def register(change: Fault) -> Fault:
            faults[name] = change
            return change

        return register

    return fault


def around(*operations: str) -> Callable[[Callable[[Call, Handler], Reply]], Fault]:
    """Make a fault of a function that answers calls of these operations instead of their handler, given it."""

    def decorate(wrapper: Callable[[Call, Handler], Reply]) -> Fault:
        def change(behaviour: Behaviour) -> Behaviour:
            def wrapped(operation: str, handler: Handler) -> Handler:
                inner = behaviour.around(operation, handler)
                return (lambda call: wrapper(call, inner)) if operation in operations else inner

            return replace(behaviour, around=wrapped)

        return change

    return decorate


def refusing(show: Callable[[ApiError, Reply], Reply]) -> Fault:
    """Make a fault of a function that shows a refusal, given the right showing."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, refusal=lambda error: show(error, behaviour.refusal(error)))

    return change


def seeding(alter: Callable[[list[AppUsageEvent]], list[AppUsageEvent]]) -> Fault:
    """Make a fault of a function that alters the events of a purge, not yet in the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, seeds=lambda session, moment: alter(behaviour.seeds(session, moment)))

    return change


def not_recording(forgotten: Callable[[AppUsageEvent], bool]) -> Fault:
    """Make a fault of a function that tells which events never reach the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        def record(session: Session, event: AppUsageEvent) -> None:
            if not forgotten(event):
                behaviour.record(session, event)

        return replace(behaviour, record=record)

    return change


def finding(alter: Callable[[Session, ListQuery], ListQuery]) -> Fault:
    """Make a fault of a function that alters what is looked for, while the links show what was asked."""

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
