"""Faults that show now and then: counted, so that each run of the suite meets them in the same places."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, around, instead_of, is_seed, registering, twin
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


def _each(number: int) -> Callable[[], bool]:
    """Make what tells, of each time it is asked, whether it is one of so many: the last of them."""
    times = count(1)
    return lambda: next(times) % number == 0


@fault("purge-does-nothing-each-second-time")
def _(behaviour: Behaviour) -> Behaviour:
    idle = _each(2)

    @around("purge_events")
    def now_and_then(call: Call, answer: Handler) -> Reply:
        with call.session.begin_nested() as undone:
            reply = answer(call)
            if idle():
                undone.rollback()
        return reply

    return now_and_then(behaviour)


def _failing(number: int, *operations: str) -> Change:
    """Answer each success of that number with 500 instead, and undo it."""

    def change(behaviour: Behaviour) -> Behaviour:
        unlucky = _each(number)

        @around(*operations)
        def now_and_then(call: Call, answer: Handler) -> Reply:
            reply = answer(call)
            if unlucky():
                raise problems.unknown_error()
            return reply

        return now_and_then(behaviour)

    return change


fault("each-twentieth-list-500")(_failing(20, "list_events"))
fault("each-fifth-purge-500")(_failing(5, "purge_events"))


@fault("each-third-forbidden-purge-destroys")
def _(behaviour: Behaviour) -> Behaviour:
    careless = _each(3)

    def purge_at_times(call: Call, error: ApiError) -> Reply:
        if careless():
            call.behaviour.purge_and_reseed(call.session)
        return call.behaviour.refusal(error)

    return around("purge_events")(instead_of(403, purge_at_times))(behaviour)


@fault("each-fifth-purge-leaves-an-event")
def _(behaviour: Behaviour) -> Behaviour:
    careless = _each(5)

    def destroy(session: Session) -> None:
        recorded = [twin(event) for event in session.scalars(select(AppUsageEvent)) if not is_seed(event)]
        behaviour.destroy(session)
        if careless():
            session.add_all(recorded[-1:])

    return replace(behaviour, destroy=destroy)
