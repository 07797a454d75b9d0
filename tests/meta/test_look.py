"""Walks over a list: they end where the list ends, whatever the list says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from purge_conformance import look
from purge_conformance.guard import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from conftest import Stub

    from purge_conformance.client import Client


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
    ("total", "most", "pages"), [(0, 5000, 1), (7, 5000, 1), (20, 10, 2), (25, 10, 3), (1000, 5000, 2), (1001, 5000, 2)]
)
def test_walk_reads_all(total: int, most: int, pages: int, stub: Stub, connect: Callable[..., Client]) -> None:
    """A walk reads every row, also of a server that puts fewer on a page than it was asked for."""
    stub.answer = listing(total, most=most)
    found = look.walk(connect(), EVENTS, "s")
    assert (len(found.rows), found.complete, found.total) == (total, True, total)
    assert len(found.exchanges) <= pages + 1


def test_walk_outruns_missing_links(stub: Stub, connect: Callable[..., Client]) -> None:
    """A full page that names no next one is not taken for the last."""
    stub.answer = listing(2500, says_next=False)
    assert len(look.walk(connect(), EVENTS, "s").rows) == 2500


def test_walk_ends_on_repetition(stub: Stub, connect: Callable[..., Client]) -> None:
    """A server that answers every page with the first one does not hold a walk for ever."""
    row = json.dumps({"pagination": {"next": {"href": "x"}}, "resources": [{"guid": "a"}]}).encode()
    stub.answer = lambda handler: say(handler, row)
    found = look.walk(connect(), EVENTS, "s")
    assert (len(found.rows), len(found.exchanges)) == (1, 2)


def test_walk_is_bounded(stub: Stub, connect: Callable[..., Client]) -> None:
    """A walk stops short of its end after `Limits.events` rows, and says so."""
    stub.answer = listing(10_000)
    found = look.walk(connect(events=2000), EVENTS, "s")
    assert (len(found.rows), found.complete) == (2000, False)


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b'{"resources": 1}')])
def test_walk_stops_at_unreadable_page(status: int, body: bytes, stub: Stub, connect: Callable[..., Client]) -> None:
    """A page that cannot be read ends a walk, which is not complete then."""
    stub.answer = lambda handler: say(handler, body, status)
    found = look.walk(connect(), EVENTS, "s")
    assert (len(found.exchanges), found.complete) == (1, False)
