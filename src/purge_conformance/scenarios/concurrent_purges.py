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
CONCURRENT_PURGES = 3  # at the same time
MAX_CONCURRENT_READS = 8  # of the list, at most, while these are under way
MAX_SETTLE_READS = 4  # looks until two of them show the same


def purge_concurrently(client: Client, foundation: SuiteApps) -> None:
    """Purge alone, then several times at once; each time an ordinary event is there, and everything is looked at."""
    _take_snapshot(client, foundation, "alone.before", ())
    client.post(PURGE_PATH, "alone")
    after = look.take_snapshot(client, "alone.after")
    for name in ROUNDS:
        _take_snapshot(client, foundation, f"{name}.before", after.by_guid)
        pending = [name] * CONCURRENT_PURGES
        page = f"{EVENTS_PATH}?per_page={client.page_sizes[EVENTS_PATH]}&page=1"
        client.send_concurrently(
            *(_purge(name, pending) for _ in range(CONCURRENT_PURGES)), _reads(name, page, pending)
        )
        _wait_until_stable(client)
        after = look.take_snapshot(client, f"{name}.after")


def _take_snapshot(client: Client, foundation: SuiteApps, step: str, known: Collection[str]) -> None:
    if foundation.record_event():
        await_event(client, foundation, foundation.apps["mover"], known)
    look.take_snapshot(client, step)


def _purge(step: str, pending: list[str]) -> Iterator[Request]:
    """Purge once, and take one off what is under way once that is answered."""
    yield Request("POST", PURGE_PATH, step)
    pending.pop()


def _reads(step: str, page: str, pending: list[str]) -> Iterator[Request]:
    """Read the list again and again, as long as anything is under way."""
    for _ in range(MAX_CONCURRENT_READS):
        yield Request("GET", page, f"{step}.reads")
        if not pending:
            break


def _wait_until_stable(client: Client) -> None:
    """Look until nothing moves any more; a target whose answers are true needs no time for that."""
    before = None
    for _ in range(MAX_SETTLE_READS):
        now = resources(client.get(look.NEWEST_EVENTS, "settle"))
        if now == before:
            break
        before = now
