"""Reads complete lists of the target, page by page, within the limits of the run."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.listing import (
    APPS,
    GUARANTEED_PAGE_SIZE,
    Listing,
    build_listing,
    is_beyond_end,
    is_page,
    is_query_rejected,
    pagination,
    resources,
)
from purge_conformance.evidence.steps import Part, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import Where

MAX_PAGE_SIZE = 5000  # Cloud Controller's maximum; on a large foundation a request costs more than a row
FALLBACK_PAGE_SIZES = (1000, 100, 50, GUARANTEED_PAGE_SIZE)  # requested from a target that rejects larger ones
NEWEST_EVENTS = f"{EVENTS_PATH}?order_by=-created_at&per_page={GUARANTEED_PAGE_SIZE}"

SNAPSHOT_PATHS = {Part.EVENTS: EVENTS_PATH, Part.PROCESSES: "/v3/processes", Part.APPS: APPS}  # in the order of reading


def take_snapshot(client: Client, where: Where) -> Listing:
    """Read all events, processes and apps; return the events.

    The apps are read last: an event that another client causes during the snapshot then names a listed app.
    """
    lists = {part: read_pages(client, path, place_of(where).of(part)) for part, path in SNAPSHOT_PATHS.items()}
    return lists[Part.EVENTS]


def read_pages(
    client: Client, path: str, where: Where, query: Mapping[str, str | int] | None = None, max_pages: int = 0
) -> Listing:
    """Read a list to its end, and record whether the end was reached.

    Neither `total_pages` nor `next` is trusted alone: the end is a page that is not full and names no next page, that
    has no new row, or that cannot be read. Reading stops early after `max_pages` pages (0: `Limits.max_events` rows).
    If the target rejects the page size, this and later calls use the largest smaller one that it accepts.
    """
    size = client.page_sizes.setdefault(path, min(MAX_PAGE_SIZE, client.settings.limits.max_events))
    full_query = {"per_page": size, **(query or {})}
    result = _read_pages(
        client, path, where, full_query | {"per_page": min(size, int(full_query["per_page"]))}, max_pages
    )
    for smaller in () if query else FALLBACK_PAGE_SIZES:
        if is_query_rejected(result.exchanges[0]) and smaller < size:
            result = _read_pages(client, path, where, {"per_page": smaller}, max_pages)
            client.page_sizes[path] = size if is_query_rejected(result.exchanges[0]) else smaller
    client.list_end(where, complete=result.complete)
    return result


def _read_pages(client: Client, path: str, where: Where, query: Mapping[str, Any], max_pages: int) -> Listing:
    reader = Pages(client, path, where, query, max_pages)
    exchanges = list(reader)
    return build_listing(exchanges, reached_end=reader.reached_end)


class Pages:
    """The pages of a list; iteration requests them one by one.

    Attributes:
        reached_end: whether the last page was the end of the list.
    """

    def __init__(self, client: Client, path: str, where: Where, query: Mapping[str, Any], max_pages: int = 0) -> None:
        """Store the query and the most pages to read (0: `Limits.max_events` rows); sends nothing."""
        self._client, self._path, self._where, self._query, self._max_pages = client, path, where, query, max_pages
        self._page_budget = client.guard.requests_left // 2  # pages: an endless list must not use up all requests
        self.reached_end = False

    def __iter__(self) -> Iterator[Exchange]:
        """Request and yield page after page."""
        recent: list[Exchange] = []  # at most two, so that a long list is never in memory
        seen_guids: set[str] = set()
        for number in count(1):
            query = urlencode({**self._query, "page": number}, errors="replace")
            recent = [*recent[-1:], self._client.get(f"{self._path}?{query}", self._where)]
            guids = {str(row.get("guid")) for row in resources(recent[-1])}
            if not is_page(recent[-1]):
                self.reached_end = is_beyond_end(recent)
            else:
                is_full = len(guids) >= self._query["per_page"]
                self.reached_end = guids <= seen_guids or not (is_full or pagination(recent[-1]).get("next"))
            seen_guids |= guids
            yield recent[-1]
            if self.reached_end or not is_page(recent[-1]) or self._reached_limit(number, len(seen_guids)):
                return

    def _reached_limit(self, pages: int, rows: int) -> bool:
        """Whether a limit is reached; pages count as well, because a target may give smaller ones than requested."""
        if self._max_pages:
            return pages >= self._max_pages
        return rows >= self._client.settings.limits.max_events or pages >= self._page_budget
