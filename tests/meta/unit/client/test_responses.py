"""The client reads every form of response that HTTP allows, within bounds of size and time."""

from __future__ import annotations

import gzip
import threading
import zlib
from typing import TYPE_CHECKING

import pytest

from meta.support import huge_answers
from meta.support.raw_http import HANG_S, SHORT_TIMEOUT_S, drip, write_raw
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


@pytest.mark.parametrize("compressed", [False, True])
def test_body_size_is_bounded(make_client: Connect, stub_server: StubServer, *, compressed: bool) -> None:
    """A response whose body is larger than the limit, compressed or decompressed, counts as no response."""
    body = b" " * 2_000_000
    packed, coding = (gzip.compress(body, mtime=0), "gzip") if compressed else (body, "identity")
    stub_server.answer = lambda handler: stub_server.respond(handler, body=packed, Content_Encoding=coding)
    found = make_client(max_body_bytes=1_000_000).get("/v3", Step.V3_ROOT)
    assert (found.status, found.body, found.error) == (None, b"", "the response is larger than 1000000 bytes")


@pytest.mark.parametrize("kind", ["empty lists", "empty objects", "numbers", "exponent", "wide string", "deep"])
def test_values_of_a_body_are_bounded(kind: str, make_client: Connect, stub_server: StubServer) -> None:
    """A body whose JSON would take too much memory counts as no response; it is not parsed."""
    stub_server.answer = lambda handler: huge_answers.answer(handler, kind, 1)
    found = make_client().get("/v3", Step.V3_ROOT)
    assert (found.status, found.body) == (None, b"")
    assert found.error == "the response has so many values that as JSON they could take more than 134217728 bytes"


@pytest.mark.parametrize("kind", ["headers", "long header", "large headers", "status line", "chunk extension"])
def test_heads_are_bounded(kind: str, make_client: Connect, stub_server: StubServer) -> None:
    """A response whose header fields, status line or chunk extension are too long counts as no response."""
    stub_server.answer = lambda handler: huge_answers.answer(handler, kind, 1)
    found = make_client().get("/v3", Step.V3_ROOT)
    assert (found.status, found.response_headers) == (None, ())


@pytest.mark.parametrize("kind", ["bomb", "nested bombs", "deflated bomb"])
def test_bombs_are_decompressed_in_part(kind: str, make_client: Connect, stub_server: StubServer) -> None:
    """Of a body that would decompress to gigabytes, no more is decompressed than the bound of its size."""
    huge_answers.prepare(kind)
    stub_server.answer = lambda handler: huge_answers.answer(handler, kind, 1)
    assert make_client().get("/v3", Step.V3_ROOT).error == "the response is larger than 16777216 bytes"


@pytest.mark.parametrize("kind", ["interim responses", "trailers", "tiny chunks"])
def test_endless_answers_end_at_the_deadline(kind: str, make_client: Connect, stub_server: StubServer) -> None:
    """An answer that goes on for ever in small parts ends at the deadline of a response."""
    stub_server.answer = lambda handler: huge_answers.answer(handler, kind, 1)
    found = make_client(timeout=SHORT_TIMEOUT_S).get("/v3", Step.V3_ROOT)
    assert (found.status, found.body) == (None, b"")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_invalid_encoding_is_no_response(coding: str, make_client: Connect, stub_server: StubServer) -> None:
    """A body that cannot be decompressed counts as no response, and the error says why."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=b"neither", Content_Encoding=coding)
    found = make_client().get("/v3", Step.V3_ROOT)
    assert found.status is None
    assert "decompress" in (found.error or "")


def test_truncated_body_is_no_response(make_client: Connect, stub_server: StubServer) -> None:
    """A body shorter than its Content-Length counts as no response, not as a short one."""
    stub_server.answer = lambda handler: write_raw(handler, b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a"')
    assert make_client().get("/v3", Step.V3_ROOT).status is None


def test_chunks_are_joined(make_client: Connect, stub_server: StubServer) -> None:
    """A body in chunks is read as one."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    stub_server.answer = lambda handler: write_raw(handler, head, b"1\r\n{\r\n", b"1\r\n}\r\n", b"0\r\n\r\n")
    assert make_client().get("/v3", Step.V3_ROOT).json == {}


def test_silent_target_times_out(make_client: Connect, stub_server: StubServer) -> None:
    """The client abandons a target that sends nothing within `timeout`."""
    over = threading.Event()

    def wait(_: BaseHTTPRequestHandler) -> None:
        over.wait(HANG_S)

    stub_server.answer = wait
    found = make_client(timeout=SHORT_TIMEOUT_S).get("/v3", Step.V3_ROOT)
    over.set()
    assert found.status is None
    assert "timed out" in (found.error or "")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_slow_response_times_out(head: bytes, make_client: Connect, stub_server: StubServer) -> None:
    """The client abandons a response whose headers or body arrive byte by byte, after twice `timeout` in total."""
    stub_server.answer = lambda handler: drip(handler, head)
    found = make_client(timeout=SHORT_TIMEOUT_S).get("/v3", Step.V3_ROOT)
    assert (found.status, found.error) == (None, f"the response was incomplete after {2 * SHORT_TIMEOUT_S:g} s")


def test_slow_connection_is_abandoned(make_client: Connect, stub_server: StubServer) -> None:
    """The rest of a slow response is no part of the next response, which arrives over another connection."""
    served: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        served.append(handler.client_address[1])
        stub_server.respond(handler) if len(served) > 1 else drip(handler, b"HTTP/1.1 200 OK\r\nX: ")

    stub_server.answer = answer
    client = make_client(timeout=SHORT_TIMEOUT_S)
    assert [client.get("/v3", Step.V3_ROOT).status for _ in range(2)] == [None, 200]
    assert len(set(served)) == 2


@pytest.mark.parametrize("interim", [100, 102, 103, 199])
def test_interim_responses_are_skipped(interim: int, make_client: Connect, stub_server: StubServer) -> None:
    """Interim responses with a status of 1xx are skipped, however many there are."""
    before = f"HTTP/1.1 {interim} So far\r\nLink: </v3>\r\n\r\n".encode() * 2
    stub_server.answer = lambda handler: write_raw(handler, before, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    found = make_client().get("/v3", Step.V3_ROOT)
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
def test_all_response_forms_are_read(answer: bytes, make_client: Connect, stub_server: StubServer) -> None:
    """The client reads every form that HTTP allows for a response."""
    stub_server.answer = lambda handler: write_raw(handler, answer)
    assert (found := make_client().get("/v3", Step.V3_ROOT)).status == 200
    assert found.json == {}


@pytest.mark.parametrize("size", [1, 7])
def test_chunked_compression_is_read(size: int, make_client: Connect, stub_server: StubServer) -> None:
    """A compressed body in very small chunks is read completely."""
    packed = gzip.compress(b'{"a": 1}', mtime=0)
    pieces = [packed[n : n + size] for n in range(0, len(packed), size)]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    stub_server.answer = lambda handler: write_raw(handler, head, *chunks, b"0\r\n\r\n")
    assert make_client().get("/v3", Step.V3_ROOT).json == {"a": 1}


@pytest.mark.parametrize(
    "junk", [b"\x00\xff\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200]
)
def test_invalid_http_is_no_response(junk: bytes, make_client: Connect, stub_server: StubServer) -> None:
    """A response that is not HTTP counts as no response."""
    stub_server.answer = lambda handler: write_raw(handler, junk)
    found = make_client().get("/v3", Step.V3_ROOT)
    assert (found.status, bool(found.error)) == (None, True)
