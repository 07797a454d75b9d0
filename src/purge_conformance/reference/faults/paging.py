"""Faults of single filters, orders, pages and links, of odd requests, and of who may read."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from sqlalchemy import select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.query import DEFAULT_PER_PAGE
from purge_conformance.reference.mutation import Change, around, finding, registering, showing_pagination, together
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

Pagination = dict[str, Any]


def _guids(choose: Callable[[Session, tuple[str, ...]], tuple[str, ...]]) -> Change:
    """Filter by other guids than were asked for."""

    @finding
    def change(session: Session, query: ListQuery) -> ListQuery:
        asked = query.filters.get("guids")
        return replace(query, filters={"guids": choose(session, asked)}) if asked else query

    return change


@fault("guids-first-alone")
@_guids
def _(_session: Session, guids: tuple[str, ...]) -> tuple[str, ...]:
    return guids[:1]


@fault("guids-ignored-beside-times")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, filters={}) if query.times else query


@fault("times-ignored-beside-guids")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, times=()) if query.filters else query


@fault("after-guid-ignored-in-an-order")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, singles={}) if query.order_by else query


@fault("after-guid-ignored-on-small-pages")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, singles={}) if query.take < DEFAULT_PER_PAGE else query


@fault("order-ignored-beside-guids")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, order_by=None) if query.filters else query


@fault("descending-order-ignored")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, order_by="+created_at") if query.order_by == "-created_at" else query


@finding
def _ascending(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, order_by=query.order_by and "+created_at")


@around("list_events")
def _each_page_turned(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    turned = b"order_by=-" in call.query_string
    rows = reply.body["resources"]
    return replace(reply, body={**reply.body, "resources": rows[::-1] if turned else rows})


fault("pages-sorted-one-by-one")(together(_ascending, _each_page_turned))


@fault("order-by-anything")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, query_string=call.query_string.replace(b"order_by=no_such_field", b"")))


@fault("created-ats-gte-refused")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    if "[gte]" in unquote_plus(call.query_string.decode(errors="replace")):
        raise problems.unprocessable("Created ats Invalid relational operator: 'gte'")
    return answer(call)


@fault("page-zero-taken")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, query_string=re.sub(rb"(^|&)page=0(?=&|$)", rb"\1page=1", call.query_string)))


@fault("per-page-of-5000-refused")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    if b"per_page=5000" in call.query_string:
        raise problems.unprocessable("Per page must be between 1 and 1000")
    return answer(call)


@fault("total-off-with-its-pages")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    per_page = re.search(rb"(?:^|&)per_page=(\d+)", call.query_string)
    total = reply.body["pagination"]["total_results"] + 1
    pages = -(-total // int(per_page[1] if per_page else 50))
    said = {**reply.body["pagination"], "total_results": total, "total_pages": pages}
    return replace(reply, body={**reply.body, "pagination": said})


def _chosen(call: Call) -> bool:
    """Whether a list is filtered or ordered."""
    return any(name in call.query_string for name in (b"guid", b"created_at"))


@fault("page-begins-with-last-of-before")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    page = re.search(rb"(?:^|&)page=([2-9])(?=&|$)", call.query_string)
    reply = answer(call)
    if not page or not reply.body["resources"] or _chosen(call):
        return reply
    earlier = page[0].replace(page[1], b"%d" % (int(page[1]) - 1))
    before = answer(replace(call, query_string=call.query_string.replace(page[0], earlier)))
    rows = [before.body["resources"][-1], *reply.body["resources"][1:]]
    return replace(reply, body={**reply.body, "resources": rows})


@fault("last-page-lacks-an-event")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    pagination, rows = reply.body["pagination"], reply.body["resources"]
    is_last = pagination["next"] is None and pagination["previous"] is not None and not _chosen(call)
    return replace(reply, body={**reply.body, "resources": rows[:-1] if is_last else rows})


def _link(name: str, alter: Callable[[str], str]) -> Change:
    @showing_pagination
    def change(pagination: Pagination) -> Pagination:
        link = pagination[name]
        return {**pagination, name: {"href": alter(link["href"])} if link else None}

    return change


def _without(name: str) -> Callable[[str], str]:
    return lambda href: re.sub(rf"([?&]){name}[^=&]*=[^&]*&?", r"\1", href).rstrip("?&")


fault("last-link-loses-guids")(_link("last", _without("guids")))
fault("next-link-loses-after-guid")(_link("next", _without("after_guid")))


@fault("first-link-null-on-first-page")
@showing_pagination
def _(pagination: Pagination) -> Pagination:
    return pagination if pagination["previous"] else {**pagination, "first": None}


@fault("get-answers-another-event")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    other = call.session.scalar(select(AppUsageEvent.guid).where(AppUsageEvent.guid != call.parts["guid"]).limit(1))
    return replace(reply, body={**reply.body, "guid": other or reply.body["guid"]})


def _failing(operation: str, told: Callable[[Call], object]) -> Change:
    """Fail where a request is odd."""

    @around(operation)
    def change(call: Call, answer: Handler) -> Reply:
        if told(call):
            raise problems.unknown_error()
        return answer(call)

    return change


def _says(pattern: bytes) -> Callable[[Call], object]:
    return lambda call: re.search(pattern, call.query_string)


def _header(name: str, part: str) -> Callable[[Call], object]:
    return lambda call: part in call.headers.get(name, "")


fault("impossible-month-500")(_failing("list_events", _says(rb"created_ats=\d{4}-13-")))
fault("list-for-browser-500")(_failing("list_events", _header("accept", "text/html")))
fault("get-if-modified-since-500")(_failing("get_event", _header("if-modified-since", ":")))


def _without_role(operation: str, role: str, refusal: Callable[[], ApiError]) -> Change:
    """Refuse a read to the users of one role, by their name."""

    @around(operation)
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        claims: Mapping[str, Any] = call.behaviour.claims(auth.bearer_token(call.authorization), call.secret)
        if claims["user_name"] == role:
            raise refusal()
        return reply

    return change


fault("auditor-may-not-list")(_without_role("list_events", "global_auditor", problems.not_authorized))
fault("read-only-admin-sees-no-event")(
    _without_role("get_event", "admin_read_only", lambda: problems.not_found("App usage event"))
)
