"""Faults that show now and then: counted, so that each run of the suite meets them in the same places."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, copy_event, is_seed, new_registrar, on_error, wrap_operations
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)


def _every_nth(number: int) -> Callable[[], bool]:
    """Make what tells, of each time it is asked, whether it is one of so many: the last of them."""
    times = count(1)
    return lambda: next(times) % number == 0


@fault("purge-does-nothing-each-second-time")
def purge_does_nothing_each_second_time(behaviour: Behaviour) -> Behaviour:
    is_second = _every_nth(2)

    @wrap_operations("purge_events")
    def undo_every_second(call: Call, answer: Handler) -> Reply:
        with call.session.begin_nested() as savepoint:
            reply = answer(call)
            if is_second():
                savepoint.rollback()
        return reply

    return undo_every_second(behaviour)


def _fail_every_nth(number: int, *operations: str) -> Change:
    """Answer each success of that number with 500 instead, and undo it."""

    def change(behaviour: Behaviour) -> Behaviour:
        is_nth = _every_nth(number)

        @wrap_operations(*operations)
        def fail_nth(call: Call, answer: Handler) -> Reply:
            reply = answer(call)
            if is_nth():
                raise problems.unknown_error()
            return reply

        return fail_nth(behaviour)

    return change


fault("each-twentieth-list-500")(_fail_every_nth(20, "list_events"))
fault("each-fifth-purge-500")(_fail_every_nth(5, "purge_events"))


@fault("each-third-forbidden-purge-destroys")
def each_third_forbidden_purge_destroys(behaviour: Behaviour) -> Behaviour:
    is_third = _every_nth(3)

    def purge_every_third(call: Call, error: ApiError) -> Reply:
        if is_third():
            call.behaviour.purge_and_reseed(call.session)
        return call.behaviour.error_reply(error)

    return wrap_operations("purge_events")(on_error(403, purge_every_third))(behaviour)


@fault("each-fifth-purge-leaves-an-event")
def each_fifth_purge_leaves_an_event(behaviour: Behaviour) -> Behaviour:
    is_fifth = _every_nth(5)

    def destroy(session: Session) -> None:
        not_seeded = [copy_event(event) for event in session.scalars(select(AppUsageEvent)) if not is_seed(event)]
        behaviour.destroy(session)
        if is_fifth():
            session.add_all(not_seeded[-1:])

    return replace(behaviour, destroy=destroy)
