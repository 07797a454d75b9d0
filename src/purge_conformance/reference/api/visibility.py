"""What every handler needs: who may read and change, finding a resource, and the answer to what takes its time."""

from __future__ import annotations

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.query import ListQuery, list_query, read_parameters
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store.database import Listing, Row, by_guid, find_page
from purge_conformance.reference.store.tables import Job


def require_admin(call: Call) -> None:
    """Refuse whoever is no admin; nobody else may change anything, for nobody has a role in an organization.

    Raises:
        ApiError: 403.
    """
    if not call.caller.is_admin:
        raise problems.not_authorized()


def named_resource(call: Call, table: type[Row], *, word: str) -> Row:
    """Find the resource that the path names by its guid.

    Raises:
        ApiError: 404 when there is none, or the caller sees none.
    """
    found = by_guid(call.session, table, call.parts["guid"]) if call.caller.sees_everything else None
    if found is None:
        raise problems.not_found(word)
    return found


def requested_page(call: Call, listing: Listing[Row]) -> tuple[ListQuery, int, list[Row]]:
    """Check the parameters of a list and fetch the page: the query, the number of all rows, the rows of the page."""
    query = list_query(read_parameters(call.query_string), listing.rules)
    if not call.caller.sees_everything:
        return query, 0, []
    total, rows = find_page(call.session, listing, query)
    return query, total, list(rows)


def job_for(call: Call, operation: str) -> Reply:
    """Answer as Cloud Controller does to what takes its time: 202, and the Location of a job to poll."""
    job = Job(operation=operation)
    call.session.add(job)
    call.session.flush()
    return Reply(status=202, headers={"location": call.url(f"/v3/jobs/{job.guid}")})
