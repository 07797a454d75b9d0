"""App usage events: list, get, purge."""

from __future__ import annotations

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.pagination import page_to_json
from purge_conformance.reference.api.query import ListRules, parse_list_query, parse_query
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store.lists import Listing
from purge_conformance.reference.store.tables import AppUsageEvent

PATH = "/v3/app_usage_events"
PURGE_PATH = f"{PATH}/actions/destructively_purge_all_and_reseed"
BUILDPACK = {"guid": "de3056bf-f691-4aa7-9dd0-6d486041ad87", "name": "ruby_buildpack"}
EVENTS = Listing(
    table=AppUsageEvent,
    filters={"guids": AppUsageEvent.guid.in_},
    rules=ListRules(
        orders=("created_at",), single_guid_parameters=("after_guid",), forbidden_parameters=("updated_ats",)
    ),
)


def list_events(call: Call) -> Reply:
    """`GET /v3/app_usage_events`; callers without a global role see an empty list."""
    query = parse_list_query(parse_query(call.query_string), EVENTS.rules)
    if not call.caller.has_global_read:
        return Reply(body=page_to_json(call.url(PATH), query, 0, []))
    for guid in query.single_guids.values():
        if call.behaviour.find_event(call.session, guid) is None:
            raise problems.unprocessable("After guid filter must be a valid app usage event guid.")
    total, events = call.behaviour.find_events(call.session, EVENTS, query)
    return Reply(body=page_to_json(call.url(PATH), query, total, [event_to_json(event, call) for event in events]))


def get_event(call: Call) -> Reply:
    """`GET /v3/app_usage_events/{guid}`; 404 for callers without a global role."""
    guid = call.path_parameters["guid"]
    event = call.behaviour.find_event(call.session, guid) if call.caller.has_global_read else None
    if event is None:
        raise problems.not_found("App usage event")
    return Reply(body=event_to_json(event, call))


def purge_events(call: Call) -> Reply:
    """Purge and reseed, in one transaction; 403 unless the caller is an admin."""
    if not call.behaviour.may_purge(call.caller):
        raise problems.not_authorized()
    call.behaviour.purge_and_reseed(call.session)
    return Reply(body={})


def event_to_json(event: AppUsageEvent, call: Call) -> dict[str, object]:
    """Return the JSON of an event."""
    return {
        "guid": event.guid,
        "created_at": event.created_at,
        "updated_at": event.updated_at,
        "state": {"current": event.state, "previous": event.previous_state},
        "app": {"guid": event.app_guid, "name": event.app_name},
        "process": {"guid": event.process_guid, "type": event.process_type},
        "space": {"guid": event.space_guid, "name": event.space_name},
        "organization": {"guid": event.organization_guid},
        "buildpack": BUILDPACK,
        "task": {"guid": event.task_guid, "name": event.task_name},
        "memory_in_mb_per_instance": {"current": event.memory_in_mb, "previous": event.previous_memory_in_mb},
        "instance_count": {"current": event.instances, "previous": event.previous_instances},
        "links": {"self": {"href": call.url(f"{PATH}/{event.guid}")}},
    }
