"""Faults of what the list and a single event show, and of two reads that differ though nothing changed."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.query import DEFAULT_PER_PAGE, ListQuery
from purge_conformance.reference.mutation import (
    FindAll,
    Json,
    Rows,
    alter_event_json,
    alter_pagination_json,
    alter_query,
    alter_rows,
    fault,
    wrap_operations,
)
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import App, timestamp_now
from purge_conformance.reference.store.transitions import copy_event, is_seed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.lists import Listing
    from purge_conformance.reference.store.tables import AppUsageEvent


NUL_OR_EMPTY_BRACKETS = re.compile(rb"=\0(&|$)|(^|&)\w+\[\]=")  # a value that is NUL, or a name with empty brackets


@fault("total-pages-off")
@alter_pagination_json
def total_pages_off(pagination: Json) -> Json:
    return {**pagination, "total_pages": pagination["total_pages"] + 1}


@fault("total-results-at-most-50")
@alter_pagination_json
def total_results_at_most_50(pagination: Json) -> Json:
    return {**pagination, "total_results": min(50, pagination["total_results"])}


@fault("list-shows-nan")
@alter_pagination_json
def list_shows_nan(pagination: Json) -> Json:
    return {**pagination, "share": float("nan")}


@fault("next-link-missing")
@alter_pagination_json
def next_link_missing(pagination: Json) -> Json:
    return {**pagination, "next": None}


@fault("next-link-loses-filter")
@alter_pagination_json
def next_link_loses_filter(pagination: Json) -> Json:
    following = pagination["next"]
    if following is None:
        return pagination
    url, _, query = following["href"].partition("?")
    paging = [pair for pair in query.split("&") if pair.startswith(("page=", "per_page="))]
    return {**pagination, "next": {"href": f"{url}?{'&'.join(paging)}"}}


@fault("pages-overlap")
@alter_query
def pages_overlap(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, skip=max(0, query.skip - 1))


@fault("pages-of-one-have-two")
@alter_query
def pages_of_one_have_two(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, take=2) if query.take == 1 else query


@fault("even-pages-turn-ties-round")
@alter_rows
def even_pages_turn_ties_round(_session: Session, query: ListQuery, find_all: FindAll) -> Rows | None:
    if query.order_by is None or query.page % 2:
        return None
    is_descending = query.order_by.startswith("-")
    return sorted(find_all(query), key=lambda row: (row.created_at, -row.id), reverse=is_descending)


@fault("list-without-query-lacks-newest")
@wrap_operations("list_events")
def list_without_query_lacks_newest(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return (
        reply if call.query_string else replace(reply, body={**reply.body, "resources": reply.body["resources"][:-1]})
    )


@fault("after-guid-skips-seeded-events")
@alter_rows
def after_guid_skips_seeded_events(_session: Session, query: ListQuery, find_all: FindAll) -> Rows | None:
    return [row for row in find_all(query) if not is_seed(row)] if "after_guid" in query.single_guids else None


@fault("per-page-ignored")
@alter_query
def per_page_ignored(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, skip=(query.page - 1) * DEFAULT_PER_PAGE, take=DEFAULT_PER_PAGE)


@fault("guids-filter-ignored")
@alter_query
def guids_filter_ignored(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, filters={})


@fault("after-guid-ignored")
@alter_query
def after_guid_ignored(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, single_guids={})


@fault("created-ats-ignored")
@alter_query
def created_ats_ignored(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, times=())


@fault("created-ats-bounds-inclusive")
@alter_query
def created_ats_bounds_inclusive(_session: Session, query: ListQuery) -> ListQuery:
    inclusive = {"lt": "lte", "gt": "gte"}
    times = [replace(time, operator=inclusive.get(time.operator or "", time.operator)) for time in query.times]
    return replace(query, times=tuple(times))


@fault("bad-parameter-ignored")
@wrap_operations("list_events")
def bad_parameter_ignored(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return answer(replace(call, query_string=b""))


@fault("odd-query-500")
@wrap_operations("list_events")
def odd_query_500(call: Call, answer: Handler) -> Reply:
    if NUL_OR_EMPTY_BRACKETS.search(unquote_to_bytes(call.query_string)):
        raise problems.unknown_error()
    return answer(call)


@fault("event-without-state")
@alter_event_json
def event_without_state(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "state"}


@fault("self-link-wrong")
@alter_event_json
def self_link_wrong(event: Json) -> Json:
    return {**event, "links": {"self": {"href": event["links"]["self"]["href"].replace("app_usage", "usage")}}}


@fault("list-get-differ")
@wrap_operations("get_event")
def list_get_differ(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    instances = reply.body["instance_count"]
    return replace(reply, body={**reply.body, "instance_count": {**instances, "current": instances["current"] + 1}})


@fault("unknown-guid-422")
@wrap_operations("get_event")
def unknown_guid_422(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND and not store.find_event(call.session, call.path_parameters["guid"]):
            raise ApiError(422, 10008, "CF-UnprocessableEntity", "There is no such event") from error
        raise


@fault("stopped-app-got-as-event")
def stopped_app_got_as_event(behaviour: Behaviour) -> Behaviour:
    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        app = find_by_guid(session, App, guid)
        return behaviour.find_event(session, guid) or (store.seed_for_app(app, timestamp_now()) if app else None)

    return replace(behaviour, find_event=find_event)


@fault("get-without-app")
@wrap_operations("get_event")
def get_without_app(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return replace(reply, body={name: value for name, value in reply.body.items() if name != "app"})


@fault("get-remembers-seeded-event")
def get_remembers_seeded_event(behaviour: Behaviour) -> Behaviour:
    cache: dict[str, AppUsageEvent] = {}

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        event = behaviour.find_event(session, guid)
        if event and is_seed(event):
            return cache.setdefault(guid, copy_event(event))
        return event

    return replace(behaviour, find_event=find_event)


@fault("seed-gettable-after-next-change")
def seed_gettable_after_next_change(behaviour: Behaviour) -> Behaviour:
    new_guids: set[str] = set()

    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        events = behaviour.make_seeds(session, moment)
        new_guids.update(event.guid for event in events)
        return events

    def record(session: Session, event: AppUsageEvent) -> None:
        new_guids.clear()
        behaviour.record(session, event)

    def find_event(session: Session, guid: str) -> AppUsageEvent | None:
        return None if guid in new_guids else behaviour.find_event(session, guid)

    return replace(behaviour, make_seeds=seeds, record=record, find_event=find_event)


@fault("list-turns-round")
def list_turns_round(behaviour: Behaviour) -> Behaviour:
    reads = count()

    def find_events(session: Session, listing: Listing[AppUsageEvent], query: ListQuery) -> tuple[int, Rows]:
        total, rows = behaviour.find_events(session, listing, query)
        return total, rows if query.order_by or next(reads) % 2 else rows[::-1]

    return replace(behaviour, find_events=find_events)
