"""Faults of what is recorded after a purge, and of what becomes of the seeded events then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

from purge_conformance.reference.change_kit import Change, not_recording, registering
from purge_conformance.reference.tables import STARTED, STOPPED, AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)


@fault("purge-blocks-recording")
def _(behaviour: Behaviour) -> Behaviour:
    purges: list[Session] = []

    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        purges.append(session)

    changed = replace(behaviour, destroy=destroy)
    return not_recording(lambda _: bool(purges))(changed)


def _after_each_purge(record: Callable[[Behaviour, Session, AppUsageEvent], None]) -> Change:
    """Treat the first event after a purge otherwise than the others."""

    def change(behaviour: Behaviour) -> Behaviour:
        purges: list[Session] = []

        def destroy(session: Session) -> None:
            behaviour.destroy(session)
            purges.append(session)

        def record_or_not(session: Session, event: AppUsageEvent) -> None:
            if purges:
                purges.clear()
                record(behaviour, session, event)
            else:
                behaviour.record(session, event)

        return replace(behaviour, destroy=destroy, record=record_or_not)

    return change


@fault("first-change-after-purge-lost")
@_after_each_purge
def _(_behaviour: Behaviour, _session: Session, _event: AppUsageEvent) -> None:
    """Forget it."""


@fault("seeded-events-vanish-on-change")
@_after_each_purge
def _(behaviour: Behaviour, session: Session, event: AppUsageEvent) -> None:
    session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == AppUsageEvent.app_guid))
    behaviour.record(session, event)


@fault("start-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return (event.previous_state, event.state) == (STOPPED, STARTED)


@fault("stop-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return (event.previous_state, event.state) == (STARTED, STOPPED)


@fault("scale-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return event.previous_state == event.state


@fault("scale-memory-not-recorded")
@not_recording
def _(event: AppUsageEvent) -> bool:
    return event.previous_state == event.state and event.previous_memory_in_mb != event.memory_in_mb


@fault("seeded-event-rewritten")
def _(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: AppUsageEvent) -> None:
        if event.previous_state == STARTED:
            seeded = update(AppUsageEvent).where(AppUsageEvent.guid == event.app_guid)
            told = {name: getattr(event, name) for name in ("state", "instances", "memory_in_mb")}
            session.execute(seeded.values(**told, updated_at=AppUsageEvent.updated_at))  # else it tells of the writing
        behaviour.record(session, event)

    return replace(behaviour, record=record)
