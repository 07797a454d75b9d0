"""The part of ASGI that the server needs: reading a request and sending a reply."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purge_conformance.reference.behaviour import Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

STATUSES_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
# One encoder for all replies: json.dumps with options creates one per call.
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


async def read_body(receive: Receive) -> bytes | None:
    """Read the body of a request; None if the client disconnects before its end."""
    body, more_body = b"", True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more_body = message.get("more_body", False)
    return body


def read_headers(scope: Scope) -> Mapping[str, str]:
    """Return the headers of a request by lower-case name; the first of repeated headers counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def read_repeated(scope: Scope, name: str) -> tuple[str, ...]:
    """Return the values of a header, in the order of its lines; the name is in lower case."""
    wanted = name.encode("latin-1")
    return tuple(value.decode("latin-1") for key, value in scope["headers"] if key == wanted)


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a reply with Content-Length and Content-Type, unless its headers contain them."""
    body = _encode_body(reply)
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    header_names = {name for name, _ in headers}
    if reply.status not in STATUSES_WITHOUT_BODY and b"content-length" not in header_names:
        headers.append((b"content-length", b"%d" % len(body)))
    if reply.content_type is not None and b"content-type" not in header_names:
        headers.append((b"content-type", reply.content_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _encode_body(reply: Reply) -> bytes:
    body = "" if reply.body is None else reply.body
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else _encode_json(body)).encode()
