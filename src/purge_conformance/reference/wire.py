"""The connection below the application: a variant can rewrite, add or drop bytes, and close it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from purge_conformance.reference.asgi import Receive, Scope, Send


RESPONSE_HEAD = re.compile(rb"HTTP/1\.1 [2-5]")  # of a final response; interim responses are sent at once


class Wire:
    """A transport that rewrites what is written to it; the application finds it as `scope["wire"]`.

    Attributes:
        rewrite: maps the bytes of one write to those that are sent; heads and bodies are separate writes.
        request_count: how many requests on this connection the application has answered.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Start without rewriting."""
        self._transport = transport
        self._buffer = b""
        self.rewrite: Callable[[bytes], bytes] = bytes
        self.request_count = 0

    def write(self, data: bytes) -> None:
        """Send bytes of a response; its head is buffered and sent together with the next bytes, for speed."""
        self._buffer += self.rewrite(data)
        if not RESPONSE_HEAD.match(data):
            self.flush()

    def flush(self) -> None:
        """Send the buffered bytes."""
        if self._buffer:
            self._transport.write(self._buffer)
            self._buffer = b""

    def close(self) -> None:
        """Send the buffered bytes and close the transport."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a transport
        """Delegate everything else to the transport."""
        return getattr(self._transport, name)


class WireProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a `Wire` that the application can access."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own signature
        """Insert the `Wire` between the protocol and the transport."""
        wire, app = Wire(transport), self.app

        async def app_with_wire(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "wire": wire}, receive, send)
            wire.flush()  # the head of a response without a body
            wire.request_count += 1

        self.app = app_with_wire
        super().connection_made(wire)  # type: ignore[arg-type] # it delegates to a transport
