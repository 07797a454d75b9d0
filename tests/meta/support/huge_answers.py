"""A target whose every answer is huge: legal pages of many kinds, and answers that do not end."""

from __future__ import annotations

import gzip
import json
import zlib
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from http.server import BaseHTTPRequestHandler

MIB = 1024 * 1024
SIZE = 15 * MIB  # of a body, just below the most that is read
BOMB = 256 * MIB  # of a body, after it is decompressed
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EVENT = json.dumps(
    {
        "guid": "gN",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        **{name: {"current": "STARTED N", "previous": "STOPPED N"} for name in ("state", "instance_count")},
        **{name: {"guid": "N", "name": "name N"} for name in ("app", "process", "space", "organization")},
        "links": {"self": {"href": "http://target.invalid/v3/app_usage_events/N"}},
    }
)


def _fill(part: bytes, size: int = SIZE) -> bytes:
    return part * (size // len(part))


@cache
def _rows(row: str, count: int, n: int = 0) -> bytes:
    return "".join("," + row.replace("N", f"{n}-{i}") for i in range(count)).encode()


@cache
def _member(kind: str) -> bytes:
    """Return the value of a member that has no meaning, as JSON."""
    return {
        "empty lists": b"[" + _fill(b"[],") + b"[]]",
        "empty objects": b"[" + _fill(b"{},") + b"{}]",
        "numbers": b"[" + _fill(b"1234,") + b"0]",
        "one string": b'"' + _fill(b"x") + b'"',
        "wide string": b'"' + _fill(b"x") + "\U0001f600".encode() + b'"',
        "escapes": b'"' + _fill(rb"\u0001") + b'"',
        "keys": b"{" + b",".join(b'"%d":0' % i for i in range(10**6)) + b"}",
        "deep": _fill(b"["),
        "digits": _fill(b"9"),
        "exponent": b"[" + _fill(b"1e999999,") + b"0]",
        "short lists": b"[" + _fill(b"[],", 9000) + b"[]]",
    }[kind]


# Kinds of legal pages: name -> further rows, and the value of a further member, for the number of the request.
PAGES: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    **{
        kind: lambda _, kind=kind: (b"", _member(kind))  # type: ignore[misc] # mypy does not see the default
        for kind in (
            *("empty lists", "empty objects", "numbers", "one string", "wide string", "escapes", "keys", "deep"),
            *("digits", "exponent", "short lists"),
        )
    },
    "many events": lambda n: (_rows(EVENT, 6000, n), b"0"),
    "tiny rows": lambda n: (_rows('{"guid":"N"}', 100_000, n), b"0"),
    "rows that are no objects": lambda n: (_rows('"N"', 300_000, n), b"0"),
    "equal rows": lambda _: (_rows('{"guid":"N"}', 100_000), b"0"),
}


def _gzip(size: int, times: int = 1) -> bytes:
    """Return compressed spaces."""
    data = b""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(size // MIB):
        data += packer.compress(b" " * MIB)
    data += packer.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


@cache
def _endless(kind: str) -> tuple[bytes, bytes, int]:
    """Return an answer as its beginning, a part of it, and how often the part follows."""
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    once: dict[str, Callable[[], tuple[bytes, bytes, int]]] = {
        "body": lambda: (OK + b"\r\n", b" " * MIB, 10**6),
        "bomb": lambda: (OK + b"Content-Encoding: gzip\r\n\r\n", _gzip(BOMB), 1),
        "nested bombs": lambda: (OK + b"Content-Encoding: gzip, gzip, gzip\r\n\r\n", _gzip(BOMB, 3), 1),
        "deflated bomb": lambda: (OK + b"Content-Encoding: deflate\r\n\r\n", zlib.compress(b" " * (100 * MIB), 9), 1),
        "headers": lambda: (OK, b"X-A: b\r\n" * 1000, 10**6),
        "long header": lambda: (OK + b"X-A: ", b"b" * MIB, 10**6),
        "large headers": lambda: (OK, b"X-A: " + b"b" * 60_000 + b"\r\n", 90),
        "status line": lambda: (b"HTTP/1.1 200 ", b"b" * MIB, 10**6),
        "interim responses": lambda: (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000, 10**6),
        "chunk extension": lambda: (chunked + b"1;", b"b" * MIB, 10**6),
        "trailers": lambda: (chunked + b"0\r\n", b"X-A: b\r\n" * 1000, 10**6),
        "tiny chunks": lambda: (chunked, b"1\r\n \r\n" * 10_000, 10**6),
    }
    return once[kind]()


ENDLESS = (
    *("body", "bomb", "nested bombs", "deflated bomb", "headers", "long header", "large headers", "status line"),
    *("interim responses", "chunk extension", "trailers", "tiny chunks"),
)
KINDS = (*PAGES, *ENDLESS)


def _page(kind: str, n: int) -> Iterable[bytes]:
    rows, member = PAGES[kind](n)
    row = json.dumps({"guid": f"g{n}", "created_at": "2026-01-01T00:00:00Z", "state": "STARTED"}).encode()
    body = b'{"n":%d,"pagination":{"total_results":1,"next":null},"resources":[%s%s],"x":%s}' % (n, row, rows, member)
    return OK + b"Content-Length: %d\r\n\r\n" % len(body), body


def prepare(kind: str) -> None:
    """Make what takes long before a client waits for it."""
    if kind in PAGES:
        PAGES[kind](1)
    else:
        _endless(kind)


def answer(handler: BaseHTTPRequestHandler, kind: str, n: int) -> None:
    """Answer the request with this number, of any method, by an answer of this kind."""
    handler.close_connection = True
    with suppress(OSError):
        if handler.path.rstrip("/") == "":
            return _write_root(handler)
        if kind in PAGES:
            for part in _page(kind, n):
                handler.wfile.write(part)
            return None
        begin, part, times = _endless(kind)
        handler.wfile.write(begin)
        for _ in range(times):
            handler.wfile.write(part)
    return None


def _write_root(handler: BaseHTTPRequestHandler) -> None:
    url = f"http://{handler.headers['Host']}"
    names = {"self": url, "cloud_controller_v3": f"{url}/v3", "app_usage_events": url}
    body = json.dumps({"links": {name: {"href": href} for name, href in names.items()}}).encode()
    handler.wfile.write(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
