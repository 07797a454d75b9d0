"""Faults that show now and then: counted, so that each run of the suite meets them in the same places."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.change_kit import Change, around, is_seed, registering, twin
from purge_conformance.reference.store import seed_of, started_apps
from purge_conformance.reference.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

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


@fault("each-fifth-purge-leaves-an-event")
def _(behaviour: Behaviour) -> Behaviour:
    careless = _each(5)

    def destroy(session: Session) -> None:
        recorded = [twin(event) for event in session.scalars(select(AppUsageEvent)) if not is_seed(event)]
        behaviour.destroy(session)
        if careless():
            session.add_all(recorded[-1:])

    return replace(behaviour, destroy=destroy)


@fault("each-third-purge-misses-an-app")
def _(behaviour: Behaviour) -> Behaviour:
    careless = _each(3)

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        apps = started_apps(session)
        return [seed_of(app, moment) for app in (apps[:-1] if careless() else apps)]

    return replace(behaviour, seeds=seeds)
