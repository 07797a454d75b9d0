"""Faults of what roles that may not get events see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sqlalchemy import func, select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import event_to_json
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.callers import answer_as_auditor
from purge_conformance.reference.mutation import Change, fault, on_error, wrap_operations
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.tables import AppUsageEvent
from purge_conformance.reference.store.transitions import is_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Call, Handler

LARGE_PAGE = 100


def _show_all_where(matches: Callable[[Mapping[str, list[str]]], object]) -> Change:
    """Return the change that lists all events to every role where the query matches."""

    @wrap_operations("list_events")
    def change(call: Call, answer: Handler) -> Reply:
        query = parse_qs(call.query_string.decode(errors="replace"), keep_blank_values=True)
        return answer_as_auditor(call, answer) if matches(query) else answer(call)

    return change


fault("list-shows-all-to-roles")(_show_all_where(lambda _: True))
fault("guids-shown-to-roles")(_show_all_where(lambda query: "guids" in query))
fault("after-guid-shown-to-roles")(_show_all_where(lambda query: "after_guid" in query))
fault("times-shown-to-roles")(_show_all_where(lambda query: any(name.startswith("created_ats") for name in query)))
fault("whole-list-shown-to-roles")(_show_all_where(lambda query: not query))
fault("equal-time-shown-to-roles")(_show_all_where(lambda query: "created_ats" in query))
fault("large-page-shown-to-roles")(
    _show_all_where(lambda query: any(x.isdecimal() and int(x) > LARGE_PAGE for x in query.get("per_page", [])))
)
fault("second-page-shown-to-roles")(_show_all_where(lambda query: query.get("page") == ["2"]))


@fault("total-shown-to-roles")
@wrap_operations("list_events")
def total_shown_to_roles(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if reply.body["pagination"]["total_results"]:
        return reply
    total = call.session.scalar(select(func.count(AppUsageEvent.id)))
    return replace(reply, body={**reply.body, "pagination": {**reply.body["pagination"], "total_results": total}})


def _get_where(matches: Callable[[AppUsageEvent], bool]) -> Change:
    """Return the change that returns the matching events to every role by their guids."""

    def handle(call: Call, error: ApiError) -> Reply:
        event = find_by_guid(call.session, AppUsageEvent, call.path_parameters["guid"])
        if event is None or not matches(event):
            raise error
        return Reply(body=event_to_json(event, call))

    return wrap_operations("get_event")(on_error(404, handle))


def _hide_list(_call: Call, _error: ApiError) -> Reply:
    raise problems.unknown_request()


fault("component-list-404")(wrap_operations("list_events")(on_error(403, _hide_list)))
fault("roles-get-recorded-events")(_get_where(lambda event: not is_seed(event)))
fault("roles-get-seeded-events")(_get_where(is_seed))
