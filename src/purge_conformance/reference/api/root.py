"""The roots of the API, and jobs."""

from __future__ import annotations

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.visibility import find_resource
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store.tables import Job

API_VERSION = "3.195.0"
RESOURCES = ("app_usage_events", "apps", "info", "organizations", "processes", "spaces")


def get_root(call: Call) -> Reply:
    """`GET /`."""
    links = {
        "self": {"href": call.url("")},
        "cloud_controller_v2": None,
        "cloud_controller_v3": {"href": call.url("/v3"), "meta": {"version": API_VERSION}},
    }
    return Reply(body={"links": links})


def get_v3_root(call: Call) -> Reply:
    """`GET /v3`."""
    links = {"self": {"href": call.url("/v3")}} | {name: {"href": call.url(f"/v3/{name}")} for name in RESOURCES}
    return Reply(body={"links": links})


def get_info(call: Call) -> Reply:
    """`GET /v3/info`."""
    body = {
        "build": "",
        "cli_version": {"minimum": "", "recommended": ""},
        "custom": {},
        "description": "The reference server of purge-conformance: it emulates a foundation and runs nothing.",
        "name": "purge-conformance reference",
        "version": 0,
        "osbapi_version": "",
        "rate_limits": {"enabled": False, "general_limit": 0, "reset_interval_in_minutes": 0},
        "links": {"self": {"href": call.url("/v3/info")}, "support": {"href": ""}},
    }
    return Reply(body=body)


def get_job(call: Call) -> Reply:
    """`GET /v3/jobs/{guid}`: every job is complete."""
    job = find_resource(call, Job, resource_name="Job")
    body = {
        "guid": job.guid,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "operation": job.operation,
        "state": "COMPLETE",
        "errors": [],
        "warnings": [],
        "links": {"self": {"href": call.url(f"/v3/jobs/{job.guid}")}},
    }
    return Reply(body=body)


def unknown_request(_call: Call) -> Reply:
    """Reject a request without a route."""
    raise problems.unknown_request()
