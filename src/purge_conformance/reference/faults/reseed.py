"""Faults of a purge that is not like the one before it, and of seeds that come late."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, everywhere, is_seed, registering, twin
from purge_conformance.reference.store.tables import App, AppUsageEvent, new_guid
from purge_conformance.reference.store.transitions import seed_of, started_apps

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

A_WHILE_S = 0.5


@fault("seeds-late")
def _(behaviour: Behaviour) -> Behaviour:
    waiting: list[tuple[float, list[AppUsageEvent]]] = []

    def seeds(session: Session, now: str) -> list[AppUsageEvent]:
        with session.no_autoflush:
            made = [twin(event) for event in behaviour.seeds(session, now)]
        waiting[:] = [(time.monotonic() + A_WHILE_S, made)]
        return []

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        if waiting and waiting[0][0] <= time.monotonic():
            call.session.add_all(waiting.pop()[1])
            call.session.flush()
        return answer(call)

    return at_last(replace(behaviour, seeds=seeds))


@fault("seeds-as-at-first-purge")
def _(behaviour: Behaviour) -> Behaviour:
    first: list[str] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        if not first:
            first.extend(app.guid for app in started_apps(session))
        apps = session.scalars(select(App).where(App.guid.in_(first)).order_by(App.id))
        return [seed_of(app, moment) for app in apps]

    return replace(behaviour, seeds=seeds)


@fault("keeps-last-seeds-under-other-guids")
def _(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        kept = [twin(event) for event in session.scalars(select(AppUsageEvent)) if is_seed(event)]
        for event in kept:
            event.guid = new_guid()
        behaviour.destroy(session)
        session.add_all(kept)

    return replace(behaviour, destroy=destroy)


def _of_nothing(destroy: Callable[[Session], None]) -> Change:
    """Make a change of a function that destroys in its own way where no app is started."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour,
            destroy=lambda session: behaviour.destroy(session) if started_apps(session) else destroy(session),
        )

    return change


@fault("purge-that-seeds-nothing-fails")
@_of_nothing
def _(_session: Session) -> None:
    raise problems.unknown_error()


@fault("purge-that-seeds-nothing-keeps-all")
@_of_nothing
def _(_session: Session) -> None:
    pass
