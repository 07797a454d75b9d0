"""The client asks again what may be asked again, within bounds, and records each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import target_responses
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import MAX_RETRIES, MAX_UNANSWERED, Request
from purge_conformance.errors import PurgeBlocked, TargetUnreachable
from purge_conformance.evidence.records import RETRIED, SERVER_ERROR

from .conftest import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from conftest import Stub

    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


def test_purge_is_never_repeated(connect: Connect, stub: Stub) -> None:
    """A purge whose connection breaks is not sent again behind the guard's back."""
    stub.answer = lambda handler: raw(handler, b"")
    found = connect().post(PURGE_PATH, "purge")
    assert (found.status, stub.purges) == (None, 1)
    assert found.error


def test_rate_limit_is_waited_for(connect: Connect, stub: Stub) -> None:
    """A 429 with a short Retry-After is asked again, and recorded as superseded."""
    statuses = iter([429, 200])
    stub.answer = lambda handler: stub.say(handler, next(statuses), Retry_After="0")
    client = connect()
    client.experiment = "e"
    assert client.get("/v3", "s").status == 200
    assert [(x.n, x.status, x.tags) for x in client.exchanges_of("e", "s")] == [
        (1, 429, {"superseded": "rate limit"}),
        (2, 200, {}),
    ]


@pytest.mark.parametrize(
    ("retry_after", "requests"),
    [
        ("0", MAX_RETRIES[429] + 1),
        ("11", 1),
        ("9" * 400, 1),
        ("-1", 1),
        ("soon", 1),
        ("²", 1),
        ("Wed, 01 Jul 2026 12:00:00 GMT", 1),
        ("Wed, 01 Jul 2026 11:59:49 GMT", MAX_RETRIES[429] + 1),
        ("Wednesday, 01-Jul-26 11:59:48 GMT", MAX_RETRIES[429] + 1),
    ],
)
def test_rate_limit_is_bounded(retry_after: str, requests: int, connect: Connect, stub: Stub) -> None:
    """A 429 that goes on, or that asks for too long or nothing readable, is an answer in the end."""
    date = "Wed, 01 Jul 2026 11:59:49 GMT"  # as the target's clock shows it, years away from ours
    stub.answer = lambda handler: raw(
        handler, f"HTTP/1.1 429 \r\nRetry-After: {retry_after}\r\nDate: {date}\r\n\r\n".encode("latin-1")
    )
    assert connect().get("/v3", "s").status == 429
    assert len(stub.got) == requests


def test_each_cause_is_bounded_by_itself(connect: Connect, stub: Stub) -> None:
    """A connection that breaks just after an answer that was waited out is asked for again like any other."""
    answers = iter([503, None, 429, 502, 200])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status = next(answers)
        if status is None:
            raw(handler, b"")
        else:
            stub.say(handler, status, Retry_After="0")

    stub.answer = answer
    assert connect().get("/v3", "s").status == 200


def test_rate_limited_purges_count(connect: Connect, stub: Stub) -> None:
    """A purge that is asked again counts again: the server may have purged before it said 429."""
    stub.answer = lambda handler: stub.say(handler, 429, Retry_After="0")
    with pytest.raises(PurgeBlocked):
        connect(max_purges=2).post(PURGE_PATH, "purge")
    assert stub.purges == 2


def test_target_is_lost_at_last(connect: Connect, stub: Stub) -> None:
    """After `LOST_AFTER` requests in a row without an answer the target is lost; an answer begins anew."""
    answers = iter([False] * (MAX_UNANSWERED - 1) + [True] + [False] * MAX_UNANSWERED)
    stub.answer = lambda handler: stub.say(handler) if next(answers) else raw(handler, b"junk\r\n\r\n")
    client = connect()
    for _ in range(2 * MAX_UNANSWERED - 1):
        client.get("/v3", "s")
    with pytest.raises(TargetUnreachable, match="no answer to 3 requests in a row"):
        client.get("/v3", "s")


def test_target_is_lost_at_once(connect: Connect, stub: Stub) -> None:
    """A target that answers none of several at once is lost."""
    stub.answer = lambda handler: raw(handler, b"")
    with pytest.raises(TargetUnreachable):
        connect().send_concurrently(*([Request("GET", "/v3", "s")] for _ in range(MAX_UNANSWERED)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_broken_read_is_repeated(method: str, connect: Connect, stub: Stub) -> None:
    """A read whose connection breaks before the answer is sent once more, and the loss is recorded."""
    answers = iter([False, True])
    stub.answer = lambda handler: stub.say(handler) if next(answers) else raw(handler, b"")
    client = connect()
    assert client.send(Request(method, "/v3", "s")).status == 200
    assert [(x.n, x.status, x.tags) for x in client.exchanges_of("", "s")] == [
        (1, None, {"superseded": "connection"}),
        (2, 200, {}),
    ]


@pytest.mark.parametrize("half", [b"Content-Length: 9\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"])
def test_read_cut_off_is_repeated(half: bytes, connect: Connect, stub: Stub) -> None:
    """A read whose answer breaks off is sent once more."""
    answers = iter([False, True])
    stub.answer = lambda handler: stub.say(handler) if next(answers) else raw(handler, b"HTTP/1.1 200 OK\r\n", half)
    client = connect()
    assert client.get("/v3", "s").status == 200
    assert [x.tags for x in client.exchanges_of("", "s")] == [{"superseded": "connection"}, {}]


def test_broken_read_is_repeated_once(connect: Connect, stub: Stub) -> None:
    """A read whose connection breaks each time has no answer in the end."""
    stub.answer = lambda handler: raw(handler, b"")
    assert connect().get("/v3", "s").status is None
    assert len(stub.got) == 2


@pytest.mark.parametrize("status", [502, 504])
def test_gateways_failure_passes(status: int, connect: Connect, stub: Stub) -> None:
    """A gateway's failure that passes is none of the target's: the read is sent again, and answered."""
    statuses = iter([status, 200])
    stub.answer = lambda handler: stub.say(handler, next(statuses), b"<html>")
    client = connect()
    assert client.get("/v3", "s").status == 200
    assert [x.status for x in target_responses(client.exchanges_of("", "s"))] == [200]


def test_gateways_failure_stays(connect: Connect, stub: Stub) -> None:
    """A gateway's failure that does not pass is an answer; that of a purge is one at once."""
    stub.answer = lambda handler: stub.say(handler, 502)
    client = connect()
    assert [client.get("/v3", "s").status, len(stub.got)] == [502, MAX_RETRIES[502] + 1]
    assert [client.post(PURGE_PATH, "purge").status, stub.purges] == [502, 1]


def test_failed_read_is_sent_again(connect: Connect, stub: Stub) -> None:
    """A read that failed is sent once more, and both answers are kept; a purge that failed is not."""
    statuses = iter([500, 200, 500, 500, 500])
    stub.answer = lambda handler: stub.say(handler, next(statuses))
    client = connect()
    assert [client.get("/v3", "passes").status, client.get("/v3", "stays").status] == [200, 500]
    assert [x.tags.get(RETRIED) for x in client.exchanges_of("", "passes")] == [SERVER_ERROR, None]
    assert [client.post(PURGE_PATH, "purge").status, stub.purges] == [500, 1]
