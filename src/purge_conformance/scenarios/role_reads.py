"""Reads in the roles that may not get events: of further events, and of lists with filters and orders."""

from __future__ import annotations

from datetime import timedelta
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

MAX_LISTS = 64  # if each role sent each query, more lists than these: then the roles take turns
LATER_PAGE = 3
LARGE_PAGE = 200
ONE_SECOND = timedelta(seconds=1)


def read_as_roles(client: Client, credentials: Sequence[Credential], first: Row, *, total: int) -> None:
    """Get the newest event, and read lists that contain the newest or the first one, with these credentials.

    Each role sends the query with all filters, and of the others as many as `MAX_LISTS` allows, in turn.

    Args:
        client: of the run.
        credentials: of the roles that may not get events.
        first: the first event of the list, which these roles have requested already.
        total: the number of events.
    """
    newest = usable_rows(resources(client.get(NEWEST_EVENT, Step.NEWEST_EVENT))) if credentials else []
    for number, credential in enumerate(credentials if newest else ()):
        tags = {Tag.CREDENTIAL: credential.kind}
        if newest[0]["guid"] != first["guid"]:
            client.send(Request("GET", event_path(newest[0]["guid"]), Step.GET, credential, tags=tags))
        queries = list(_queries(first, newest[0], total))
        each = min(len(queries), max(1, MAX_LISTS // len(credentials) - 1))
        taken = [queries[(number * each + offset) % len(queries)] for offset in range(each)]
        for query in [_every_filter(first, newest[0]), *taken]:
            path = f"{EVENTS_PATH}?{urlencode(query)}".rstrip("?")
            client.send(Request("GET", path, Step.FILTERED_LIST, credential, tags=tags))


def _every_filter(first: Row, newest: Row) -> Query:
    """Return a query with all filters and an order, whose list contains the newest event if there are several."""
    guids = ",".join({str(first["guid"]): None, str(newest["guid"]): None})
    return {
        "guids": guids,
        "after_guid": str(first["guid"]),
        **_time_filter("created_ats[lte]", newest),
        "order_by": "-created_at",
    }


def _queries(first: Row, newest: Row, total: int) -> Iterator[Query]:
    """Yield queries whose lists contain the newest event, or the first one, in a role that may get it."""
    yield {}
    yield {"guids": str(newest["guid"])}
    yield {"order_by": "created_at"}
    yield {"per_page": LARGE_PAGE}
    yield _time_filter("created_ats", newest)
    yield {"after_guid": str(first["guid"])}
    yield _time_filter("created_ats[gt]", first, -ONE_SECOND)
    yield {"order_by": "-created_at", "per_page": 1, "page": 2}
    yield {"guids": ",".join({str(first["guid"]): None, str(newest["guid"]): None})}
    yield _time_filter("created_ats[gte]", first)
    if total >= LATER_PAGE:
        yield {"per_page": 1, "page": LATER_PAGE}
    yield _time_filter("created_ats[lt]", newest, ONE_SECOND)
    yield _time_filter("created_ats[lte]", newest)


def _time_filter(name: str, event: Row, later: timedelta = timedelta(0)) -> Query:
    """Return a filter by the time of an event, or by one some seconds from it; none if the time cannot be read."""
    moment = clock.parse_rfc3339(event.get("created_at"))
    return {name: (moment + later).strftime(clock.FILTER_FORMAT)} if moment else {}
