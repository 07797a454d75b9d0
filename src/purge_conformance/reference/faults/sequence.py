"""Faults that show only after certain steps in a certain order, each of which goes right by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import Change, around, registering, together, twin
from purge_conformance.reference.store.database import by_guid
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

    Seeds = list[AppUsageEvent]

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

START = (STOPPED, STARTED)
REFUSALS = (401, 403)


@dataclass
class Past:
    """What came before.

    Attributes:
        changes: app and states, before and after, of each change since the last purge; none before the first one.
        seeds: copies of what each purge seeded.
        settled: the apps that were there at the first purge.
    """

    changes: list[tuple[str, tuple[str, str]]] = field(default_factory=list)
    seeds: list[Seeds] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)

    def times(self, app: str, change: tuple[str, str]) -> int:
        """Count the changes of a kind of an app since the last purge."""
        return self.changes.count((app, change))

    def has_seeded(self, app: str, purge: int) -> bool:
        """Tell whether a purge, by its place in the list, seeded an app."""
        return app in {event.app_guid for event in self.seeds[purge]}


def _with_past(change: Callable[[Past, Behaviour], Behaviour]) -> Change:
    """Make a change of a function that knows what came before."""

    def remembering(behaviour: Behaviour) -> Behaviour:
        past = Past()
        changed = change(past, behaviour)

        def record(session: Session, event: AppUsageEvent) -> None:
            changed.record(session, event)
            if past.seeds:
                past.changes.append((event.app_guid, (event.previous_state, event.state)))

        def seeds(session: Session, moment: str) -> Seeds:
            if not past.seeds:
                past.settled.update(session.scalars(select(App.guid)))
            found = changed.seeds(session, moment)
            past.seeds.append([twin(event) for event in found])
            past.changes.clear()
            return found

        return replace(changed, record=record, seeds=seeds)

    return remembering


def _forgetting(forgotten: Callable[[Past, str], bool]) -> Change:
    """Make a change of a function that tells which started app a purge does not seed."""

    @_with_past
    def change(past: Past, behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> Seeds:
            return [event for event in behaviour.seeds(session, moment) if not forgotten(past, event.app_guid)]

        return replace(behaviour, seeds=seeds)

    return change


@fault("app-started-twice-not-seeded")
@_forgetting
def _(past: Past, app: str) -> bool:
    return app not in past.settled and past.times(app, START) > 1


@fault("deleted-app-comes-back")
@_with_past
def _(past: Past, behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> Seeds:
        last = [twin(event) for event in past.seeds[-1]] if past.seeds else []
        gone = [event for event in last if by_guid(session, App, event.app_guid) is None]
        return behaviour.seeds(session, moment) + [_dated(event, moment) for event in gone]

    return replace(behaviour, seeds=seeds)


def _dated(event: AppUsageEvent, moment: str) -> AppUsageEvent:
    event.created_at = event.updated_at = moment
    return event


@fault("events-of-deleted-apps-kept")
@_with_past
def _(past: Past, behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        if len(past.seeds) > 1:
            session.execute(delete(AppUsageEvent).where(AppUsageEvent.app_guid.in_(select(App.guid))))
        else:
            behaviour.destroy(session)

    return replace(behaviour, destroy=destroy)


@fault("app-scaled-while-stopped-not-seeded")
def _(behaviour: Behaviour) -> Behaviour:
    scaled: set[str] = set()

    @around("scale_process", "scale_app_process")
    def noticed(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        process = by_guid(call.session, Process, reply.body["guid"])
        if process and process.app.state == STOPPED:
            scaled.add(process.app_guid)
        return reply

    def seeds(session: Session, moment: str) -> Seeds:
        found = [event for event in behaviour.seeds(session, moment) if event.app_guid not in scaled]
        scaled.clear()
        return found

    return noticed(replace(behaviour, seeds=seeds))


@fault("purge-after-refused-one-does-nothing")
def _(behaviour: Behaviour) -> Behaviour:
    offended: list[Call] = []  # until the list is read twice, or something is recorded

    @around("list_events")
    def calming(call: Call, answer: Handler) -> Reply:
        offended[:] = offended[1:]
        return answer(call)

    @around("purge_events")
    def sulking(call: Call, answer: Handler) -> Reply:
        try:
            with call.session.begin_nested() as undone:
                reply = answer(call)
                if offended:
                    undone.rollback()
        except ApiError as error:
            offended[:] = [call, call] if error.status in REFUSALS else offended
            raise
        offended.clear()
        return reply

    def record(session: Session, event: AppUsageEvent) -> None:
        offended.clear()
        behaviour.record(session, event)

    return together(calming, sulking)(replace(behaviour, record=record))


@fault("start-after-refused-purge-not-recorded")
def _(behaviour: Behaviour) -> Behaviour:
    refused: list[Call] = []  # since the last purge

    @around("purge_events")
    def noticed(call: Call, answer: Handler) -> Reply:
        try:
            reply = answer(call)
        except ApiError as error:
            refused.extend([call] if error.status in REFUSALS else [])
            raise
        refused.clear()
        return reply

    def record(session: Session, event: AppUsageEvent) -> None:
        if not (refused and (event.previous_state, event.state) == START):
            behaviour.record(session, event)

    return noticed(replace(behaviour, record=record))
