"""Faults of filters, orders, pages and links, of unexpected requests, and of roles that may not read."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from sqlalchemy import select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.query import DEFAULT_PER_PAGE
from purge_conformance.reference.mutation import (
    Change,
    Json,
    alter_pagination_json,
    alter_query,
    combine,
    fault,
    wrap_operations,
)
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Call, Handler, Reply


def _alter_guids(choose: Callable[[Session, tuple[str, ...]], tuple[str, ...]]) -> Change:
    """Decorate a function that returns the guids to filter by in place of the requested ones."""

    @alter_query
    def change(session: Session, query: ListQuery) -> ListQuery:
        guids = query.filters.get("guids")
        return replace(query, filters={"guids": choose(session, guids)}) if guids else query

    return change


@fault("guids-first-alone")
@_alter_guids
def guids_first_alone(_session: Session, guids: tuple[str, ...]) -> tuple[str, ...]:
    return guids[:1]


@fault("guids-ignored-beside-times")
@alter_query
def guids_ignored_beside_times(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, filters={}) if query.times else query


@fault("times-ignored-beside-guids")
@alter_query
def times_ignored_beside_guids(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, times=()) if query.filters else query


@fault("after-guid-ignored-in-an-order")
@alter_query
def after_guid_ignored_in_an_order(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, single_guids={}) if query.order_by else query


@fault("after-guid-ignored-on-small-pages")
@alter_query
def after_guid_ignored_on_small_pages(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, single_guids={}) if query.take < DEFAULT_PER_PAGE else query


@fault("order-ignored-beside-guids")
@alter_query
def order_ignored_beside_guids(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, order_by=None) if query.filters else query


@fault("descending-order-ignored")
@alter_query
def descending_order_ignored(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, order_by="+created_at") if query.order_by == "-created_at" else query


@alter_query
def _sort_ascending(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, order_by=query.order_by and "+created_at")


@wrap_operations("list_events")
def _reverse_each_page(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    is_descending = b"order_by=-" in call.query_string
    rows = reply.body["resources"]
    return replace(reply, body={**reply.body, "resources": rows[::-1] if is_descending else rows})


fault("pages-sorted-one-by-one")(combine(_sort_ascending, _reverse_each_page))


@fault("order-by-anything")
@wrap_operations("list_events")
def order_by_anything(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, query_string=call.query_string.replace(b"order_by=no_such_field", b"")))


@fault("created-ats-gte-refused")
@wrap_operations("list_events")
def created_ats_gte_refused(call: Call, answer: Handler) -> Reply:
    if "[gte]" in unquote_plus(call.query_string.decode(errors="replace")):
        raise problems.unprocessable("Created ats Invalid relational operator: 'gte'")
    return answer(call)


@fault("page-zero-taken")
@wrap_operations("list_events")
def page_zero_taken(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, query_string=re.sub(rb"(^|&)page=0(?=&|$)", rb"\1page=1", call.query_string)))


@fault("per-page-of-5000-refused")
@wrap_operations("list_events")
def per_page_of_5000_refused(call: Call, answer: Handler) -> Reply:
    if b"per_page=5000" in call.query_string:
        raise problems.unprocessable("Per page must be between 1 and 1000")
    return answer(call)


@fault("total-off-with-its-pages")
@wrap_operations("list_events")
def total_off_with_its_pages(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    per_page = re.search(rb"(?:^|&)per_page=(\d+)", call.query_string)
    total = reply.body["pagination"]["total_results"] + 1
    pages = -(-total // int(per_page[1] if per_page else 50))
    pagination = {**reply.body["pagination"], "total_results": total, "total_pages": pages}
    return replace(reply, body={**reply.body, "pagination": pagination})


def _is_filtered_or_ordered(call: Call) -> bool:
    return any(name in call.query_string for name in (b"guid", b"created_at"))


@fault("page-begins-with-last-of-before")
@wrap_operations("list_events")
def page_begins_with_last_of_before(call: Call, answer: Handler) -> Reply:
    page = re.search(rb"(?:^|&)page=([2-9])(?=&|$)", call.query_string)
    reply = answer(call)
    if not page or not reply.body["resources"] or _is_filtered_or_ordered(call):
        return reply
    previous_parameter = page[0].replace(page[1], b"%d" % (int(page[1]) - 1))
    previous_page = answer(replace(call, query_string=call.query_string.replace(page[0], previous_parameter)))
    rows = [previous_page.body["resources"][-1], *reply.body["resources"][1:]]
    return replace(reply, body={**reply.body, "resources": rows})


@fault("last-page-lacks-an-event")
@wrap_operations("list_events")
def last_page_lacks_an_event(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    pagination, rows = reply.body["pagination"], reply.body["resources"]
    is_last = pagination["next"] is None and pagination["previous"] is not None and not _is_filtered_or_ordered(call)
    return replace(reply, body={**reply.body, "resources": rows[:-1] if is_last else rows})


def _alter_link(name: str, alter: Callable[[str], str]) -> Change:
    @alter_pagination_json
    def change(pagination: Json) -> Json:
        link = pagination[name]
        return {**pagination, name: {"href": alter(link["href"])} if link else None}

    return change


def _drop_parameter(name: str) -> Callable[[str], str]:
    return lambda href: re.sub(rf"([?&]){name}[^=&]*=[^&]*&?", r"\1", href).rstrip("?&")


fault("last-link-loses-guids")(_alter_link("last", _drop_parameter("guids")))
fault("next-link-loses-after-guid")(_alter_link("next", _drop_parameter("after_guid")))


@fault("first-link-null-on-first-page")
@alter_pagination_json
def first_link_null_on_first_page(pagination: Json) -> Json:
    return pagination if pagination["previous"] else {**pagination, "first": None}


@fault("get-answers-another-event")
@wrap_operations("get_event")
def get_answers_another_event(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    other = call.session.scalar(
        select(AppUsageEvent.guid).where(AppUsageEvent.guid != call.path_parameters["guid"]).limit(1)
    )
    return replace(reply, body={**reply.body, "guid": other or reply.body["guid"]})


def _fail_when(operation: str, condition: Callable[[Call], object]) -> Change:
    """Return the change that answers 500 to calls of an operation for which the condition holds."""

    @wrap_operations(operation)
    def change(call: Call, answer: Handler) -> Reply:
        if condition(call):
            raise problems.unknown_error()
        return answer(call)

    return change


def _query_matches(pattern: bytes) -> Callable[[Call], object]:
    return lambda call: re.search(pattern, call.query_string)


def _header_contains(name: str, part: str) -> Callable[[Call], object]:
    return lambda call: part in call.headers.get(name, "")


fault("impossible-month-500")(_fail_when("list_events", _query_matches(rb"created_ats=\d{4}-13-")))
fault("list-for-browser-500")(_fail_when("list_events", _header_contains("accept", "text/html")))
fault("get-if-modified-since-500")(_fail_when("get_event", _header_contains("if-modified-since", ":")))


def _reject_role(operation: str, role: str, make_error: Callable[[], ApiError]) -> Change:
    """Return the change that rejects reads of the user with one role, known by the user name."""

    @wrap_operations(operation)
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        claims: Mapping[str, Any] = call.behaviour.read_claims(auth.bearer_token(call.authorization), call.secret)
        if claims["user_name"] == role:
            raise make_error()
        return reply

    return change


fault("auditor-may-not-list")(_reject_role("list_events", "global_auditor", problems.not_authorized))
fault("read-only-admin-sees-no-event")(
    _reject_role("get_event", "admin_read_only", lambda: problems.not_found("App usage event"))
)
