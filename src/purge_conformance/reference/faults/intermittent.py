"""Faults that depend on how often or after which steps a request is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import Change, combine, fault, on_error, wrap_operations
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, Process
from purge_conformance.reference.store.transitions import copy_event, copy_recorded_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

    Seeds = list[AppUsageEvent]


def _every_nth(number: int) -> Callable[[], bool]:
    """Return a function that returns True at every nth call."""
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
    """Return the change that answers every nth successful call with 500 and rolls it back."""

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
        recorded = copy_recorded_events(session)
        behaviour.destroy(session)
        if is_fifth():
            session.add_all(recorded[-1:])

    return replace(behaviour, destroy=destroy)


START_TRANSITION = (STOPPED, STARTED)
REJECTION_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass
class History:
    """What happened before.

    Attributes:
        changes: app and (previous, current) state of each change since the last purge; empty before the first purge.
        seeds: copies of the events that each purge seeded.
        initial_apps: guids of the apps that existed at the first purge.
    """

    changes: list[tuple[str, tuple[str, str]]] = field(default_factory=list)
    seeds: list[Seeds] = field(default_factory=list)
    initial_apps: set[str] = field(default_factory=set)

    def count(self, app: str, change: tuple[str, str]) -> int:
        """Count how often an app changed in this way since the last purge."""
        return self.changes.count((app, change))


def _with_history(change: Callable[[History, Behaviour], Behaviour]) -> Change:
    """Decorate a change that needs to know what happened before."""

    def track(behaviour: Behaviour) -> Behaviour:
        history = History()
        changed = change(history, behaviour)

        def record(session: Session, event: AppUsageEvent) -> None:
            changed.record(session, event)
            if history.seeds:
                history.changes.append((event.app_guid, (event.previous_state, event.state)))

        def seeds(session: Session, moment: str) -> Seeds:
            if not history.seeds:
                history.initial_apps.update(session.scalars(select(App.guid)))
            events = changed.make_seeds(session, moment)
            history.seeds.append([copy_event(event) for event in events])
            history.changes.clear()
            return events

        return replace(changed, record=record, make_seeds=seeds)

    return track


def _skip_seeds_where(is_skipped: Callable[[History, str], bool]) -> Change:
    """Decorate a predicate of the started apps that a purge does not seed."""

    @_with_history
    def change(history: History, behaviour: Behaviour) -> Behaviour:
        def seeds(session: Session, moment: str) -> Seeds:
            return [event for event in behaviour.make_seeds(session, moment) if not is_skipped(history, event.app_guid)]

        return replace(behaviour, make_seeds=seeds)

    return change


@fault("app-started-twice-not-seeded")
@_skip_seeds_where
def app_started_twice_not_seeded(history: History, app: str) -> bool:
    return app not in history.initial_apps and history.count(app, START_TRANSITION) > 1


@fault("deleted-app-comes-back")
@_with_history
def deleted_app_comes_back(history: History, behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> Seeds:
        last = history.seeds[-1] if history.seeds else []
        deleted = [event for event in last if find_by_guid(session, App, event.app_guid) is None]
        copies = [copy_event(event, created_at=moment, updated_at=moment) for event in deleted]
        return behaviour.make_seeds(session, moment) + copies

    return replace(behaviour, make_seeds=seeds)


@fault("events-of-deleted-apps-kept")
@_with_history
def events_of_deleted_apps_kept(history: History, behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        if len(history.seeds) > 1:
            session.execute(delete(AppUsageEvent).where(AppUsageEvent.app_guid.in_(select(App.guid))))
        else:
            behaviour.destroy(session)

    return replace(behaviour, destroy=destroy)


@fault("app-scaled-while-stopped-not-seeded")
def app_scaled_while_stopped_not_seeded(behaviour: Behaviour) -> Behaviour:
    scaled: set[str] = set()

    @wrap_operations("scale_process", "scale_app_process")
    def note_scaling(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        process = find_by_guid(call.session, Process, reply.body["guid"])
        if process and process.app.state == STOPPED:
            scaled.add(process.app_guid)
        return reply

    def seeds(session: Session, moment: str) -> Seeds:
        events = [event for event in behaviour.make_seeds(session, moment) if event.app_guid not in scaled]
        scaled.clear()
        return events

    return note_scaling(replace(behaviour, make_seeds=seeds))


@fault("purge-after-refused-one-does-nothing")
def purge_after_refused_one_does_nothing(behaviour: Behaviour) -> Behaviour:
    rejections: list[Call] = []  # forgotten once the list is read twice, or an event is recorded

    @wrap_operations("list_events")
    def forget_on_list(call: Call, answer: Handler) -> Reply:
        rejections[:] = rejections[1:]
        return answer(call)

    @wrap_operations("purge_events")
    def undo_after_rejection(call: Call, answer: Handler) -> Reply:
        try:
            with call.session.begin_nested() as savepoint:
                reply = answer(call)
                if rejections:
                    savepoint.rollback()
        except ApiError as error:
            rejections[:] = [call, call] if error.status in REJECTION_STATUSES else rejections
            raise
        rejections.clear()
        return reply

    def record(session: Session, event: AppUsageEvent) -> None:
        rejections.clear()
        behaviour.record(session, event)

    return combine(forget_on_list, undo_after_rejection)(replace(behaviour, record=record))


@fault("start-after-refused-purge-not-recorded")
def start_after_refused_purge_not_recorded(behaviour: Behaviour) -> Behaviour:
    rejections: list[Call] = []  # since the last purge

    @wrap_operations("purge_events")
    def note_rejection(call: Call, answer: Handler) -> Reply:
        try:
            reply = answer(call)
        except ApiError as error:
            rejections.extend([call] if error.status in REJECTION_STATUSES else [])
            raise
        rejections.clear()
        return reply

    def record(session: Session, event: AppUsageEvent) -> None:
        if not (rejections and (event.previous_state, event.state) == START_TRANSITION):
            behaviour.record(session, event)

    return note_rejection(replace(behaviour, record=record))
