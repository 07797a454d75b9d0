"""Concurrent requests: each script waits for its own responses, and the budgets apply to all together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from meta.support.client import exchanges_at
from meta.support.raw_http import HANG_S
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.errors import PurgeBlocked
from purge_conformance.evidence.steps import YES, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


def test_scripts_run_concurrently(make_client: Connect, stub_server: StubServer) -> None:
    """Scripts run concurrently: a server that responds only after all requests have arrived responds to each."""
    all_there = threading.Barrier(3, timeout=HANG_S)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        all_there.wait()
        stub_server.respond(handler)

    stub_server.answer = answer
    found = make_client().send_concurrently(*([Request("POST", PURGE_PATH, Step.PURGE)] for _ in range(3)))
    assert [(x.n, x.status, x.tags) for x in found] == [(n, 200, {Tag.CONCURRENT: YES}) for n in (1, 2, 3)]


def test_script_waits_for_response(make_client: Connect, stub_server: StubServer) -> None:
    """A script yields its next request after the response to the previous one, and may end early."""
    answered: list[str] = []

    def purging() -> Iterator[Request]:
        yield Request("POST", PURGE_PATH, Step.PURGE)
        answered.append("purge")

    def reading() -> Iterator[Request]:
        while not answered:
            yield Request("GET", EVENTS_PATH, Step.CONCURRENT_READ)

    purged = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "POST":
            assert purged.wait(HANG_S)  # until the list was read
        purged.set()
        stub_server.respond(handler)

    stub_server.answer = answer
    found = make_client().send_concurrently(purging(), reading())
    assert [x.step for x in found].count(Step.PURGE) == 1
    assert [x.n for x in found] == list(range(1, len(found) + 1))
    assert len(found) > 1


def test_concurrent_requests_are_not_retried(make_client: Connect, stub_server: StubServer) -> None:
    """A 503 to one of several concurrent requests is not retried: a retry would not be concurrent."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 503, Retry_After="0")
    found = make_client().send_concurrently(
        [Request("POST", PURGE_PATH, Step.PURGE)], [Request("POST", PURGE_PATH, Step.PURGE)]
    )
    assert [(x.status, x.tags) for x in found] == [(503, {Tag.CONCURRENT: YES})] * 2
    assert stub_server.purges == 2


@pytest.mark.parametrize("most", [0, 1, 3])
def test_concurrent_purges_respect_budget(most: int, make_client: Connect, stub_server: StubServer) -> None:
    """Of concurrent purges at most --max-purges reach the target, and each of these is recorded."""
    client = make_client(max_purges=most)
    with pytest.raises(PurgeBlocked):
        client.send_concurrently(*([Request("POST", PURGE_PATH, Step.PURGE)] for _ in range(most + 3)))
    assert (stub_server.purges, len(client.recorded(Step.PURGE))) == (most, most)
