"""Reads in the roles that may not get events: of further events, and of lists with filters and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from purge_conformance.catalogue.api import EVENTS_PATH, event_path
from purge_conformance.client.client import Request
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import resources, usable_rows
from purge_conformance.evidence.steps import Step, Tag
from purge_conformance.target.doctor.probe import NEWEST_EVENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row

    Query = dict[str, str | int]

MAX_LISTS = 12  # if each role sent each query, more lists than these: then the roles take turns
LISTS_PER_ROLE = 2


def read_as_roles(client: Client, credentials: Sequence[Credential], first: Row) -> None:
    """Get the newest event, and read lists that contain the newest or the first one, with these credentials.

    Args:
        client: of the run.
        credentials: of the roles that may not get events.
        first: the first event of the list, which these roles have requested already.
    """
    newest = usable_rows(resources(client.get(NEWEST_EVENT, Step.NEWEST_EVENT))) if credentials else []
    queries = list(_queries(first, newest[0])) if newest else []
    take_turns = len(credentials) * len(queries) > MAX_LISTS
    for number, credential in enumerate(credentials):
        tags = {Tag.CREDENTIAL: credential.kind}
        for row in newest:
            if row["guid"] != first["guid"]:
                client.send(Request("GET", event_path(row["guid"]), Step.GET, credential, tags=tags))
        start = LISTS_PER_ROLE * number if take_turns else 0
        rotated = [*queries[start % len(queries) :], *queries[: start % len(queries)]] if queries else []
        for query in rotated[: LISTS_PER_ROLE if take_turns else None]:
            path = f"{EVENTS_PATH}?{urlencode(query)}"
            client.send(Request("GET", path, Step.FILTERED_LIST, credential, tags=tags))


def _queries(first: Row, newest: Row) -> Iterator[Query]:
    """Yield queries whose lists contain the newest event, or the first one, in a role that may get it."""
    guids = ",".join({str(first["guid"]): None, str(newest["guid"]): None})
    moment = clock.parse_rfc3339(newest.get("created_at"))
    time_filter: Query = {"created_ats[lte]": moment.strftime(clock.FILTER_FORMAT)} if moment else {}
    yield {"guids": guids}
    yield {"after_guid": str(first["guid"])}
    if time_filter:
        yield time_filter
    yield {"order_by": "-created_at", "per_page": 1, "page": 2}
    yield {"guids": guids, "order_by": "-created_at", **time_filter}
