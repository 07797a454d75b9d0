"""Variants of the list's order and links, and of what an event shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from purge_conformance.reference.mutation import (
    Change,
    around,
    everywhere,
    finding,
    registering,
    showing_events,
    showing_pagination,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

DEFAULTS = {("page", "1"), ("per_page", "50")}

Pairs = list[tuple[str, str]]


def _ordered(order_by: str) -> Change:
    """Order the list so where the query names no order."""

    def alter(_session: Session, query: ListQuery) -> ListQuery:
        return replace(query, order_by=query.order_by or order_by)

    return finding(alter)


variant("newest-first")(_ordered("-id"))
variant("newest-time-first")(_ordered("-created_at"))
variant("oldest-time-first")(_ordered("+created_at"))
variant("ordered-by-guid")(_ordered("+guid"))


@variant("empty-list-zero-pages")
@showing_pagination
def _(pagination: dict[str, Any]) -> dict[str, Any]:
    return pagination if pagination["total_results"] else {**pagination, "total_pages": 0}


@variant("previous-of-far-page-is-last")
@showing_pagination
def _(pagination: dict[str, Any]) -> dict[str, Any]:
    previous, last = pagination["previous"], pagination["last"]
    is_far = previous and _page(previous) > _page(last)
    return {**pagination, "previous": last} if is_far else pagination


def _page(link: dict[str, str]) -> int:
    return int(dict(parse_qsl(link["href"].partition("?")[2]))["page"])


@variant("links-elsewhere")
@everywhere
def _(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, base_url="https://api.example.org:8443"))


def linking(alter: Callable[[Pairs], Pairs], write: Callable[[Pairs], str] = urlencode) -> Change:
    """Rewrite the query of every link of the pagination."""

    def rewritten(link: dict[str, str]) -> dict[str, str]:
        path, _, query = link["href"].partition("?")
        pairs = alter(parse_qsl(query, keep_blank_values=True))
        return {"href": f"{path}?{write(pairs)}" if pairs else path}

    @showing_pagination
    def alter_pagination(pagination: dict[str, Any]) -> dict[str, Any]:
        return {name: rewritten(value) if isinstance(value, dict) else value for name, value in pagination.items()}

    return alter_pagination


def _barely_encoded(pairs: Pairs) -> str:
    return "&".join(f"{name}={quote(value, safe=':,')}" for name, value in pairs)


def _in_other_words(name: str, value: str) -> str:
    """Write the filters by guid in another order, and those by time with an offset."""
    if name == "guids":
        return ",".join(sorted(value.split(",")))
    return value.replace("Z", "+00:00") if name.startswith("created_ats") else value


variant("links-other-parameter-order")(linking(lambda pairs: sorted(pairs, reverse=True)))
variant("links-barely-encoded")(linking(list, _barely_encoded))
variant("links-in-other-words")(linking(lambda pairs: [(name, _in_other_words(name, value)) for name, value in pairs]))
variant("links-lean")(linking(lambda pairs: [pair for pair in pairs if pair not in DEFAULTS]))
variant("links-say-more")(linking(lambda pairs: [*{"order_by": "created_at", **dict(pairs), "cursor": "1"}.items()]))


@variant("links-with-methods")
@showing_pagination
def _(pagination: dict[str, Any]) -> dict[str, Any]:
    return {name: value | {"method": "GET"} if isinstance(value, dict) else value for name, value in pagination.items()}


@variant("extra-event-members")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return {
        **event,
        "parent_app": None,
        "app": {**event["app"], "labels": {}},
        "metadata": {"labels": {}, "annotations": {}},
        "links": {**event["links"], "app": {"href": event["links"]["self"]["href"], "method": "GET"}},
    }


@variant("extra-list-members")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    pagination = reply.body["pagination"] | {"per_page": 50, "current": reply.body["pagination"]["first"]}
    return replace(reply, body={**reply.body, "pagination": pagination, "included": {}, "links": {}})


@variant("sparse-events")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return {"guid": event["guid"], "created_at": event["created_at"], "app": {"guid": event["app"]["guid"]}}


@variant("nulls-where-unknown")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    nothing = {"current": None, "previous": None}
    unknown = {
        "buildpack": {"guid": None, "name": None},
        "process": {"guid": None, "type": None},
        "space": {"guid": None, "name": None},
        "organization": {"guid": None},
    }
    return {**event, **unknown, "state": nothing, "memory_in_mb_per_instance": nothing, "instance_count": nothing}


@variant("nulls-for-objects")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    members = ("buildpack", "process", "space", "organization", "task", "state", "instance_count", "links")
    return {**event, **dict.fromkeys(members), "memory_in_mb_per_instance": None}


@variant("gets-show-more")
@around("get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if "app" not in reply.body:
        return reply
    more = {"name": reply.body["app"]["name"], "stack": "cflinuxfs4"}
    return replace(reply, body={**reply.body, "app": {**reply.body["app"], **more}, "included": {}})


@variant("fractional-timestamps")
def _(behaviour: Behaviour) -> Behaviour:
    @finding
    def exactly(_session: Session, query: ListQuery) -> ListQuery:
        times = [
            replace(time, values=tuple(value.replace("Z", ".000000Z") for value in time.values)) for time in query.times
        ]
        return replace(query, times=tuple(times))

    return exactly(replace(behaviour, clock=replace(behaviour.clock, written="%Y-%m-%dT%H:%M:%S.%fZ")))


def _written_in(zone: timezone) -> Change:
    def alter(event: dict[str, Any]) -> dict[str, Any]:
        times = {name: datetime.fromisoformat(event[name]).astimezone(zone) for name in ("created_at", "updated_at")}
        return event | {name: time.isoformat() for name, time in times.items()}

    return showing_events(alter)


variant("timestamps-of-offset-zero")(_written_in(UTC))
variant("timestamps-of-other-zone")(_written_in(timezone(timedelta(hours=2))))


@variant("timestamps-lower-case")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return event | {name: event[name].lower() for name in ("created_at", "updated_at")}


@variant("whole-second-fractions")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    return event | {name: event[name].replace("Z", ".000Z") for name in ("created_at", "updated_at")}


@variant("guids-no-uuids")
def _(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: Any) -> None:  # noqa: ANN401 - an event, whose table is not needed here
        event.guid = f"event_{event.guid.replace('-', '')[:20]}"
        behaviour.record(session, event)

    return replace(behaviour, record=record)
