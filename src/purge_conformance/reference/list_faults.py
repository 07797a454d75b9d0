"""Faults of what the list shows, of its pages and filters, and of how it and a single event agree."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from purge_conformance.reference import problems
from purge_conformance.reference.change_kit import (
    Change,
    around,
    finding,
    registering,
    showing_events,
    showing_pagination,
)
from purge_conformance.reference.parameters import DEFAULT_PER_PAGE, ListQuery
from purge_conformance.reference.problems import ApiError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Call, Handler, Reply

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

ODD = re.compile(rb"=\0(&|$)|(^|&)\w+\[\]=")  # a value that is NUL, a name with empty brackets


@fault("total-pages-off")
@showing_pagination
def _(pagination: dict[str, Any]) -> dict[str, Any]:
    return {**pagination, "total_pages": pagination["total_pages"] + 1}


@fault("next-link-missing")
@showing_pagination
def _(pagination: dict[str, Any]) -> dict[str, Any]:
    return {**pagination, "next": None}


@fault("next-link-loses-filter")
@showing_pagination
def _(pagination: dict[str, Any]) -> dict[str, Any]:
    following = pagination["next"]
    if following is None:
        return pagination
    url, _, query = following["href"].partition("?")
    paging = [pair for pair in query.split("&") if pair.startswith(("page=", "per_page="))]
    return {**pagination, "next": {"href": f"{url}?{'&'.join(paging)}"}}


@fault("pages-overlap")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, skip=max(0, query.skip - 1))


@fault("per-page-ignored")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, skip=(query.page - 1) * DEFAULT_PER_PAGE, take=DEFAULT_PER_PAGE)


@fault("guids-filter-ignored")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, filters={})


@fault("after-guid-ignored")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, singles={})


@fault("created-ats-ignored")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    return replace(query, times=())


@fault("created-ats-bounds-inclusive")
@finding
def _(_session: Session, query: ListQuery) -> ListQuery:
    inclusive = {"lt": "lte", "gt": "gte"}
    times = [replace(time, relation=inclusive.get(time.relation or "", time.relation)) for time in query.times]
    return replace(query, times=tuple(times))


@fault("bad-parameter-ignored")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if error.status != 422:  # noqa: PLR2004 - an HTTP status
            raise
        return answer(replace(call, query_string=b""))


@fault("odd-query-500")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    if ODD.search(unquote_to_bytes(call.query_string)):
        raise problems.unknown_error()
    return answer(call)


@fault("event-without-state")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "state"}


@fault("self-link-wrong")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "links": {"self": {"href": event["links"]["self"]["href"].replace("app_usage", "usage")}}}


@fault("list-get-differ")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    instances = reply.body["instance_count"]
    return replace(reply, body={**reply.body, "instance_count": {**instances, "current": instances["current"] + 1}})
