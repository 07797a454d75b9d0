"""Faults of a purge that is not like the one before it, and of seeds that come late."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.mutation import Change, copy_event, is_seed, new_registrar, wrap_all_operations
from purge_conformance.reference.store.tables import App, AppUsageEvent, new_guid
from purge_conformance.reference.store.transitions import find_started_apps, seed_for_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = new_registrar(FAULTS)

DELAY_S = 0.5


@fault("seeds-late")
def seeds_late(behaviour: Behaviour) -> Behaviour:
    pending: list[tuple[float, list[AppUsageEvent]]] = []

    def seeds(session: Session, now: str) -> list[AppUsageEvent]:
        with session.no_autoflush:
            events = [copy_event(event) for event in behaviour.make_seeds(session, now)]
        pending[:] = [(time.monotonic() + DELAY_S, events)]
        return []

    @wrap_all_operations
    def seed_when_due(call: Call, answer: Handler) -> Reply:
        if pending and pending[0][0] <= time.monotonic():
            call.session.add_all(pending.pop()[1])
            call.session.flush()
        return answer(call)

    return seed_when_due(replace(behaviour, make_seeds=seeds))


@fault("seeds-as-at-first-purge")
def seeds_as_at_first_purge(behaviour: Behaviour) -> Behaviour:
    first: list[str] = []

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        if not first:
            first.extend(app.guid for app in find_started_apps(session))
        apps = session.scalars(select(App).where(App.guid.in_(first)).order_by(App.id))
        return [seed_for_app(app, moment) for app in apps]

    return replace(behaviour, make_seeds=seeds)


@fault("keeps-last-seeds-under-other-guids")
def keeps_last_seeds_under_other_guids(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        copies = [copy_event(event) for event in session.scalars(select(AppUsageEvent)) if is_seed(event)]
        for event in copies:
            event.guid = new_guid()
        behaviour.destroy(session)
        session.add_all(copies)

    return replace(behaviour, destroy=destroy)


def _when_no_app_is_started(destroy: Callable[[Session], None]) -> Change:
    """Make a change of a function that destroys in its own way where no app is started."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour,
            destroy=lambda session: behaviour.destroy(session) if find_started_apps(session) else destroy(session),
        )

    return change


@fault("purge-that-seeds-nothing-fails")
@_when_no_app_is_started
def purge_that_seeds_nothing_fails(_session: Session) -> None:
    raise problems.unknown_error()


@fault("purge-that-seeds-nothing-keeps-all")
@_when_no_app_is_started
def purge_that_seeds_nothing_keeps_all(_session: Session) -> None:
    pass
