"""Purges, one and several at once, while other threads read the list and send purges that must be rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import NEWEST_EVENTS, read_pages, take_snapshot
from purge_conformance.evidence.listing import STARTED, STOPPED, resources
from purge_conformance.evidence.rounds import CONCURRENT_PURGES, CONCURRENT_ROUNDS
from purge_conformance.evidence.steps import App, Phase, Place, Step
from purge_conformance.scenarios.app_changes import await_event
from purge_conformance.scenarios.concurrent_credentials import rejected_purges

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

MAX_CONCURRENT_READS = 8  # of the list, during the purges of one round
MAX_SETTLE_READS = 4  # of the newest events, until two in a row are equal


def purge_concurrently(client: Client, apps: SuiteApps) -> None:
    """Purge alone and then concurrently, each time between snapshots and with a recorded event to destroy.

    With fewer purges there are fewer concurrent rounds, and the purge alone is left out before the first of them.
    """
    rounds = client.planned_purges // CONCURRENT_PURGES
    has_single = client.planned_purges > rounds * CONCURRENT_PURGES
    of = rounds + has_single
    known = _purge_alone(client, apps, of) if has_single else _read_known(client)
    for index in CONCURRENT_ROUNDS[:rounds]:
        with client.span(Place(Step.CONCURRENT, index)) as place:
            _record_event(client, apps, known)
            take_snapshot(client, place.at(Phase.BEFORE))
            pending = [place] * CONCURRENT_PURGES
            page = f"{EVENTS_PATH}?per_page={client.page_sizes[EVENTS_PATH]}&page=1"
            reads = _reads(Place(Step.CONCURRENT_READ, index), page, pending)
            purges = (_purge(place, pending) for _ in range(CONCURRENT_PURGES))
            others = rejected_purges(client, index, of, is_late=index == rounds)
            client.send_concurrently(*purges, others, reads)
            _wait_until_stable(client)
            known = take_snapshot(client, place.at(Phase.AFTER)).by_guid


def _purge_alone(client: Client, apps: SuiteApps, of: int) -> Collection[str]:
    """Purge once between snapshots, beside requests that must be rejected; return the guids of the events after it.

    If the purge fails beside them, it is sent again alone.
    """
    with client.span(Step.ALONE) as place:
        _record_event(client, apps, ())
        take_snapshot(client, place.at(Phase.BEFORE))
        done = client.send_concurrently([Request("POST", PURGE_PATH, place)], rejected_purges(client, 0, of))
        if not any(x.succeeded for x in done if x.place == place) and client.guard.purges_left:
            client.post(PURGE_PATH, place)
        return take_snapshot(client, place.at(Phase.AFTER)).by_guid


def _read_known(client: Client) -> Collection[str]:
    """Return the guids of the events that exist now."""
    return read_pages(client, EVENTS_PATH, Step.OPENING).by_guid


def _record_event(client: Client, apps: SuiteApps, known: Collection[str]) -> None:
    """Record an event to destroy, and wait until it is listed; `known` are the guids of the events before it."""
    if apps.record_event():
        state = {"state": STARTED if App.TOGGLED in apps.started else STOPPED}
        await_event(client, apps, apps.apps[App.TOGGLED], known, state)


def _purge(where: Place, pending: list[Place]) -> Iterator[Request]:
    """Purge once; after the response, remove one item of `pending`."""
    yield Request("POST", PURGE_PATH, where)
    pending.pop()


def _reads(where: Place, page: str, pending: list[Place]) -> Iterator[Request]:
    """Read the list repeatedly while a purge is pending."""
    for _ in range(MAX_CONCURRENT_READS):
        yield Request("GET", page, where)
        if not pending:
            break


def _wait_until_stable(client: Client) -> None:
    """Read the newest events until two responses are equal, in case the target responds before it has finished."""
    before = None
    for _ in range(MAX_SETTLE_READS):
        now = resources(client.get(NEWEST_EVENTS, Step.SETTLE))
        if now == before:
            break
        before = now
