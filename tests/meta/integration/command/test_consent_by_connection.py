"""Consent is decided by the machine that is connected to."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from meta.support.proxy import serve_proxy
from meta.support.remote import remote_address
from meta.support.stub import serve_stub
from purge_conformance.client.connection import SEND_ERRORS, Connection
from purge_conformance.config.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.proxy import Proxy
    from meta.support.stub import StubServer

    Command = Callable[..., CommandResult]

__all__ = ["remote_address"]
CLEAN = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
TOKEN = "--token=admin=env:ADMIN_SECRET"  # noqa: S105 -- the name of a variable


@pytest.fixture
def remote_proxy(remote_address: str) -> Iterator[Proxy]:
    """A forwarding proxy that is reached at an address of another machine."""
    with serve_proxy(remote_address) as proxy:
        yield proxy


@pytest.mark.parametrize("way", ["flag", "variable", "file"])
def test_remote_proxy_needs_consent(
    way: str, command: Command, remote_proxy: Proxy, stub_server: StubServer, tmp_path: Path
) -> None:
    """However a proxy on another machine is given: a loopback URL behind it is not purged without its host's name."""
    url = f"http://{remote_proxy.address}"
    file = tmp_path / "settings.yaml"
    file.write_text(f"proxy: {url}\n" if way == "file" else "timeout: 5\n", encoding="utf-8")
    environ = CLEAN | {"ADMIN_SECRET": "opaque"} | ({"PURGE_CONFORMANCE_PROXY": url} if way == "variable" else {})
    flags = ["--proxy", url] if way == "flag" else []
    words = ["run", stub_server.url, TOKEN, "--config", file, "--out", tmp_path / "out", *flags]
    refused = command(*words, "--allow-purge", "127.0.0.1", folder=tmp_path, env=environ)
    assert (refused.code, remote_proxy.received, stub_server.received) == (2, [], [])
    assert f"{stub_server.url} through the proxy {remote_proxy.address} is another" in refused.stderr
    assert f"--allow-purge {remote_proxy.host}" in refused.stderr
    allowed = command(*words, "--allow-purge", remote_proxy.host, folder=tmp_path, env=environ)
    assert (allowed.code, bool(remote_proxy.received)) == (3, True), allowed.stderr


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_loopback_ignores_general_proxy(
    variable: str, command: Command, remote_proxy: Proxy, stub_server: StubServer, tmp_path: Path
) -> None:
    """The general variables for a proxy do not apply to loopback: the target is connected to, and needs no consent."""
    environ = CLEAN | {"ADMIN_SECRET": "opaque", variable: f"http://{remote_proxy.address}"}
    result = command("run", stub_server.url, TOKEN, "--out", tmp_path / "out", folder=tmp_path, env=environ)
    assert (result.code, remote_proxy.received, bool(stub_server.received)) == (3, [], True)


def test_localhost_must_be_loopback(remote_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the name localhost is another machine in DNS, no request is sent to it."""
    with serve_stub(remote_address) as stub:
        port = int(stub.url.rpartition(":")[2])
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (remote_address, port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        for host in ("localhost", "LocalHost."):
            connection = Connection(f"http://{host}:{port}", Transport())
            request = connection.prepare("GET", "/", {}, b"")
            with pytest.raises(SEND_ERRORS, match="not loopback"), connection.send(request, 5):
                pytest.fail("it responded")
        assert stub.received == []
