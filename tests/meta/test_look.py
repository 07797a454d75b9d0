"""Walks over a list: they end where the list ends, whatever the list says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client import pagination as look

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


def say(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Write a whole answer."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def listing(total: int, *, most: int = 5000, says_next: bool = True) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer pages of a list of that many rows, at most so many on one."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        page, size = int(query["page"][0]), min(int(query["per_page"][0]), most)
        rows = [{"guid": str(n)} for n in range((page - 1) * size, min(page * size, total))]
        following = {"href": "x"} if says_next and page * size < total else None
        data = {"pagination": {"total_results": total, "next": following}, "resources": rows}
        say(handler, json.dumps(data).encode())

    return answer


@pytest.mark.parametrize(
    ("total", "most", "pages"), [(0, 5000, 1), (7, 5000, 1), (20, 10, 2), (25, 10, 3), (5000, 5000, 2), (5001, 5000, 2)]
)
def test_walk_reads_all(
    total: int, most: int, pages: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A walk reads every row, also of a server that puts fewer on a page than it was asked for."""
    stub_server.answer = listing(total, most=most)
    found = look.read_pages(make_client(), EVENTS_PATH, "s")
    assert (len(found.rows), found.complete, found.total) == (total, True, total)
    assert len(found.exchanges) <= pages + 1


def refusing(total: int, most: int, *, status: int = 422) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer pages as `listing` does, and refuse those that are larger."""
    answer = listing(total)

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        too_large = int(parse_qs(urlsplit(handler.path).query)["per_page"][0]) > most
        say(handler, b"{}", status) if too_large else answer(handler)

    return refuse


@pytest.mark.parametrize(
    ("most", "pages", "refused"),
    [(1000, 1, 1), (100, 3, 2), (99, 5, 3), (50, 5, 3), (49, 11, 4), (20, 11, 4), (5000, 1, 0)],
)
@pytest.mark.parametrize("status", [400, 422])
def test_walk_takes_smaller_pages(  # noqa: PLR0913, PLR0917 -- what was tried and what comes of it
    most: int, pages: int, refused: int, status: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A target that refuses large pages is asked for smaller ones, and never again for larger ones."""
    stub_server.answer = refusing(210, most, status=status)
    client = make_client()
    for total in (pages + refused, 2 * pages + refused):
        found = look.read_pages(client, EVENTS_PATH, "s")
        assert (len(found.rows), found.complete, len(found.exchanges)) == (210, True, pages)
        assert len(stub_server.received) == total
    assert look.read_pages(client, EVENTS_PATH, "t", {"per_page": 3}, max_pages=2).exchanges[0].query["per_page"] == "3"


def test_walk_gives_up_at_last(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A target that refuses every page is asked for five sizes, and no more."""
    stub_server.answer = lambda handler: say(handler, b"{}", 400)
    found = look.read_pages(make_client(), EVENTS_PATH, "s")
    assert (found.complete, len(stub_server.received)) == (False, 5)


@pytest.mark.parametrize(("status", "complete"), [(400, True), (404, True), (422, True), (500, False), (401, False)])
def test_walk_may_be_refused_at_end(
    status: int,
    complete: bool,  # noqa: FBT001
    stub_server: StubServer,
    make_client: Callable[..., Client],
) -> None:
    """A page beyond the end may be refused where the one before named no next; the walk is whole without it."""
    answer = listing(200)

    def answer_or_refuse(handler: BaseHTTPRequestHandler) -> None:
        say(handler, b"{}", status) if "page=3" in handler.path else answer(handler)

    stub_server.answer = answer_or_refuse
    found = look.read_pages(make_client(), EVENTS_PATH, "s", {"per_page": 100})
    assert (found.complete, len(found.exchanges)) == (complete, 2 if complete else 3)
    assert len(found.rows) == 200


def test_walk_outruns_missing_links(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A full page that names no next one is not taken for the last."""
    stub_server.answer = listing(2500, says_next=False)
    assert len(look.read_pages(make_client(), EVENTS_PATH, "s", {"per_page": 1000}).rows) == 2500


def test_walk_ends_on_repetition(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A server that answers every page with the first one does not hold a walk for ever."""
    row = json.dumps({"pagination": {"next": {"href": "x"}}, "resources": [{"guid": "a"}]}).encode()
    stub_server.answer = lambda handler: say(handler, row)
    found = look.read_pages(make_client(), EVENTS_PATH, "s")
    assert (len(found.rows), len(found.exchanges)) == (1, 2)


def test_walk_of_small_pages_reads_on(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A server that gives far fewer rows than it was asked for is read to the end of its list all the same."""
    stub_server.answer = listing(2500, most=100)
    found = look.read_pages(make_client(), EVENTS_PATH, "s")
    assert (len(found.rows), found.complete) == (2500, True)


def test_endless_list_leaves_requests(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A list without an end takes no more than half of the requests that are left."""
    stub_server.answer = listing(10**9, most=1)
    client = make_client(max_requests=120)
    found = look.read_pages(client, EVENTS_PATH, "s")
    assert (found.complete, len(found.exchanges), client.guard.requests_left) == (False, 50, 50)


def test_walk_is_bounded(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A walk stops short of its end after `Limits.events` rows, and says so."""
    stub_server.answer = listing(10_000)
    found = look.read_pages(make_client(max_events=2000), EVENTS_PATH, "s")
    assert (len(found.rows), found.complete) == (2000, False)


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b'{"resources": 1}')])
def test_walk_stops_at_unreadable_page(
    status: int, body: bytes, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A page that cannot be read ends a walk, which is not complete then."""
    stub_server.answer = lambda handler: say(handler, body, status)
    found = look.read_pages(make_client(), EVENTS_PATH, "s")
    assert (len(found.exchanges), found.complete) == (1, False)
