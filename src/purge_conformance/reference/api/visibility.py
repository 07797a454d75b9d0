"""What handlers share: permissions, finding resources and pages, and replies with a job."""

from __future__ import annotations

from http import HTTPStatus

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.query import ListQuery, parse_list_query, parse_query
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.lists import Listing, Row, find_page
from purge_conformance.reference.store.tables import Job


def require_admin(call: Call) -> None:
    """Reject a caller who is not an admin; only admins may change anything, since no caller has a local role.

    Raises:
        ApiError: 403 if the caller is not an admin.
    """
    if not call.caller.is_admin:
        raise problems.not_authorized()


def find_resource(call: Call, table: type[Row], *, resource_name: str) -> Row:
    """Return the resource whose guid is in the path.

    Raises:
        ApiError: 404 if it does not exist, or is not visible to the caller.
    """
    row = find_by_guid(call.session, table, call.path_parameters["guid"]) if call.caller.has_global_read else None
    if row is None:
        raise problems.not_found(resource_name)
    return row


def fetch_page(call: Call, listing: Listing[Row]) -> tuple[ListQuery, int, list[Row]]:
    """Validate the query of a list; return it, the number of all rows, and the rows of the page."""
    query = parse_list_query(parse_query(call.query_string), listing.rules)
    if not call.caller.has_global_read:
        return query, 0, []
    total, rows = find_page(call.session, listing, query)
    return query, total, list(rows)


def job_reply(call: Call, operation: str) -> Reply:
    """Return the reply to an accepted change: 202 with the Location of a job to poll."""
    job = Job(operation=operation)
    call.session.add(job)
    call.session.flush()
    return Reply(status=HTTPStatus.ACCEPTED, headers={"location": call.url(f"/v3/jobs/{job.guid}")})
