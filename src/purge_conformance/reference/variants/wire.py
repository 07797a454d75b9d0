"""Variants of how answers travel: slowly, in pieces, in other words of HTTP, over connections that end."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.mutation import Change, finishing, registering, together

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.asgi import ASGIApp, Message, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

LATE_S, PIECE_S = 0.06, 0.01
LONG_PURGE_S, LATER_PURGES_S = 20.0, 0.3
PIECES = 4
CUT_OFF = 41  # reads, of which one is answered by half
KEPT = 5  # requests that a connection answers before it is closed as one that was idle for too long
HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r]*)\r\n(.*?\r\n)\r\n", re.DOTALL)
INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </v3>; rel=preconnect\r\n\r\n",
)


def _delaying(seconds: Callable[[str], float]) -> Change:
    """Let each answer wait, by its operation, once it is done."""

    def change(behaviour: Behaviour) -> Behaviour:
        async def pace(operation: str, answer: Callable[[], Reply], sessions: sessionmaker[Session]) -> Reply:
            reply = await behaviour.pace(operation, answer, sessions)
            await asyncio.sleep(seconds(operation))
            return reply

        return replace(behaviour, pace=pace)

    return change


variant("slow-answers")(_delaying(lambda _: LATE_S))


@variant("purge-takes-long")
def _(behaviour: Behaviour) -> Behaviour:
    waits = iter([LONG_PURGE_S])

    def seconds(operation: str) -> float:
        return next(waits, LATER_PURGES_S) if operation == "purge_events" else 0

    return _delaying(seconds)(behaviour)


def _travelling(travel: Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]) -> Change:
    """Make a change of a function that serves a request, given the application."""

    def change(behaviour: Behaviour) -> Behaviour:
        def served(app: ASGIApp) -> ASGIApp:
            inner = behaviour.served(app)

            async def serve(scope: Scope, receive: Receive, send: Send) -> None:
                await travel(inner, scope, receive, send)

            return serve

        return replace(behaviour, served=served)

    return change


def _in_pieces(pause: float) -> Change:
    """Send each body in chunks, with a pause after each, since its length is not told."""

    async def travel(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_pieces(message: Message) -> None:
            for piece in _pieces(message):
                await send(piece)
                if pause and piece.get("more_body"):
                    await asyncio.sleep(pause)

        await app(scope, receive, send_pieces)

    return _travelling(travel)


def _pieces(message: Message) -> Iterator[Message]:
    if message["type"] == "http.response.start":
        yield {**message, "headers": [pair for pair in message["headers"] if pair[0] != b"content-length"]}
        return
    body = message.get("body", b"")
    size = max(1, -(-len(body) // PIECES))
    for begin in range(0, len(body), size):
        yield {**message, "body": body[begin : begin + size], "more_body": True}
    yield {**message, "body": b"", "more_body": False}


def _rewriting(rewrite: Callable[[bytes], bytes]) -> Change:
    """Write the bytes of every answer otherwise."""

    async def travel(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        scope["wire"].rewrite = rewrite
        await app(scope, receive, send)

    return _travelling(travel)


def _with_extensions(data: bytes) -> bytes:
    if data == b"0\r\n\r\n":
        return b"0;last\r\nx-checksum: 0\r\n\r\n"
    return data if data.startswith(b"HTTP/") else re.sub(rb"^([0-9a-fA-F]+)\r\n", rb'\1;piece="yes"\r\n', data)


def _of_old_version(data: bytes) -> bytes:
    return HEAD.sub(lambda head: re.sub(rb"content-length: \d+\r\n", b"", b"HTTP/1.0" + head[0][8:]), data)


def _without_reason(data: bytes) -> bytes:
    return HEAD.sub(rb"HTTP/1.1 \1 \r\n\3\r\n", data)


def _in_capitals(data: bytes) -> bytes:
    return HEAD.sub(lambda head: re.sub(rb"\r\n([^:\r]+): *([^\r]*)", _in_capitals_line, head[0]), data)


def _in_capitals_line(line: re.Match[bytes]) -> bytes:
    return b"\r\n" + line[1].upper() + b": \t " + line[2] + b" \t"


@finishing
def _closing(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "connection": "close"})


variant("chunked")(_in_pieces(0))
variant("chunks-drip")(_in_pieces(PIECE_S))
variant("chunks-with-extensions")(together(_in_pieces(0), _rewriting(_with_extensions)))
variant("http-1.0")(together(_closing, _rewriting(_of_old_version)))
variant("no-reason-phrases")(_rewriting(_without_reason))
variant("headers-in-capitals")(_rewriting(_in_capitals))


@variant("interim-answers")
@_travelling
async def _(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    for interim in INTERIM:
        scope["wire"].write(interim)
    await app(scope, receive, send)


@variant("hangs-up")
@_travelling
async def _(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
    scope["wire"].close()


@variant("closes-idle-connections")
@_travelling
async def _(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["wire"].answers < KEPT:
        await app(scope, receive, send)
        return
    scope["wire"].close()
    await asyncio.sleep(0)  # until the protocol knows, and misses no answer


@variant("cuts-answers-off-at-times")
def _(behaviour: Behaviour) -> Behaviour:
    reads = count(1)

    @_travelling
    async def cut(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        wire = scope["wire"]
        is_cut = scope["method"] == "GET" and next(reads) % CUT_OFF == 0
        usual = wire.rewrite
        wire.rewrite = (lambda data: usual(data) if data.startswith(b"HTTP/") else b"") if is_cut else usual
        await app(scope, receive, send)
        wire.rewrite = usual
        if is_cut:
            wire.close()

    return cut(behaviour)
