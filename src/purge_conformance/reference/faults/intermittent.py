"""Faults that depend on how often or after which steps a request is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import Change, combine, copy_event, fault, is_seed, on_error, wrap_operations
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import STARTED, STOPPED, App, AppUsageEvent, Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

    Seeds = list[AppUsageEvent]


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


START_TRANSITION = (STOPPED, STARTED)
REJECTION_STATUSES = (401, 403)


@dataclass
class History:
    """What came before.

    Attributes:
        changes: app and states, before and after, of each change since the last purge; none before the first one.
        seeds: copies of what each purge seeded.
        settled: the apps that were there at the first purge.
    """

    changes: list[tuple[str, tuple[str, str]]] = field(default_factory=list)
    seeds: list[Seeds] = field(default_factory=list)
    initial_apps: set[str] = field(default_factory=set)

    def count(self, app: str, change: tuple[str, str]) -> int:
        """Count the changes of a kind of an app since the last purge."""
        return self.changes.count((app, change))

    def has_seeded(self, app: str, purge: int) -> bool:
        """Tell whether a purge, by its place in the list, seeded an app."""
        return app in {event.app_guid for event in self.seeds[purge]}


def _with_history(change: Callable[[History, Behaviour], Behaviour]) -> Change:
    """Make a change of a function that knows what came before."""

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
    """Make a change of a function that tells which started app a purge does not seed."""

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
        last = [copy_event(event) for event in history.seeds[-1]] if history.seeds else []
        deleted = [event for event in last if find_by_guid(session, App, event.app_guid) is None]
        return behaviour.make_seeds(session, moment) + [_set_time(event, moment) for event in deleted]

    return replace(behaviour, make_seeds=seeds)


def _set_time(event: AppUsageEvent, moment: str) -> AppUsageEvent:
    event.created_at = event.updated_at = moment
    return event


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
    rejections: list[Call] = []  # until the list is read twice, or something is recorded

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
