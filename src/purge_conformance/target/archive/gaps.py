"""What could not be archived: the events that were recorded between the last look at the list and a purge."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_page, pagination
from purge_conformance.evidence.words import pluralize
from purge_conformance.target.archive.files import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.evidence.records import Evidence, Exchange

NEWEST_FIRST = "-created_at"
UNFILTERED = {"page", "per_page", "order_by"}  # parameters of a read that hides no event


def shows_newest(exchange: Exchange) -> bool:
    """Whether an exchange shows the newest events: the end of the whole list, or its first page in reverse order."""
    query = exchange.query
    if exchange.role != ADMIN or exchange.route != EVENTS_PATH or exchange.method != "GET" or not is_page(exchange):
        return False
    if not query.keys() <= UNFILTERED:
        return False
    if not pagination(exchange).get("next") and query.get("order_by", "created_at") == "created_at":
        return True
    size = query.get("per_page", "")
    is_long = size.isdecimal() and int(size) >= GUARANTEED_PAGE_SIZE
    return query.get("order_by") == NEWEST_FIRST and query.get("page", "1") == "1" and is_long


def longest_gap(exchanges: Iterable[Exchange]) -> float | None:
    """Return the most seconds between the beginning of a look at the newest events and the end of the next purge.

    None if no purge was sent. Purges by every role count: a faulty target may obey each.
    """
    gap, looks, last_look = None, [], None
    for exchange in exchanges:
        if shows_newest(exchange):
            looks.append(exchange)
        elif is_purge(exchange.method, exchange.path):
            while looks and looks[0].sent_at + looks[0].elapsed <= exchange.sent_at:
                last_look = looks.pop(0)
            if last_look:
                gap = max(gap or 0.0, exchange.sent_at + exchange.elapsed - last_look.sent_at)
    return gap


def describe_additions(evidence: Evidence) -> Iterator[str]:
    """Yield what was added to the archive during the run, and what may be missing."""
    if added := sum(evidence.noted(notes.ADDED)):
        yield (
            f"{pluralize(added, 'event')} of apps that are not the suite's own appeared during the run, those that its "
            f"purges seeded among them. They were added to {FILE_NAME} before the next purge."
        )
    for reason, times in Counter(evidence.noted(notes.LACKING)).items():
        yield (
            f"{ALLOW_INCOMPLETE_ARCHIVE} was given, and {pluralize(times, 'purge')} destroyed events that could not be "
            f"archived. {reason}"
        )
    gap = longest_gap(evidence.exchanges)
    if gap is not None:
        seconds = math.ceil(gap * 10) / 10
        yield f"Events that others recorded in the last {seconds:.1f} s before a purge could not be archived."
