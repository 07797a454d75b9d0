"""Walks end where the list ends, whatever its pagination says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client import pagination
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


def respond(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Write a complete response."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def paged_list(total: int, *, max_rows: int = 5000, says_next: bool = True) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with pages of a list of that many rows, at most `max_rows` per page."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        page, size = int(query["page"][0]), min(int(query["per_page"][0]), max_rows)
        rows = [{"guid": str(n)} for n in range((page - 1) * size, min(page * size, total))]
        following = {"href": "x"} if says_next and page * size < total else None
        data = {"pagination": {"total_results": total, "next": following}, "resources": rows}
        respond(handler, json.dumps(data).encode())

    return answer


@pytest.mark.parametrize(
    ("total", "max_rows", "pages"),
    [(0, 5000, 1), (7, 5000, 1), (20, 10, 2), (25, 10, 3), (5000, 5000, 2), (5001, 5000, 2)],
)
def test_walk_reads_all(
    total: int, max_rows: int, pages: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A walk reads every row, even if the server puts fewer on a page than requested."""
    stub_server.answer = paged_list(total, max_rows=max_rows)
    walk = pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING)
    assert (len(walk.rows), walk.complete, walk.total) == (total, True, total)
    assert len(walk.exchanges) <= pages + 1


def rejecting_list(total: int, max_rows: int, *, status: int = 422) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer as `paged_list` does, and reject larger pages."""
    answer = paged_list(total)

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        too_large = int(parse_qs(urlsplit(handler.path).query)["per_page"][0]) > max_rows
        respond(handler, b"{}", status) if too_large else answer(handler)

    return refuse


@pytest.mark.parametrize(
    ("max_rows", "pages", "rejected"),
    [(1000, 1, 1), (100, 3, 2), (99, 5, 3), (50, 5, 3), (49, 11, 4), (20, 11, 4), (5000, 1, 0)],
)
@pytest.mark.parametrize("status", [400, 422])
def test_large_pages_fall_back(  # noqa: PLR0913, PLR0917 -- what was tried and what comes of it
    max_rows: int, pages: int, rejected: int, status: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """If a target rejects large pages, the walk uses smaller ones and stays with them."""
    stub_server.answer = rejecting_list(210, max_rows, status=status)
    client = make_client()
    for total in (pages + rejected, 2 * pages + rejected):
        walk = pagination.read_pages(client, EVENTS_PATH, Step.OPENING)
        assert (len(walk.rows), walk.complete, len(walk.exchanges)) == (210, True, pages)
        assert len(stub_server.received) == total
    walk = pagination.read_pages(client, EVENTS_PATH, Step.CLOSING, {"per_page": 3}, max_pages=2)
    assert walk.exchanges[0].query["per_page"] == "3"


def test_walk_stops_after_five_sizes(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """If a target rejects every page, the walk stops after five sizes."""
    stub_server.answer = lambda handler: respond(handler, b"{}", 400)
    walk = pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING)
    assert (walk.complete, len(stub_server.received)) == (False, 5)


@pytest.mark.parametrize(("status", "complete"), [(400, True), (404, True), (422, True), (500, False), (401, False)])
def test_last_page_may_be_rejected(
    status: int,
    complete: bool,  # noqa: FBT001
    stub_server: StubServer,
    make_client: Callable[..., Client],
) -> None:
    """A page after the end may be rejected if the one before named no next page; the walk is complete."""
    answer = paged_list(200)

    def respond_or_reject(handler: BaseHTTPRequestHandler) -> None:
        respond(handler, b"{}", status) if "page=3" in handler.path else answer(handler)

    stub_server.answer = respond_or_reject
    walk = pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING, {"per_page": 100})
    assert (walk.complete, len(walk.exchanges)) == (complete, 2 if complete else 3)
    assert len(walk.rows) == 200


def test_full_page_is_not_last(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A full page without a next page is not assumed to be the last."""
    stub_server.answer = paged_list(2500, says_next=False)
    assert len(pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING, {"per_page": 1000}).rows) == 2500


def test_repeated_page_ends_walk(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A server that repeats the first page does not cause an endless walk."""
    row = json.dumps({"pagination": {"next": {"href": "x"}}, "resources": [{"guid": "a"}]}).encode()
    stub_server.answer = lambda handler: respond(handler, row)
    walk = pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING)
    assert (len(walk.rows), len(walk.exchanges)) == (1, 2)


def test_small_pages_are_read(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A server with much smaller pages than requested is read to the end of its list."""
    stub_server.answer = paged_list(2500, max_rows=100)
    walk = pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING)
    assert (len(walk.rows), walk.complete) == (2500, True)


def test_endless_list_is_bounded(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """An endless list uses at most half of the remaining requests."""
    stub_server.answer = paged_list(10**9, max_rows=1)
    client = make_client(max_requests=120)
    walk = pagination.read_pages(client, EVENTS_PATH, Step.OPENING)
    assert (walk.complete, len(walk.exchanges), client.guard.requests_left) == (False, 50, 50)


def test_walk_stops_at_event_limit(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A walk stops after `Limits.max_events` rows and is then incomplete."""
    stub_server.answer = paged_list(10_000)
    walk = pagination.read_pages(make_client(max_events=2000), EVENTS_PATH, Step.OPENING)
    assert (len(walk.rows), walk.complete) == (2000, False)


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b'{"resources": 1}')])
def test_walk_stops_at_unreadable_page(
    status: int, body: bytes, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """An unreadable page ends a walk, which is then incomplete."""
    stub_server.answer = lambda handler: respond(handler, body, status)
    walk = pagination.read_pages(make_client(), EVENTS_PATH, Step.OPENING)
    assert (len(walk.exchanges), walk.complete) == (1, False)
