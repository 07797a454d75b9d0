"""Processes: list, get, scale, by guid or by app and type."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import read_object
from purge_conformance.reference.api.pagination import page_to_json
from purge_conformance.reference.api.query import ListRules, parse_list_query, parse_query
from purge_conformance.reference.api.visibility import fetch_page, find_resource, require_admin
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.lists import Listing
from purge_conformance.reference.store.tables import App, Process, Space

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement

PATH = "/v3/processes"
MINIMUMS: Mapping[str, int] = {"instances": 0, "memory_in_mb": 1, "disk_in_mb": 1}
MAX_VALUE = 2**31 - 1


def _in_spaces(guids: Sequence[str]) -> ColumnElement[bool]:
    return Process.app.has(App.space_guid.in_(guids))


def _in_organizations(guids: Sequence[str]) -> ColumnElement[bool]:
    return Process.app.has(App.space.has(Space.organization_guid.in_(guids)))


PROCESSES = Listing(
    table=Process,
    filters={
        "guids": Process.guid.in_,
        "types": Process.type.in_,
        "app_guids": Process.app_guid.in_,
        "space_guids": _in_spaces,
        "organization_guids": _in_organizations,
    },
    rules=ListRules(filters=("guids", "types", "app_guids", "space_guids", "organization_guids")),
)


def list_processes(call: Call) -> Reply:
    """`GET /v3/processes`."""
    query, total, rows = fetch_page(call, PROCESSES)
    return Reply(body=page_to_json(call.url(PATH), query, total, [process_to_json(row, call) for row in rows]))


def list_app_processes(call: Call) -> Reply:
    """`GET /v3/apps/{guid}/processes`."""
    query = parse_list_query(parse_query(call.query_string), ListRules(filters=("guids", "types")))
    app = find_resource(call, App, resource_name="App")
    resources = [process_to_json(process, call) for process in app.processes]
    page = resources[query.skip : query.skip + query.take]
    return Reply(body=page_to_json(call.url(f"/v3/apps/{app.guid}/processes"), query, len(resources), page))


def get_process(call: Call) -> Reply:
    """`GET /v3/processes/{guid}`."""
    return Reply(body=process_to_json(find_resource(call, Process, resource_name="Process"), call))


def get_app_process(call: Call) -> Reply:
    """`GET /v3/apps/{guid}/processes/{type}`."""
    return Reply(body=process_to_json(_find_app_process(call), call))


def scale_process(call: Call) -> Reply:
    """`POST /v3/processes/{guid}/actions/scale`."""
    return _scale(call, find_resource(call, Process, resource_name="Process"))


def scale_app_process(call: Call) -> Reply:
    """`POST /v3/apps/{guid}/processes/{type}/actions/scale`."""
    return _scale(call, _find_app_process(call))


def _find_app_process(call: Call) -> Process:
    matches = [
        p for p in find_resource(call, App, resource_name="App").processes if p.type == call.path_parameters["type"]
    ]
    if not matches:
        raise problems.not_found("Process")
    return matches[0]


def _scale(call: Call, process: Process) -> Reply:
    require_admin(call)
    changes = read_object(call.body, tuple(MINIMUMS))
    errors = tuple(_validation_errors(changes))
    if errors:
        raise problems.unprocessable(*errors)
    store.scale(call.session, process, changes, call.behaviour.record)
    call.session.flush()
    return Reply(status=HTTPStatus.ACCEPTED, body=process_to_json(process, call))


def _validation_errors(changes: Mapping[str, Any]) -> Iterator[str]:
    for name, value in changes.items():
        label = name.replace("_", " ").capitalize()
        if type(value) is not int:  # isinstance would accept a bool
            yield f"{label} is not a number"
        elif not MINIMUMS[name] <= value <= MAX_VALUE:
            yield f"{label} must be between {MINIMUMS[name]} and {MAX_VALUE}"


def process_to_json(process: Process, call: Call) -> dict[str, object]:
    """Return the JSON of a process."""
    path = f"{PATH}/{process.guid}"
    return {
        "guid": process.guid,
        "created_at": process.created_at,
        "updated_at": process.updated_at,
        "type": process.type,
        "command": None,
        "instances": process.instances,
        "memory_in_mb": process.memory_in_mb,
        "disk_in_mb": process.disk_in_mb,
        "log_rate_limit_in_bytes_per_second": -1,
        "health_check": {"type": "port", "data": {"timeout": None, "invocation_timeout": None, "interval": None}},
        "relationships": {"app": {"data": {"guid": process.app_guid}}, "revision": None},
        "metadata": {"labels": {}, "annotations": {}},
        "links": {
            "self": {"href": call.url(path)},
            "scale": {"href": call.url(f"{path}/actions/scale"), "method": "POST"},
            "app": {"href": call.url(f"/v3/apps/{process.app_guid}")},
        },
    }
