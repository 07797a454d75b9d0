"""Servers on the way to a target: TLS of a throw-away authority, one that demands a certificate, a proxy."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.config.transport import Transport
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.target.doctor import Check

    Serving = Callable[..., AbstractContextManager[StubServer]]

PASSWORD = "pass word/of-the-proxy"  # noqa: S105 -- nobody's
QUOTED = "pass%20word%2Fof-the-proxy"
ENCODED = "dXNlcjpwYXNzIHdvcmQvb2YtdGhlLXByb3h5"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
ADMIN = "--token=admin=env:ADMIN_SECRET"


@dataclass(frozen=True)
class Authority:
    """A throw-away authority, and what it signed.

    Attributes:
        ca: it.
        bundle: file of its certificate.
        client: file of a client's certificate and key.
        cert: file of that certificate alone.
        key: file of that key alone.
    """

    ca: trustme.CA
    bundle: str
    client: str
    cert: str
    key: str


def authority(folder: Path) -> Authority:
    """Return an authority whose files are in a new folder."""
    folder.mkdir()
    ca, names = trustme.CA(), ("ca", "client", "cert", "key")
    files = {name: folder / f"{name}.pem" for name in names}
    client = ca.issue_cert("suite@example.org")
    files["ca"].write_bytes(ca.cert_pem.bytes())
    files["client"].write_bytes(client.private_key_and_cert_chain_pem.bytes())
    files["cert"].write_bytes(client.cert_chain_pems[0].bytes())
    files["key"].write_bytes(client.private_key_pem.bytes())
    return Authority(ca, *(str(files[name]) for name in names))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signed the stub's certificate, and that the stub asks of a client."""
    return authority(tmp_path_factory.mktemp("ours") / "files")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, which nobody trusts."""
    return authority(tmp_path_factory.mktemp("theirs") / "files")


def context(ours: Authority, *names: str, demands: bool = False) -> ssl.SSLContext:
    """Return how a server of these names speaks TLS, and whether it demands a client's certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.ca.issue_cert(*names).configure_cert(made)
    if demands:
        ours.ca.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
        made.maximum_version = (
            ssl.TLSVersion.TLSv1_2
        )  # 1.3 refuses after the request, and may be cut off before it says so
    return made


@pytest.fixture
def secure(ours: Authority, stub_factory: Serving) -> Iterator[StubServer]:
    """A stub that speaks TLS with a certificate of 127.0.0.1 and localhost."""
    with stub_factory(tls=context(ours, "127.0.0.1", "localhost")) as made:
        made.answer = a_page
        yield made


@pytest.fixture
def demanding(ours: Authority, stub_factory: Serving) -> Iterator[StubServer]:
    """A stub that speaks TLS, and only with whom it knows."""
    with stub_factory(tls=context(ours, "127.0.0.1", demands=True)) as made:
        made.answer = a_page
        yield made


def a_page(handler: Any) -> None:  # noqa: ANN401 -- a handler
    """Answer as an API does, whatever is asked for."""
    links = b'"links": {"app_usage_events": {}}'
    type(handler).server_version = "stub"
    body = b'{%s, "pagination": {"total_results": 0}, "resources": []}' % links
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def found(url: str, **way: Any) -> dict[str, Check]:  # noqa: ANN401 -- the parts of a transport
    """Return what the doctor finds on that way, by name."""
    settings = Settings(
        Target(url), {"admin": "an-opaque-secret"}, transport=Transport(**way), limits=Limits(timeout=9)
    )
    return {check.name: check for check in run_checks(settings)}


def statuses(checks: dict[str, Check]) -> set[str]:
    """Return how well all is."""
    return {str(check.status) for check in checks.values()}


def problem(checks: dict[str, Check]) -> tuple[str, str]:
    """Return the cure of a target that could not be reached, and the blame."""
    check = checks["reachable"]
    assert (str(check.status), check.is_fatal) == ("problem", True)
    return check.next_step, check.cause


@dataclass
class Proxy:
    """A forwarding proxy: it lets through whoever has the password, or everybody where there is none.

    Attributes:
        port: where it is.
        password: user and password, encoded, or empty.
        got: request lines, as they came.
    """

    port: int
    password: str = ""
    got: list[str] = field(default_factory=list)


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
        proxy.got.append(head[0].decode().strip() if head else "")
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
                target.sendall(b" ".join([method, path, b"HTTP/1.1\r\n"]) + b"Connection: close\r\n" + b"".join(lines))
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
