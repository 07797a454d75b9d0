"""A stub server whose answers a test sets and whose requests it counts."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping


@dataclass
class StubServer:
    """A server whose responses a test sets.

    Attributes:
        url: its address.
        answer: writes one response; the default is `respond(handler)`.
        received: the request line and the headers of each request, in order; a comma joins repeated ones.
        bodies: the body of each request, in order.
    """

    url: str
    answer: Callable[[BaseHTTPRequestHandler], None] = field(default=lambda handler: StubServer.respond(handler))  # noqa: PLW0108
    received: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @staticmethod
    def respond(handler: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        """Write a complete response; `_` in a header's name stands for `-`."""
        handler.send_response(status)
        for name, value in {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(b"" if handler.command == "HEAD" else body)

    @property
    def targets(self) -> list[str]:
        """The path of each request, as it was on the wire."""
        return [line.split(" ")[1] for line, _ in self.received]

    @property
    def name(self) -> str:
        """The name in the last body that has one: of what was created last."""
        names = [json.loads(body).get("name") for body in self.bodies if b'"name"' in body]
        return str(names[-1]) if names else ""

    @property
    def purges(self) -> int:
        """The number of purges that the server received."""
        return sum(line.startswith(f"POST {PURGE_PATH} ") for line, _ in self.received)


@contextmanager
def serve_stub(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[StubServer]:
    """Serve a stub at that address in threads of its own, and with TLS if there is a context."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or the client's machine waits for the second
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            stub.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            headers = {name: ", ".join(self.headers.get_all(name, ())) for name in self.headers}
            stub.received.append((self.requestline, headers))
            stub.answer(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 -- its names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hang up are meant to
        stub = StubServer(f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{server.server_port}")
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield stub
        finally:
            server.shutdown()
