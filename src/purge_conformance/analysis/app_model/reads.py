"""Reads of the list with parameters, compared with the complete lists just before and just after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.expectations import events_of_app
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import event_identity, is_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from purge_conformance.evidence.listing import Listing, Row

    Query = Mapping[str, str | int]

PAGES_PER_WALK = 3  # pages that a walk divides the list into
TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # of a filter, whatever format the target's times have
READ_KINDS = ("pages", "order", "guids", "after_guid", "created_ats")


def build_query(kind: str, rows: Collection[Row], guids: Collection[str], seeds: Collection[Row]) -> Query:
    """Return the parameters of a read.

    Args:
        kind: one of `READ_KINDS`; a filter by guids replaces a kind that needs events that do not exist.
        rows: all events.
        guids: guids of the sequence's own apps.
        seeds: the seeded events of these apps; events of deleted apps may be deleted, too.
    """
    times = [
        moment
        for guid in guids
        for row in events_of_app(rows, guid)
        if (moment := clock.parse_rfc3339(row.get("created_at")))
    ]
    if kind == "pages":
        return {"per_page": max(1, -(-len(rows) // PAGES_PER_WALK))}
    if kind == "order":
        return {"order_by": "-created_at"}
    listed = {row["guid"] for row in rows}
    anchor = next((str(seed["guid"]) for seed in seeds if seed["guid"] in listed), None)
    if kind == "after_guid" and anchor:
        return {"after_guid": anchor}
    if kind == "created_ats" and times:
        return {"created_ats[gte]": max(times).strftime(TIMESTAMP_FORMAT)}
    return {"guids": ",".join(sorted(guids))}


def read_differences(
    walk: Listing, listings: tuple[Listing, Listing], guids: Collection[str], seeds: Collection[Row]
) -> Iterator[tuple[str, str]]:
    """Yield the differences of a read for the apps with these guids: expected, got.

    It must show the events that were listed both before and after it, unless the parameters exclude them.
    """
    first_page = walk.exchanges[0]
    query_text = first_page.path.partition("?")[2]
    anchor = first_page.query.get("after_guid")
    if anchor is not None and any(anchor not in listing.by_guid for listing in listings):
        return  # its app was deleted, and its events with it
    failed = [page for page in walk.exchanges if not is_page(page)]
    if failed:
        yield f"a page of the list with {query_text}", str(failed[0].status)
        return
    own = [
        {event_identity(row): row for guid in guids for row in events_of_app(listing.rows, guid)}
        for listing in listings
    ]
    rows = [row for known, row in own[0].items() if known in own[1]]
    rows_by_guid = walk.by_guid
    for row in rows:
        is_expected = _is_expected(row, first_page.query, seeds)
        if is_expected is False and row["guid"] in rows_by_guid:
            yield f"a list with {query_text} without {row['guid']}", "it is listed"
        if is_expected and walk.complete and row["guid"] not in rows_by_guid:
            yield f"a list with {query_text} that shows {row['guid']}", "it is not listed"
    if "order_by" in first_page.query:
        times = [clock.parse_rfc3339(row.get("created_at")) for row in walk.rows if row in rows]
        known = [moment for moment in times if moment]
        if known != sorted(known, reverse=True):
            yield f"a list sorted by {query_text}", "another order"


def _is_expected(row: Row, parameters: Mapping[str, str], seeds: Collection[Row]) -> bool | None:
    """Whether parameters select an event; None if only the target knows."""
    if "guids" in parameters:
        return row["guid"] in parameters["guids"].split(",")
    if "after_guid" in parameters:
        return _is_after(row, parameters["after_guid"], seeds)
    if "created_ats[gte]" in parameters:
        return _is_since(
            clock.parse_rfc3339(row.get("created_at")), clock.parse_rfc3339(parameters["created_ats[gte]"])
        )
    return True


def _is_after(row: Row, anchor: str, seeds: Collection[Row]) -> bool | None:
    """Whether an event comes after a seeded one; None for events of the same second and for other seeded events."""
    if row["guid"] == anchor:
        return False
    created_at = clock.parse_rfc3339(row.get("created_at"))
    times = [clock.parse_rfc3339(seed.get("created_at")) for seed in seeds if seed["guid"] == anchor]
    is_later = created_at and all(
        anchor_time and created_at.replace(microsecond=0) > anchor_time.replace(microsecond=0) for anchor_time in times
    )
    return True if is_later and row not in seeds else None


def _is_since(time: datetime | None, bound: datetime | None) -> bool | None:
    if time is None or bound is None or (time.microsecond and time.replace(microsecond=0) == bound):
        return None
    return time >= bound
