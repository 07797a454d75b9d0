"""Faults of which events outlive a purge: in the list, behind a query, or until later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, func, not_, select, update

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import usage_events as events
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import (
    Change,
    Rows,
    after_pause,
    combine,
    fault,
    on_error,
    wrap_operations,
)
from purge_conformance.reference.store.initial_data import initial_data
from purge_conformance.reference.store.tables import STOPPED, App, AppUsageEvent, Process, format_timestamp, utc_now
from purge_conformance.reference.store.transitions import (
    IS_SEED,
    NOT_SEEDED,
    copy_event,
    copy_recorded_events,
    make_usage_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler
    from purge_conformance.reference.store.lists import Listing

    HiddenEvents = Mapping[str, AppUsageEvent]


def _keep_where(condition: Callable[[], ColumnElement[bool]]) -> Change:
    """Decorate a function that returns the condition of the recorded events that outlive every purge."""

    def change(behaviour: Behaviour) -> Behaviour:
        def destroy(session: Session) -> None:
            session.execute(delete(AppUsageEvent).where(not_(and_(NOT_SEEDED, condition()))))

        return replace(behaviour, destroy=destroy)

    return change


def _ago(**time: float) -> str:
    return format_timestamp(utc_now() - timedelta(**time))


@fault("keeps-oldest-event")
def keeps_oldest_event(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        oldest = session.scalar(select(func.min(AppUsageEvent.id)).where(NOT_SEEDED))
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.id != (oldest or 0)))

    return replace(behaviour, destroy=destroy)


@fault("keeps-events-of-last-minute")
@_keep_where
def keeps_events_of_last_minute() -> ColumnElement[bool]:
    return AppUsageEvent.created_at > _ago(minutes=1)


@fault("keeps-events-of-deleted-apps")
@_keep_where
def keeps_events_of_deleted_apps() -> ColumnElement[bool]:
    return AppUsageEvent.app_guid.not_in(select(App.guid))


@fault("keeps-events-beyond-a-page")
@_keep_where
def keeps_events_beyond_a_page() -> ColumnElement[bool]:
    return AppUsageEvent.id.not_in(select(AppUsageEvent.id).order_by(AppUsageEvent.id).limit(50))


@_keep_where
def _keep_older_than_a_day() -> ColumnElement[bool]:
    return AppUsageEvent.created_at < _ago(days=1)


@_keep_where
def _keep_task_events() -> ColumnElement[bool]:
    return AppUsageEvent.task_guid.is_not(None)


def _add_task_event(behaviour: Behaviour) -> Behaviour:
    def create(session: Session) -> None:
        behaviour.initial_data(session)
        event = make_usage_event(session.scalars(select(Process)).first() or Process())
        event.state, event.previous_state = "TASK_STARTED", "TASK_STOPPED"
        event.task_guid, event.task_name = event.guid[::-1], "migrate"
        behaviour.record(session, event)

    return replace(behaviour, initial_data=create)


fault("keeps-events-older-than-a-day")(combine(initial_data(interval=timedelta(days=2)), _keep_older_than_a_day))
fault("keeps-events-of-tasks")(combine(initial_data(), _add_task_event, _keep_task_events))


def _keep_by_guid(choose: Callable[[Session], Iterable[AppUsageEvent]]) -> Change:
    """Decorate a function that chooses events before each purge that GET still returns afterwards."""

    def change(behaviour: Behaviour) -> Behaviour:
        copies: dict[str, AppUsageEvent] = {}

        def destroy(session: Session) -> None:
            copies.update((event.guid, event) for event in choose(session))
            behaviour.destroy(session)

        def find_event(session: Session, guid: str) -> AppUsageEvent | None:
            return behaviour.find_event(session, guid) or copies.get(guid)

        return replace(behaviour, destroy=destroy, find_event=find_event)

    return change


@fault("keeps-events-by-guid")
@_keep_by_guid
def keeps_events_by_guid(session: Session) -> Iterable[AppUsageEvent]:
    return [copy_event(event) for event in session.scalars(select(AppUsageEvent))]


@fault("keeps-middle-event-by-guid")
@_keep_by_guid
def keeps_middle_event_by_guid(session: Session) -> Iterable[AppUsageEvent]:
    recorded = copy_recorded_events(session)
    return recorded[len(recorded) // 2 :][:1]


@fault("resurrects-events")
def resurrects_events(behaviour: Behaviour) -> Behaviour:
    destroyed: list[AppUsageEvent] = []

    def destroy(session: Session) -> None:
        destroyed.extend(copy_recorded_events(session))
        behaviour.destroy(session)

    def record(session: Session, event: AppUsageEvent) -> None:
        if destroyed:
            session.add(destroyed.pop())
        behaviour.record(session, event)

    return replace(behaviour, destroy=destroy, record=record)


@fault("purge-stops-apps-without-instances")
def purge_stops_apps_without_instances(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        empty = select(Process.app_guid).where(Process.instances == 0)
        session.execute(update(App).where(App.guid.in_(empty)).values(state=STOPPED))

    return replace(behaviour, destroy=destroy)


@fault("purge-resets-instances")
def purge_resets_instances(behaviour: Behaviour) -> Behaviour:
    def destroy(session: Session) -> None:
        behaviour.destroy(session)
        session.execute(update(Process).values(instances=1))

    return replace(behaviour, destroy=destroy)


def _hide_destroyed(behaviour: Behaviour) -> tuple[Behaviour, HiddenEvents]:
    """Return the behaviour that keeps a copy of each recorded event when a purge destroys it, and these copies."""
    hidden: dict[str, AppUsageEvent] = {}

    def destroy(session: Session) -> None:
        hidden.update((event.guid, event) for event in copy_recorded_events(session))
        behaviour.destroy(session)

    return replace(behaviour, destroy=destroy), hidden


def _reveal(select_hidden: Callable[[ListQuery, HiddenEvents], Iterable[AppUsageEvent]]) -> Change:
    """Decorate a function that selects the destroyed events that a query of the list still shows."""

    def change(behaviour: Behaviour) -> Behaviour:
        hiding, hidden = _hide_destroyed(behaviour)

        def find_events(session: Session, listing: Listing[AppUsageEvent], query: ListQuery) -> tuple[int, Rows]:
            total, rows = behaviour.find_events(session, listing, query)
            revealed = list(select_hidden(query, hidden))
            return total + len(revealed), [*rows, *revealed][: query.per_page]

        return replace(hiding, find_events=find_events)

    return change


@fault("buried-events-found-by-guids")
@_reveal
def buried_events_found_by_guids(query: ListQuery, hidden: HiddenEvents) -> Iterable[AppUsageEvent]:
    return [hidden[guid] for guid in query.filters.get("guids", ()) if guid in hidden]


@_reveal
def _reveal_all_after_hidden_guid(query: ListQuery, hidden: HiddenEvents) -> Iterable[AppUsageEvent]:
    return hidden.values() if query.single_guids.get("after_guid") in hidden else ()


@wrap_operations("list_events")
def _accept_any_guid(call: Call, answer: Handler) -> Reply:
    accepting = replace(call.behaviour, find_event=lambda *_: AppUsageEvent())
    return answer(replace(call, behaviour=accepting))


fault("buried-events-found-after-their-guid")(combine(_reveal_all_after_hidden_guid, _accept_any_guid))


@fault("buried-events-listed-to-auditors")
def buried_events_listed_to_auditors(behaviour: Behaviour) -> Behaviour:
    revealing = _reveal(lambda _, hidden: hidden.values())(behaviour)

    @wrap_operations("list_events")
    def reveal_to_auditors(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return answer(replace(call, behaviour=revealing)) if _is_auditor(call) else reply

    return reveal_to_auditors(replace(behaviour, destroy=revealing.destroy))


@fault("buried-events-got-by-auditors")
def buried_events_got_by_auditors(behaviour: Behaviour) -> Behaviour:
    hiding, hidden = _hide_destroyed(behaviour)

    def reveal_to_auditors(call: Call, error: ApiError) -> Reply:
        event = hidden.get(call.path_parameters["guid"])
        if event is None or not _is_auditor(call):
            raise error
        return Reply(body=events.event_to_json(event, call))

    return wrap_operations("get_event")(on_error(404, reveal_to_auditors))(hiding)


def _is_auditor(call: Call) -> bool:
    """Whether a call with a valid token is a global auditor's."""
    claims = call.behaviour.read_claims(auth.bearer_token(call.authorization), call.secret)
    return auth.GLOBAL_AUDITOR in claims["scope"]


@fault("resurrects-event-after-a-while")
def resurrects_event_after_a_while(behaviour: Behaviour) -> Behaviour:
    destroyed: list[AppUsageEvent] = []
    first_purge = iter([True])

    def destroy(session: Session) -> None:
        destroyed.extend(event for event in copy_recorded_events(session)[-1:] if next(first_purge, False))
        behaviour.destroy(session)

    @after_pause
    def restore(session: Session) -> None:
        session.add_all(destroyed)
        destroyed.clear()

    return restore(replace(behaviour, destroy=destroy))


@fault("destroys-after-a-while")
def destroys_after_a_while(behaviour: Behaviour) -> Behaviour:
    doomed: list[str] = []  # guids

    def destroy(session: Session) -> None:
        doomed.extend(event.guid for event in copy_recorded_events(session))
        session.execute(delete(AppUsageEvent).where(IS_SEED))

    @after_pause
    def destroy_recorded(session: Session) -> None:
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid.in_(doomed)))
        doomed.clear()

    return destroy_recorded(replace(behaviour, destroy=destroy))
