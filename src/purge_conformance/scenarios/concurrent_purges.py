"""Purges at the same time, while somebody reads the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.client import Request
from purge_conformance.evidence.listing import resources
from purge_conformance.scenarios.app_changes import await_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

ROUNDS = ("first", "second")
PURGES = 3  # at the same time
READS = 8  # of the list, at most, while these are under way
SETTLING = 4  # looks until two of them show the same


def parallel(client: Client, foundation: SuiteApps) -> None:
    """Purge alone, then several times at once; each time an ordinary event is there, and everything is looked at."""
    _look(client, foundation, "alone.before", ())
    client.post(PURGE_PATH, "alone")
    after = look.take_snapshot(client, "alone.after")
    for name in ROUNDS:
        _look(client, foundation, f"{name}.before", after.by_guid)
        under_way = [name] * PURGES
        page = f"{EVENTS_PATH}?per_page={client.page_sizes[EVENTS_PATH]}&page=1"
        client.send_concurrently(*(_purge(name, under_way) for _ in range(PURGES)), _reads(name, page, under_way))
        _settle(client)
        after = look.take_snapshot(client, f"{name}.after")


def _look(client: Client, foundation: SuiteApps, step: str, known: Collection[str]) -> None:
    if foundation.record_event():
        await_event(client, foundation, foundation.apps["mover"], known)
    look.take_snapshot(client, step)


def _purge(step: str, under_way: list[str]) -> Iterator[Request]:
    """Purge once, and take one off what is under way once that is answered."""
    yield Request("POST", PURGE_PATH, step)
    under_way.pop()


def _reads(step: str, page: str, under_way: list[str]) -> Iterator[Request]:
    """Read the list again and again, as long as anything is under way."""
    for _ in range(READS):
        yield Request("GET", page, f"{step}.reads")
        if not under_way:
            break


def _settle(client: Client) -> None:
    """Look until nothing moves any more; a target whose answers are true needs no time for that."""
    before = None
    for _ in range(SETTLING):
        now = resources(client.get(look.NEWEST_EVENTS, "settle"))
        if now == before:
            break
        before = now
