"""A forwarding proxy in threads of the test."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from meta.support.stub import StubServer

    Serving = Callable[..., AbstractContextManager[StubServer]]


PASSWORD = "pass word/of-the-proxy"  # noqa: S105 -- nobody's
QUOTED = "pass%20word%2Fof-the-proxy"
ENCODED = "dXNlcjpwYXNzIHdvcmQvb2YtdGhlLXByb3h5"


@dataclass
class Proxy:
    """A forwarding proxy, which may demand a password.

    Attributes:
        port: its port.
        host: its address.
        password: user and password, encoded, or empty.
        received: the request lines, in order.
    """

    port: int
    host: str = "127.0.0.1"
    password: str = ""
    received: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The address and the port."""
        return f"{self.host}:{self.port}"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A forwarding proxy on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Proxy(listening.getsockname()[1])
        Thread(target=_accept, args=(listening, made), daemon=True).start()
        yield made


def _accept(listening: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        Thread(target=_forward, args=(client, proxy), daemon=True).start()


def _forward(client: socket.socket, proxy: Proxy) -> None:
    """Forward one connection: by CONNECT as it is, else each request with its path alone."""
    with client, client.makefile("rb") as reader:
        head = _head(reader)
        method, place, _ = head[0].split(b" ", 2) if head else (b"", b"", b"")
        proxy.received.append(head[0].decode().strip() if head else "")
        authorized = not proxy.password or any(line.strip().endswith(proxy.password.encode()) for line in head[1:])
        if not authorized:
            client.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        host, port = (place if method == b"CONNECT" else place.split(b"/", 3)[2]).decode().rsplit(":", 1)
        with socket.create_connection((host, int(port))) as target:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
            else:
                path = b"/" + place.split(b"/", 3)[3]
                lines = [line for line in head[1:] if not line.lower().startswith((b"connection:", b"proxy-"))]
                lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
                target.sendall(b" ".join([method, path, b"HTTP/1.1\r\n"]) + b"Connection: close\r\n" + b"".join(lines))
                target.sendall(reader.read(sum(lengths)))
            back = Thread(target=_pump, args=(target, client), daemon=True)
            back.start()
            if method == b"CONNECT":
                _pump(client, target)
            back.join(30)


def _head(reader: Any) -> list[bytes]:  # noqa: ANN401 -- a file
    lines: list[bytes] = []
    for line in iter(reader.readline, b""):
        lines.append(line)
        if line in {b"\r\n", b"\n"}:
            break
    return lines


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def serve_proxy(host: str = "127.0.0.1") -> Iterator[Proxy]:
    """Serve a forwarding proxy on a free port of an address of this machine."""
    with socket.create_server((host, 0)) as listening:
        proxy = Proxy(listening.getsockname()[1], host)
        Thread(target=_accept, args=(listening, proxy), daemon=True).start()
        yield proxy
