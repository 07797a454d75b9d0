"""What every handler needs: who may read and change, finding a resource, and the answer to what takes its time."""

from __future__ import annotations

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.query import ListQuery, parse_list_query, parse_query
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store.database import Listing, Row, find_by_guid, find_page
from purge_conformance.reference.store.tables import Job


def require_admin(call: Call) -> None:
    """Refuse whoever is no admin; nobody else may change anything, for nobody has a role in an organization.

    Raises:
        ApiError: 403.
    """
    if not call.caller.is_admin:
        raise problems.not_authorized()


def find_resource(call: Call, table: type[Row], *, resource_name: str) -> Row:
    """Find the resource that the path names by its guid.

    Raises:
        ApiError: 404 when there is none, or the caller sees none.
    """
    row = find_by_guid(call.session, table, call.path_parameters["guid"]) if call.caller.has_global_read else None
    if row is None:
        raise problems.not_found(resource_name)
    return row


def fetch_page(call: Call, listing: Listing[Row]) -> tuple[ListQuery, int, list[Row]]:
    """Check the parameters of a list and fetch the page: the query, the number of all rows, the rows of the page."""
    query = parse_list_query(parse_query(call.query_string), listing.rules)
    if not call.caller.has_global_read:
        return query, 0, []
    total, rows = find_page(call.session, listing, query)
    return query, total, list(rows)


def job_reply(call: Call, operation: str) -> Reply:
    """Answer as Cloud Controller does to what takes its time: 202, and the Location of a job to poll."""
    job = Job(operation=operation)
    call.session.add(job)
    call.session.flush()
    return Reply(status=202, headers={"location": call.url(f"/v3/jobs/{job.guid}")})
