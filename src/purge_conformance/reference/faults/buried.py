"""Faults of events that a purge buries rather than destroys: a query brings them to light, or they come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, not_, select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import usage_events as events
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import Change, around, everywhere, instead_of, registering, together, twin
from purge_conformance.reference.store.tables import AppUsageEvent, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler
    from purge_conformance.reference.store.database import Listing

    Buried = Mapping[str, AppUsageEvent]

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

RECORDED = AppUsageEvent.guid != AppUsageEvent.app_guid
A_WHILE = timedelta(seconds=0.8)  # less than a run lets pass so that times differ


def _recorded(session: Session) -> list[AppUsageEvent]:
    recorded = session.scalars(select(AppUsageEvent).where(RECORDED).order_by(AppUsageEvent.id))
    return [twin(event) for event in recorded]


def _shown_by(found: Callable[[ListQuery, Buried], Iterable[AppUsageEvent]]) -> Change:
    """Make a change of a function that tells which of the buried events a query brings to light."""

    def change(behaviour: Behaviour) -> Behaviour:
        buried: dict[str, AppUsageEvent] = {}

        def destroy(session: Session) -> None:
            buried.update((event.guid, event) for event in _recorded(session))
            behaviour.destroy(session)

        def find_events(
            session: Session, listing: Listing[AppUsageEvent], query: ListQuery
        ) -> tuple[int, Sequence[AppUsageEvent]]:
            total, rows = behaviour.find_events(session, listing, query)
            more = list(found(query, buried))
            return total + len(more), [*rows, *more][: query.per_page]

        return replace(behaviour, destroy=destroy, find_events=find_events)

    return change


@fault("buried-events-found-by-guids")
@_shown_by
def _(query: ListQuery, buried: Buried) -> Iterable[AppUsageEvent]:
    return [buried[guid] for guid in query.filters.get("guids", ()) if guid in buried]


@_shown_by
def _all_after_one_of_them(query: ListQuery, buried: Buried) -> Iterable[AppUsageEvent]:
    return buried.values() if query.singles.get("after_guid") in buried else ()


@around("list_events")
def _knowing_every_guid(call: Call, answer: Handler) -> Reply:
    known = replace(call.behaviour, find_event=lambda *_: AppUsageEvent())
    return answer(replace(call, behaviour=known))


fault("buried-events-found-after-their-guid")(together(_all_after_one_of_them, _knowing_every_guid))


@fault("buried-events-listed-to-auditors")
def _(behaviour: Behaviour) -> Behaviour:
    stale = _shown_by(lambda _, buried: buried.values())(behaviour)

    @around("list_events")
    def listed(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return answer(replace(call, behaviour=stale)) if _is_auditors(call) else reply

    return listed(replace(behaviour, destroy=stale.destroy))


@fault("buried-events-got-by-auditors")
def _(behaviour: Behaviour) -> Behaviour:
    buried: dict[str, AppUsageEvent] = {}

    def destroy(session: Session) -> None:
        buried.update((event.guid, event) for event in _recorded(session))
        behaviour.destroy(session)

    def not_found(call: Call, error: ApiError) -> Reply:
        event = buried.get(call.parts["guid"])
        if event is None or not _is_auditors(call):
            raise error
        return Reply(body=events.shown(event, call))

    return around("get_event")(instead_of(404, not_found))(replace(behaviour, destroy=destroy))


def _is_auditors(call: Call) -> bool:
    """Whether a call with a token that holds is a global auditor's."""
    claims = call.behaviour.claims(auth.bearer_token(call.authorization), call.secret)
    return auth.GLOBAL_AUDITOR in claims["scope"]


@fault("resurrects-event-after-a-while")
def _(behaviour: Behaviour) -> Behaviour:
    buried: list[tuple[datetime, AppUsageEvent]] = []
    once = iter([True])

    def destroy(session: Session) -> None:
        buried.extend((moment() + A_WHILE, event) for event in _recorded(session)[-1:] if next(once, False))
        behaviour.destroy(session)

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        if buried and buried[0][0] <= moment() and call.method == "GET":  # a purge would destroy it at once
            call.session.add(buried.pop()[1])
            call.session.flush()
        return answer(call)

    return at_last(replace(behaviour, destroy=destroy))


@fault("destroys-after-a-while")
def _(behaviour: Behaviour) -> Behaviour:
    overdue: list[tuple[datetime, str]] = []

    def destroy(session: Session) -> None:
        overdue.extend((moment() + A_WHILE, event.guid) for event in _recorded(session))
        session.execute(delete(AppUsageEvent).where(not_(RECORDED)))

    @everywhere
    def at_last(call: Call, answer: Handler) -> Reply:
        due = [guid for at, guid in overdue if at <= moment()]
        call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid.in_(due)))
        return answer(call)

    return at_last(replace(behaviour, destroy=destroy))
