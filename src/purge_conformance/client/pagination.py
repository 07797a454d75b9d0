"""Reads whole lists of the target, page by page, within bounds."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from purge_conformance.catalogue.api import EVENTS
from purge_conformance.evidence.listing import (
    SURE_PER_PAGE,
    Listing,
    is_beyond_end,
    is_page,
    is_refused,
    listing,
    pagination,
    resources,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

PER_PAGE = 5000  # as much as Cloud Controller gives; on a large foundation requests are dearer than rows
SMALLER = (1000, 100, 50, SURE_PER_PAGE)  # pages that are asked for where a target refuses larger ones
NEWEST = f"{EVENTS}?order_by=-created_at&per_page={SURE_PER_PAGE}"


def everything(client: Client, step: str) -> Listing:
    """Read all events, processes and apps; return the events.

    The apps are read last, so that they are there when an event that others cause meanwhile names one of them.
    """
    events = walk(client, EVENTS, f"{step}.events")
    for name in ("processes", "apps"):
        walk(client, f"/v3/{name}", f"{step}.{name}")
    return events


def walk(client: Client, path: str, step: str, query: Mapping[str, str | int] | None = None, pages: int = 0) -> Listing:
    """Read a list to its end, and note under `step.complete` whether the end was reached.

    Neither `total_pages` nor `next` is trusted alone: the walk ends on a page that is not full and names no next one,
    that brings nothing new or cannot be read; or short of its end after that many pages (0: `Limits.events` rows). A
    target that refuses the whole list in pages of that size is asked for smaller ones, from then on.
    """
    size = client.per_page.setdefault(path, min(PER_PAGE, client.settings.limits.events))
    asked = {"per_page": size, **(query or {})}
    found = _walk(client, path, step, asked | {"per_page": min(size, int(asked["per_page"]))}, pages)
    for smaller in () if query else SMALLER:
        if is_refused(found.exchanges[0]) and smaller < size:
            found = _walk(client, path, step, {"per_page": smaller}, pages)
            client.per_page[path] = size if is_refused(found.exchanges[0]) else smaller
    client.note(f"{step}.complete", found.complete)
    return found


def _walk(client: Client, path: str, step: str, asked: Mapping[str, Any], pages: int) -> Listing:
    walk = Pages(client, path, step, asked, pages)
    read = list(walk)
    return listing(read, finished=walk.finished)


class Pages:
    """The pages of a list, read as they are asked for.

    Attributes:
        finished: whether the last one was the end of the list.
    """

    def __init__(self, client: Client, path: str, step: str, asked: Mapping[str, Any], most: int = 0) -> None:
        """Hold what to ask for, and how many pages at most (0: `Limits.events` rows); nothing is sent yet."""
        self._client, self._path, self._step, self._asked, self._most = client, path, step, asked, most
        self._affordable = client.guard.requests_left // 2  # pages, lest a list without an end takes all
        self.finished = False

    def __iter__(self) -> Iterator[Exchange]:
        """Yield page after page."""
        last: list[Exchange] = []  # two at most: a long list need not be held
        seen: set[str] = set()
        for number in count(1):
            query = urlencode({**self._asked, "page": number}, errors="replace")
            last = [*last[-1:], self._client.get(f"{self._path}?{query}", self._step)]
            guids = {str(row.get("guid")) for row in resources(last[-1])}
            if not is_page(last[-1]):
                self.finished = is_beyond_end(last)
            else:
                full = len(guids) >= self._asked["per_page"]
                self.finished = guids <= seen or not (full or pagination(last[-1]).get("next"))
            seen |= guids
            yield last[-1]
            if self.finished or not is_page(last[-1]) or self._is_enough(number, len(seen)):
                return

    def _is_enough(self, pages: int, rows: int) -> bool:
        """Whether so many pages, with so many rows, are as much as may be read; a target may give fewer than asked."""
        if self._most:
            return pages >= self._most
        return rows >= self._client.settings.limits.events or pages >= self._affordable
