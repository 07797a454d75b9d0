"""Reads whole lists of the target, page by page, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from purge_conformance.guard import EVENTS
from purge_conformance.snapshot import Listing, is_page, listing, pagination, resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.client import Client
    from purge_conformance.evidence import Exchange

PER_PAGE = 1000
NEWEST = f"{EVENTS}?order_by=-created_at&per_page=100"


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
    that brings nothing new or cannot be read; or short of its end after that many pages (0: `Limits.events` rows).
    """
    asked = {"per_page": PER_PAGE, **(query or {})}
    per_page = int(asked["per_page"])
    most = pages or -(-client.settings.limits.events // per_page)
    read: list[Exchange] = []
    seen: set[str] = set()
    complete = False
    while not complete and len(read) < most:
        read.append(client.get(f"{path}?{urlencode({**asked, 'page': len(read) + 1}, errors='replace')}", step))
        if not is_page(read[-1]):
            break
        guids = {str(row.get("guid")) for row in resources(read[-1])}
        complete = guids <= seen or (len(guids) < per_page and not pagination(read[-1]).get("next"))
        seen |= guids
    client.note(f"{step}.complete", complete)
    return listing(read, finished=complete)
