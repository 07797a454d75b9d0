"""The client: it sends what it is told, waits within bounds, and records all of it without secrets."""

from __future__ import annotations

import gzip
import time
import zlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.checks import answered
from purge_conformance.client import LOST_AFTER, RETRIES, Request
from purge_conformance.credentials import NOBODY, Credential
from purge_conformance.errors import PurgeRefused, TargetLost
from purge_conformance.evidence import FAILURE, SUPERSEDED
from purge_conformance.guard import PURGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from conftest import Stub

    from purge_conformance.client import Client

    Connect = Callable[..., Client]

SHORT = 0.2  # seconds: `timeout` where the stub is slow on purpose
DEADLINE = 1.5  # seconds: by when a client with that timeout must have given up, with room for a busy machine


def raw(handler: BaseHTTPRequestHandler, *parts: bytes, pause: float = 0.0) -> None:
    """Write bytes as they are, with a pause after each part, and hang up."""
    handler.close_connection = True
    for part in parts:
        handler.wfile.write(part)
        handler.wfile.flush()
        time.sleep(pause)


@pytest.mark.parametrize(
    "path",
    [
        "/v3/a//b",
        "/v3/a/../b",
        "/v3/a/./b",
        "/v3/%2E%2E/b",
        "/v3/a%2Fb?x=%00&y=%FF",
        "/v3/a;b=c?x='$!*(1)&x=2&y",
        "//v3/a",
    ],
)
def test_path_is_sent_as_is(path: str, connect: Connect, stub: Stub) -> None:
    """A path reaches the target, and the evidence, as the experiment wrote it."""
    assert connect().get(path, "s").path == path
    assert stub.targets == [path]


def test_request_is_recorded(connect: Connect, stub: Stub) -> None:
    """The exchange holds what was sent and what came, with headers in order and repeated ones."""
    stub.answer = lambda handler: stub.say(handler, 201, b"\xff", X_One="1", x_one="2")
    found = connect().post("/v3/apps", "make", data={"name": "ü"})
    assert (found.n, found.status, found.body, found.method, found.role) == (1, 201, b"\xff", "POST", "admin")
    assert [value for key, value in found.response_headers if key.lower() == "x-one"] == ["1", "2"]
    assert found.request_body == '{"name": "\\u00fc"}'
    assert dict(found.request_headers)["Content-Type"] == "application/json"
    assert 0 < found.elapsed < DEADLINE


@pytest.mark.parametrize(
    ("who", "sent"),
    [
        (None, "bearer an-opaque-secret"),
        (NOBODY, None),
        (Credential("empty", "", "", "none"), ""),
        (Credential("basic", "Basic YTph", "Basic YTph"), "Basic YTph"),
    ],
)
def test_authorization_is_as_told(who: Credential | None, sent: str | None, connect: Connect, stub: Stub) -> None:
    """Each request carries the credential that it was given, an empty one too, or none."""
    connect().get("/v3", "s", by=who)
    assert stub.got[0][1].get("Authorization") == sent


@pytest.mark.parametrize("proxied", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_environment_is_ignored(
    proxied: str, connect: Connect, stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a .netrc nor a proxy nor a bundle of certificates of the environment reaches a request."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    monkeypatch.setenv(proxied, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert connect().get("/v3", "s", by=NOBODY).status == 200
    assert "Authorization" not in stub.got[0][1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status: int, connect: Connect, stub: Stub) -> None:
    """A redirect is an answer like any other: a purge is never sent where nobody allowed it."""
    stub.answer = lambda handler: stub.say(handler, status, b"moved", Location=f"{stub.url}/elsewhere")
    found = connect().post(PURGE, "purge")
    assert (found.status, found.text) == (status, "moved")
    assert len(stub.got) == 1


def test_cookies_are_kept(connect: Connect, stub: Stub) -> None:
    """A cookie goes back to whoever set it, as a balancer in front of a target may want; and is recorded as sent."""
    stub.answer = lambda handler: stub.say(handler, Set_Cookie="__VCAP_ID__=0; Path=/; HttpOnly")
    client = connect()
    assert [dict(client.get("/v3", "s").request_headers).get("Cookie") for _ in range(2)] == [None, "__VCAP_ID__=0"]
    assert [headers.get("Cookie") for _, headers in stub.got] == [None, "__VCAP_ID__=0"]


def test_purge_is_never_repeated(connect: Connect, stub: Stub) -> None:
    """A purge whose connection breaks is not sent again behind the guard's back."""
    stub.answer = lambda handler: raw(handler, b"")
    found = connect().post(PURGE, "purge")
    assert (found.status, stub.purges) == (None, 1)
    assert found.error


@pytest.mark.parametrize("compressed", [False, True])
def test_body_is_bounded(connect: Connect, stub: Stub, *, compressed: bool) -> None:
    """An answer larger than the limit, also once it is unpacked, counts as none."""
    body = b" " * 2_000_000
    packed, coding = (gzip.compress(body, mtime=0), "gzip") if compressed else (body, "identity")
    stub.answer = lambda handler: stub.say(handler, body=packed, Content_Encoding=coding)
    found = connect(body_bytes=1_000_000).get("/v3", "s")
    assert (found.status, found.body, found.error) == (None, b"", "the answer is larger than 1000000 bytes")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_broken_coding_is_no_answer(coding: str, connect: Connect, stub: Stub) -> None:
    """A body that cannot be unpacked counts as no answer, and says why."""
    stub.answer = lambda handler: stub.say(handler, body=b"neither", Content_Encoding=coding)
    found = connect().get("/v3", "s")
    assert found.status is None
    assert "decompress" in (found.error or "")


def test_cut_body_is_no_answer(connect: Connect, stub: Stub) -> None:
    """A body shorter than announced counts as no answer, not as a short one."""
    stub.answer = lambda handler: raw(handler, b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a"')
    assert connect().get("/v3", "s").status is None


def test_chunks_are_joined(connect: Connect, stub: Stub) -> None:
    """A body in chunks is read as one."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    stub.answer = lambda handler: raw(handler, head, b"1\r\n{\r\n", b"1\r\n}\r\n", b"0\r\n\r\n")
    assert connect().get("/v3", "s").json == {}


def test_silence_times_out(connect: Connect, stub: Stub) -> None:
    """A target that says nothing is given up after `timeout`."""
    stub.answer = lambda _: time.sleep(2 * DEADLINE)
    found = connect(timeout=SHORT).get("/v3", "s")
    assert (found.status, found.elapsed < DEADLINE) == (None, True)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_dripping_times_out(head: bytes, connect: Connect, stub: Stub) -> None:
    """A target that drips its headers or its body byte by byte is given up after a total of twice `timeout`."""
    stub.answer = lambda handler: raw(handler, head, *[b"x"] * 60, pause=SHORT / 4)
    found = connect(timeout=SHORT).get("/v3", "s")
    assert (found.status, found.elapsed < DEADLINE) == (None, True)
    assert found.error == f"the answer was not whole after {2 * SHORT:g} s"


def test_dripping_connection_is_left(connect: Connect, stub: Stub) -> None:
    """What was left of an answer that dripped in is no part of the next, which comes over another connection."""
    served: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        served.append(handler.client_address[1])
        stub.say(handler) if len(served) > 1 else raw(handler, b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 60, pause=SHORT / 4)

    stub.answer = answer
    client = connect(timeout=SHORT)
    assert [client.get("/v3", "s").status for _ in range(2)] == [None, 200]
    assert len(set(served)) == 2


def test_rate_limit_is_waited_for(connect: Connect, stub: Stub) -> None:
    """A 429 with a short Retry-After is asked again, and recorded as superseded."""
    statuses = iter([429, 200])
    stub.answer = lambda handler: stub.say(handler, next(statuses), Retry_After="0")
    client = connect()
    client.experiment = "e"
    assert client.get("/v3", "s").status == 200
    assert [(x.n, x.status, x.tags) for x in client.sent("e", "s")] == [
        (1, 429, {"superseded": "rate limit"}),
        (2, 200, {}),
    ]


@pytest.mark.parametrize(
    ("retry_after", "requests"),
    [
        ("0", RETRIES[429] + 1),
        ("11", 1),
        ("9" * 400, 1),
        ("-1", 1),
        ("soon", 1),
        ("²", 1),
        ("Wed, 01 Jul 2026 12:00:00 GMT", 1),
        ("Wed, 01 Jul 2026 11:59:49 GMT", RETRIES[429] + 1),
        ("Wednesday, 01-Jul-26 11:59:48 GMT", RETRIES[429] + 1),
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


def test_rate_limited_purges_count(connect: Connect, stub: Stub) -> None:
    """A purge that is asked again counts again: the server may have purged before it said 429."""
    stub.answer = lambda handler: stub.say(handler, 429, Retry_After="0")
    with pytest.raises(PurgeRefused):
        connect(max_purges=2).post(PURGE, "purge")
    assert stub.purges == 2


def test_target_is_lost_at_last(connect: Connect, stub: Stub) -> None:
    """After `LOST_AFTER` requests in a row without an answer the target is lost; an answer begins anew."""
    answers = iter([False] * (LOST_AFTER - 1) + [True] + [False] * LOST_AFTER)
    stub.answer = lambda handler: stub.say(handler) if next(answers) else raw(handler, b"junk\r\n\r\n")
    client = connect()
    for _ in range(2 * LOST_AFTER - 1):
        client.get("/v3", "s")
    with pytest.raises(TargetLost, match="no answer to 3 requests in a row"):
        client.get("/v3", "s")


def test_target_is_lost_at_once(connect: Connect, stub: Stub) -> None:
    """A target that answers none of several at once is lost."""
    stub.answer = lambda handler: raw(handler, b"")
    with pytest.raises(TargetLost):
        connect().at_once(*([Request("GET", "/v3", "s")] for _ in range(LOST_AFTER)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_broken_read_is_repeated(method: str, connect: Connect, stub: Stub) -> None:
    """A read whose connection breaks before the answer is sent once more, and the loss is recorded."""
    answers = iter([False, True])
    stub.answer = lambda handler: stub.say(handler) if next(answers) else raw(handler, b"")
    client = connect()
    assert client.send(Request(method, "/v3", "s")).status == 200
    assert [(x.n, x.status, x.tags) for x in client.sent("", "s")] == [
        (1, None, {"superseded": "connection"}),
        (2, 200, {}),
    ]


def test_broken_read_is_repeated_once(connect: Connect, stub: Stub) -> None:
    """A read whose connection breaks each time has no answer in the end."""
    stub.answer = lambda handler: raw(handler, b"")
    assert connect().get("/v3", "s").status is None
    assert len(stub.got) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_changes_have_new_connections(method: str, connect: Connect, stub: Stub) -> None:
    """What may change something never goes over a connection that was kept, and which may end at that moment."""
    served: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        served.append(handler.client_address[1])
        stub.say(handler)

    stub.answer = answer
    client = connect()
    for each in ("GET", method, "GET", method):
        client.send(Request(each, "/v3", "s"))
    assert [served[n] == served[n - 1] for n in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("status", [502, 504])
def test_gateways_failure_passes(status: int, connect: Connect, stub: Stub) -> None:
    """A gateway's failure that passes is none of the target's: the read is sent again, and answered."""
    statuses = iter([status, 200])
    stub.answer = lambda handler: stub.say(handler, next(statuses), b"<html>")
    client = connect()
    assert client.get("/v3", "s").status == 200
    assert [x.status for x in answered(client.sent("", "s"))] == [200]


def test_gateways_failure_stays(connect: Connect, stub: Stub) -> None:
    """A gateway's failure that does not pass is an answer; that of a purge is one at once."""
    stub.answer = lambda handler: stub.say(handler, 502)
    client = connect()
    assert [client.get("/v3", "s").status, len(stub.got)] == [502, RETRIES[502] + 1]
    assert [client.post(PURGE, "purge").status, stub.purges] == [502, 1]


def test_failed_read_is_sent_again(connect: Connect, stub: Stub) -> None:
    """A read that failed is sent once more, and both answers are kept; a purge that failed is not."""
    statuses = iter([500, 200, 500, 500, 500])
    stub.answer = lambda handler: stub.say(handler, next(statuses))
    client = connect()
    assert [client.get("/v3", "passes").status, client.get("/v3", "stays").status] == [200, 500]
    assert [x.tags.get(SUPERSEDED) for x in client.sent("", "passes")] == [FAILURE, None]
    assert [client.post(PURGE, "purge").status, stub.purges] == [500, 1]


@pytest.mark.parametrize("interim", [100, 102, 103, 199])
def test_interim_answers_are_none(interim: int, connect: Connect, stub: Stub) -> None:
    """What comes before an answer with a status of 1xx is none, however often."""
    before = f"HTTP/1.1 {interim} So far\r\nLink: </v3>\r\n\r\n".encode() * 2
    stub.answer = lambda handler: raw(handler, before, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    found = connect().get("/v3", "s")
    assert (found.status, found.json, found.header("Link")) == (200, {}, None)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 \r\ncontent-length:2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING:  chunked \r\n\r\n2;a=b\r\n{}\r\n0;c\r\nX-T: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"{}"),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"{}", wbits=-15),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: X-GZIP\r\n\r\n" + gzip.compress(b"{}", mtime=0),
    ],
)
def test_answers_of_all_forms_are_read(answer: bytes, connect: Connect, stub: Stub) -> None:
    """However HTTP lets an answer be written, it is read."""
    stub.answer = lambda handler: raw(handler, answer)
    assert (found := connect().get("/v3", "s")).status == 200
    assert found.json == {}


@pytest.mark.parametrize("size", [1, 7])
def test_dripping_compression_is_read(size: int, connect: Connect, stub: Stub) -> None:
    """A compressed body that comes in the smallest of chunks is read to its end."""
    packed = gzip.compress(b'{"a": 1}', mtime=0)
    pieces = [packed[n : n + size] for n in range(0, len(packed), size)]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    stub.answer = lambda handler: raw(handler, head, *chunks, b"0\r\n\r\n")
    assert connect().get("/v3", "s").json == {"a": 1}


@pytest.mark.parametrize(
    "junk", [b"\x00\xff\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200]
)
def test_junk_is_no_answer(junk: bytes, connect: Connect, stub: Stub) -> None:
    """What is no HTTP counts as no answer, and breaks nothing."""
    stub.answer = lambda handler: raw(handler, junk)
    found = connect().get("/v3", "s")
    assert (found.status, bool(found.error)) == (None, True)


def test_nothing_held_back_is_sent(connect: Connect, stub: Stub) -> None:
    """What the guard holds back never reaches the target, and is no exchange."""
    client = connect(max_purges=0)
    with pytest.raises(PurgeRefused):
        client.post(PURGE, "purge")
    assert (stub.got, client.sent("", "purge")) == ([], [])


def test_every_exchange_is_told(connect: Connect) -> None:
    """Whoever watches is told of every exchange, after it was recorded."""
    told: list[tuple[int, int]] = []
    client = connect(on_send=lambda client, x: told.append((x.n, len(client.sent("", "s")))))
    client.get("/v3", "s")
    client.get("/v3", "s")
    assert told == [(1, 1), (2, 2)]
