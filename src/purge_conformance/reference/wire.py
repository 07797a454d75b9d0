"""The wire below the application: a connection whose bytes a variant may rewrite, add to, or cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from purge_conformance.reference.asgi import Receive, Scope, Send


RESPONSE_HEAD = re.compile(rb"HTTP/1\.1 [2-5]")  # of an answer; interim ones are not kept waiting


class Wire:
    """A transport that passes on what is written, as `rewrite` has it; an application finds it as `scope["wire"]`.

    Attributes:
        rewrite: takes the bytes of one write to those that are sent; heads and bodies come in writes of their own.
        answers: how many requests on this connection were handed to the application before.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Begin as the transport itself."""
        self._transport = transport
        self._buffer = b""
        self.rewrite: Callable[[bytes], bytes] = bytes
        self.request_count = 0

    def write(self, data: bytes) -> None:
        """Send bytes of an answer; its head waits for what follows, since each sending costs."""
        self._buffer += self.rewrite(data)
        if not RESPONSE_HEAD.match(data):
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._buffer:
            self._transport.write(self._buffer)
            self._buffer = b""

    def close(self) -> None:
        """Close the transport, once everything is sent."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a transport does
        """Do everything else as the transport."""
        return getattr(self._transport, name)


class WireProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, over a wire that the application can reach."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Put the wire between the protocol and the transport."""
        wire, app = Wire(transport), self.app

        async def app_with_wire(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "wire": wire}, receive, send)
            wire.flush()  # a head that nothing follows
            wire.request_count += 1

        self.app = app_with_wire
        super().connection_made(wire)  # type: ignore[arg-type] # it is one in all that matters
