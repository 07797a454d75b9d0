"""Reads with parameters, against the whole list as it was just before and just after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.expectations import of_app
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import event_identity, is_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from purge_conformance.evidence.listing import Listing, Row

    Query = Mapping[str, str | int]

PAGES = 3  # pages that a walk cuts the list into
TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"  # of a filter, however the target writes its times
HOW = ("pages", "order", "guids", "after_guid", "created_ats")


def query(how: str, rows: Collection[Row], guids: Collection[str], seeds: Collection[Row]) -> Query:
    """Return the parameters of a read.

    Args:
        how: one of `HOW`; what there is no occasion for becomes a filter by guids.
        rows: all events.
        guids: those of the sequence's own apps.
        seeds: the seeded ones among their events.
    """
    times = [
        moment for guid in guids for row in of_app(rows, guid) if (moment := clock.parse_rfc3339(row.get("created_at")))
    ]
    if how == "pages":
        return {"per_page": max(1, -(-len(rows) // PAGES))}
    if how == "order":
        return {"order_by": "-created_at"}
    if how == "after_guid" and seeds:
        return {"after_guid": str(next(iter(seeds))["guid"])}
    if how == "created_ats" and times:
        return {"created_ats[gte]": max(times).strftime(TIMESTAMP)}
    return {"guids": ",".join(sorted(guids))}


def differences(
    walk: Listing, looks: tuple[Listing, Listing], guids: Collection[str], seeds: Collection[Row]
) -> Iterator[tuple[str, str]]:
    """Yield what a read should have shown of the apps with these guids, and what it showed: expected, got.

    What was there before and after the read is due, unless the parameters leave it out.
    """
    asked = walk.exchanges[0]
    words = asked.path.partition("?")[2]
    failed = [page for page in walk.exchanges if not is_page(page)]
    if failed:
        yield f"a list with {words} answered as one", str(failed[0].status)
        return
    own = [{event_identity(row): row for guid in guids for row in of_app(look.rows, guid)} for look in looks]
    rows = [row for known, row in own[0].items() if known in own[1]]
    shown = walk.by_guid
    for row in rows:
        due = _is_due(row, asked.query, seeds)
        if due is False and row["guid"] in shown:
            yield f"a list with {words} without {row['guid']}", "it is there"
        if due and walk.complete and row["guid"] not in shown:
            yield f"a list with {words} that shows {row['guid']}", "it does not"
    if "order_by" in asked.query:
        times = [clock.parse_rfc3339(row.get("created_at")) for row in walk.rows if row in rows]
        known = [moment for moment in times if moment]
        if known != sorted(known, reverse=True):
            yield f"a list sorted by {words}", "another order"


def _is_due(row: Row, asked: Mapping[str, str], seeds: Collection[Row]) -> bool | None:
    """Whether parameters ask for an event; None where only the target knows."""
    if "guids" in asked:
        return row["guid"] in asked["guids"].split(",")
    if "after_guid" in asked:
        return _is_after(row, asked["after_guid"], seeds)
    if "created_ats[gte]" in asked:
        return _is_since(clock.parse_rfc3339(row.get("created_at")), clock.parse_rfc3339(asked["created_ats[gte]"]))
    return True


def _is_after(row: Row, anchor: str, seeds: Collection[Row]) -> bool | None:
    """Whether an event comes after a seeded one, which those of the same second may do or not, as other seeded ones."""
    if row["guid"] == anchor:
        return False
    at = clock.parse_rfc3339(row.get("created_at"))
    times = [clock.parse_rfc3339(seed.get("created_at")) for seed in seeds if seed["guid"] == anchor]
    is_later = at and all(time and at.replace(microsecond=0) > time.replace(microsecond=0) for time in times)
    return True if is_later and row not in seeds else None


def _is_since(at: datetime | None, moment: datetime | None) -> bool | None:
    if at is None or moment is None or (at.microsecond and at.replace(microsecond=0) == moment):
        return None
    return at >= moment
