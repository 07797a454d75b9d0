"""Variants of the order and the links of the list, and of the members of an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import (
    Change,
    Json,
    add_zero_fraction,
    alter_event_json,
    alter_pagination_json,
    alter_query,
    rewrite_times,
    variant,
    wrap_all_operations,
    wrap_operations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.store.tables import AppUsageEvent


DEFAULT_PAIRS = {("page", "1"), ("per_page", "50")}

Pairs = list[tuple[str, str]]


def _default_order(order_by: str) -> Change:
    """Return the change that orders the list so when the query names no order."""

    def alter(_session: Session, query: ListQuery) -> ListQuery:
        return replace(query, order_by=query.order_by or order_by)

    return alter_query(alter)


variant("newest-first")(_default_order("-id"))
variant("newest-time-first")(_default_order("-created_at"))
variant("oldest-time-first")(_default_order("+created_at"))
variant("ordered-by-guid")(_default_order("+guid"))


@variant("empty-list-zero-pages")
@alter_pagination_json
def empty_list_zero_pages(pagination: Json) -> Json:
    return pagination if pagination["total_results"] else {**pagination, "total_pages": 0}


@variant("previous-of-far-page-is-last")
@alter_pagination_json
def previous_of_far_page_is_last(pagination: Json) -> Json:
    previous, last = pagination["previous"], pagination["last"]
    is_far = previous and _page_number(previous) > _page_number(last)
    return {**pagination, "previous": last} if is_far else pagination


def _page_number(link: dict[str, str]) -> int:
    return int(dict(parse_qsl(link["href"].partition("?")[2]))["page"])


@variant("links-elsewhere")
@wrap_all_operations
def links_elsewhere(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, base_url="https://api.example.org:8443"))


def alter_links(alter: Callable[[Pairs], Pairs], write: Callable[[Pairs], str] = urlencode) -> Change:
    """Return the change that rewrites the query of every pagination link."""

    def rewrite(link: dict[str, str]) -> dict[str, str]:
        path, _, query = link["href"].partition("?")
        pairs = alter(parse_qsl(query, keep_blank_values=True))
        return {"href": f"{path}?{write(pairs)}" if pairs else path}

    @alter_pagination_json
    def change(pagination: Json) -> Json:
        return {name: rewrite(value) if isinstance(value, dict) else value for name, value in pagination.items()}

    return change


def _encode_minimally(pairs: Pairs) -> str:
    return "&".join(f"{name}={quote(value, safe=':,')}" for name, value in pairs)


def _rephrase_filter(name: str, value: str) -> str:
    """Sort the guids of a filter, and write times with an offset in place of Z."""
    if name == "guids":
        return ",".join(sorted(value.split(",")))
    return value.replace("Z", "+00:00") if name.startswith("created_ats") else value


variant("links-other-parameter-order")(alter_links(lambda pairs: sorted(pairs, reverse=True)))
variant("links-barely-encoded")(alter_links(list, _encode_minimally))
variant("links-in-other-words")(
    alter_links(lambda pairs: [(name, _rephrase_filter(name, value)) for name, value in pairs])
)
variant("links-lean")(alter_links(lambda pairs: [pair for pair in pairs if pair not in DEFAULT_PAIRS]))
variant("links-say-more")(
    alter_links(lambda pairs: [*{"order_by": "created_at", **dict(pairs), "cursor": "1"}.items()])
)


@variant("links-with-methods")
@alter_pagination_json
def links_with_methods(pagination: Json) -> Json:
    return {name: value | {"method": "GET"} if isinstance(value, dict) else value for name, value in pagination.items()}


@variant("extra-event-members")
@alter_event_json
def extra_event_members(event: Json) -> Json:
    return {
        **event,
        "parent_app": None,
        "app": {**event["app"], "labels": {}},
        "metadata": {"labels": {}, "annotations": {}},
        "links": {**event["links"], "app": {"href": event["links"]["self"]["href"], "method": "GET"}},
    }


@variant("extra-list-members")
@wrap_operations("list_events")
def extra_list_members(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    pagination = reply.body["pagination"] | {"per_page": 50, "current": reply.body["pagination"]["first"]}
    return replace(reply, body={**reply.body, "pagination": pagination, "included": {}, "links": {}})


@variant("sparse-events")
@alter_event_json
def sparse_events(event: Json) -> Json:
    return {"guid": event["guid"], "created_at": event["created_at"], "app": {"guid": event["app"]["guid"]}}


@variant("nulls-where-unknown")
@alter_event_json
def nulls_where_unknown(event: Json) -> Json:
    null_pair = {"current": None, "previous": None}
    unknown = {
        "buildpack": {"guid": None, "name": None},
        "process": {"guid": None, "type": None},
        "space": {"guid": None, "name": None},
        "organization": {"guid": None},
    }
    return {**event, **unknown, "state": null_pair, "memory_in_mb_per_instance": null_pair, "instance_count": null_pair}


@variant("nulls-for-objects")
@alter_event_json
def nulls_for_objects(event: Json) -> Json:
    members = ("buildpack", "process", "space", "organization", "task", "state", "instance_count", "links")
    return {**event, **dict.fromkeys(members), "memory_in_mb_per_instance": None}


@variant("gets-show-more")
@wrap_operations("get_event")
def gets_show_more(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if "app" not in reply.body:
        return reply
    extra = {"name": reply.body["app"]["name"], "stack": "cflinuxfs4"}
    return replace(reply, body={**reply.body, "app": {**reply.body["app"], **extra}, "included": {}})


@variant("fractional-timestamps")
def fractional_timestamps(behaviour: Behaviour) -> Behaviour:
    @alter_query
    def compare_fractions(_session: Session, query: ListQuery) -> ListQuery:
        times = [
            replace(time, values=tuple(value.replace("Z", ".000000Z") for value in time.values)) for time in query.times
        ]
        return replace(query, times=tuple(times))

    return compare_fractions(
        replace(behaviour, clock=replace(behaviour.clock, timestamp_format="%Y-%m-%dT%H:%M:%S.%fZ"))
    )


def _in_time_zone(zone: timezone) -> Change:
    return rewrite_times(lambda timestamp: datetime.fromisoformat(timestamp).astimezone(zone).isoformat())


variant("timestamps-of-offset-zero")(_in_time_zone(UTC))
variant("timestamps-of-other-zone")(_in_time_zone(timezone(timedelta(hours=2))))


variant("timestamps-lower-case")(rewrite_times(str.lower))
variant("whole-second-fractions")(rewrite_times(add_zero_fraction))


@variant("guids-no-uuids")
def guids_no_uuids(behaviour: Behaviour) -> Behaviour:
    def record(session: Session, event: AppUsageEvent) -> None:
        event.guid = f"event_{event.guid.replace('-', '')[:20]}"
        behaviour.record(session, event)

    return replace(behaviour, record=record)


@variant("unknown-after-guid-404")
@wrap_operations("list_events")
def unknown_after_guid_404(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if "After guid" in error.detail:
            raise problems.not_found("App usage event") from error
        raise


@variant("after-guid-invisible-422")
@wrap_operations("list_events")
def after_guid_invisible_422(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    scopes = call.behaviour.read_claims(auth.bearer_token(call.authorization), call.secret)["scope"]
    is_restricted = not auth.Caller(scopes=frozenset(scopes)).has_global_read
    if is_restricted and b"after_guid=" in call.query_string:
        raise problems.unprocessable("After guid filter must be a valid app usage event guid.")
    return reply
