"""Variants of how responses are sent: slowly, in chunks, in other forms of HTTP, over connections that close."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.connection_changes import marked, withholding_marked, wrap_app_with
from purge_conformance.reference.mutation import Change, add_headers, combine, variant, wrap_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.asgi import ASGIApp, Message, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply


REPLY_DELAY_S, CHUNK_PAUSE_S = 0.06, 0.01
FIRST_PURGE_S, FURTHER_PURGES_S = 20.0, 0.3
CHUNK_COUNT = 4
LOST_PURGE = 5  # this one is carried out, and gets no answer
READS_PER_CUT = 41  # one of so many reads is answered without its body
REQUESTS_PER_CONNECTION = 5  # then it is closed as if it had been idle for too long
RESPONSE_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r]*)\r\n(.*?\r\n)\r\n", re.DOTALL)
INTERIM_RESPONSES = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </v3>; rel=preconnect\r\n\r\n",
)


def _delay_replies(seconds: Callable[[str], float]) -> Change:
    """Return the change that waits for these seconds, by operation, before a complete reply is sent."""

    def change(behaviour: Behaviour) -> Behaviour:
        async def schedule(operation: str, answer: Callable[[], Reply], sessions: sessionmaker[Session]) -> Reply:
            reply = await behaviour.schedule(operation, answer, sessions)
            await asyncio.sleep(seconds(operation))
            return reply

        return replace(behaviour, schedule=schedule)

    return change


variant("slow-answers")(_delay_replies(lambda _: REPLY_DELAY_S))


@variant("purge-takes-long")
def purge_takes_long(behaviour: Behaviour) -> Behaviour:
    waits = iter([FIRST_PURGE_S])

    def seconds(operation: str) -> float:
        return next(waits, FURTHER_PURGES_S) if operation == "purge_events" else 0

    return _delay_replies(seconds)(behaviour)


def _send_in_chunks(pause: float) -> Change:
    """Return the change that sends each body in chunks, without its length and with a pause after each chunk."""

    async def handle_request(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_chunks(message: Message) -> None:
            for chunk in _split_body(message):
                await send(chunk)
                if pause and chunk.get("more_body"):
                    await asyncio.sleep(pause)

        await app(scope, receive, send_chunks)

    return wrap_app_with(handle_request)


def _split_body(message: Message) -> Iterator[Message]:
    if message["type"] == "http.response.start":
        yield {**message, "headers": [pair for pair in message["headers"] if pair[0] != b"content-length"]}
        return
    body = message.get("body", b"")
    size = max(1, -(-len(body) // CHUNK_COUNT))
    for begin in range(0, len(body), size):
        yield {**message, "body": body[begin : begin + size], "more_body": True}
    yield {**message, "body": b"", "more_body": False}


def _rewrite_bytes(rewrite: Callable[[bytes], bytes]) -> Change:
    """Return the change that rewrites the bytes of every response."""

    async def handle_request(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        scope["wire"].rewrite = rewrite
        await app(scope, receive, send)

    return wrap_app_with(handle_request)


def _add_chunk_extensions(data: bytes) -> bytes:
    if data == b"0\r\n\r\n":
        return b"0;last\r\nx-checksum: 0\r\n\r\n"
    return data if data.startswith(b"HTTP/") else re.sub(rb"^([0-9a-fA-F]+)\r\n", rb'\1;piece="yes"\r\n', data)


def _as_http_1_0(data: bytes) -> bytes:
    return RESPONSE_HEAD.sub(lambda head: re.sub(rb"content-length: \d+\r\n", b"", b"HTTP/1.0" + head[0][8:]), data)


def _drop_reason_phrase(data: bytes) -> bytes:
    return RESPONSE_HEAD.sub(rb"HTTP/1.1 \1 \r\n\3\r\n", data)


def _upper_case_headers(data: bytes) -> bytes:
    return RESPONSE_HEAD.sub(lambda head: re.sub(rb"\r\n([^:\r]+): *([^\r]*)", _upper_case_header, head[0]), data)


def _upper_case_header(line: re.Match[bytes]) -> bytes:
    return b"\r\n" + line[1].upper() + b": \t " + line[2] + b" \t"


variant("chunked")(_send_in_chunks(0))
variant("chunks-drip")(_send_in_chunks(CHUNK_PAUSE_S))
variant("chunks-with-extensions")(combine(_send_in_chunks(0), _rewrite_bytes(_add_chunk_extensions)))
variant("http-1.0")(combine(add_headers({"connection": "close"}), _rewrite_bytes(_as_http_1_0)))
variant("no-reason-phrases")(_rewrite_bytes(_drop_reason_phrase))
variant("headers-in-capitals")(_rewrite_bytes(_upper_case_headers))


@variant("interim-answers")
@wrap_app_with
async def interim_answers(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    for interim in INTERIM_RESPONSES:
        scope["wire"].write(interim)
    await app(scope, receive, send)


@variant("hangs-up")
@wrap_app_with
async def hangs_up(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
    scope["wire"].close()


@variant("closes-idle-connections")
@wrap_app_with
async def closes_idle_connections(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["wire"].request_count < REQUESTS_PER_CONNECTION:
        await app(scope, receive, send)
        return
    scope["wire"].close()
    await asyncio.sleep(0)  # so that the protocol notices the end and does not expect a response


@variant("cuts-answers-off-at-times")
def cuts_answers_off_at_times(behaviour: Behaviour) -> Behaviour:
    reads = count(1)

    @wrap_app_with
    async def cut_some_reads(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        wire = scope["wire"]
        is_cut = scope["method"] == "GET" and next(reads) % READS_PER_CUT == 0
        original = wire.rewrite
        wire.rewrite = (lambda data: original(data) if data.startswith(b"HTTP/") else b"") if is_cut else original
        await app(scope, receive, send)
        wire.rewrite = original
        if is_cut:
            wire.close()

    return cut_some_reads(behaviour)


@variant("one-purge-answer-lost")
def one_purge_answer_lost(behaviour: Behaviour) -> Behaviour:
    purges = count(1)

    @wrap_operations("purge_events")
    def mark_one(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return marked(reply) if next(purges) == LOST_PURGE else reply

    return combine(mark_one, withholding_marked)(behaviour)


@variant("rejections-close-connections")
@wrap_app_with
async def rejections_close_connections(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def send_and_close(message: Message) -> None:
        is_rejection = message.get("status") in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        headers = [*message["headers"], (b"connection", b"close")] if is_rejection else message.get("headers")
        await send({**message, "headers": headers} if is_rejection else message)

    await app(scope, receive, send_and_close)
