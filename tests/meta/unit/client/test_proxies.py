"""Proxies: plain and TLS requests, passwords, and the variables of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from meta.support.invoke import ADMIN, SECRET
from meta.support.proxy import ENCODED, PASSWORD, QUOTED
from meta.support.tls import respond_with_page
from meta.support.transport_doctor import problem, run_doctor, statuses
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli.group import main

if TYPE_CHECKING:
    from meta.support.proxy import Proxy
    from meta.support.stub import StubServer
    from meta.support.tls import Authority


def test_http_uses_proxy(stub_server: StubServer, proxy: Proxy) -> None:
    """A plain HTTP request is sent to the proxy with the whole URL, whose path is unchanged."""
    stub_server.answer = respond_with_page
    assert statuses(run_doctor(f"{stub_server.url}/a/../b//c%7E", proxy=f"http://127.0.0.1:{proxy.port}")) == {"ok"}
    assert f"GET {stub_server.url}/a/../b//c%7E{EVENTS_PATH}?per_page=1 HTTP/1.1" in proxy.received
    assert f"/a/../b//c%7E{EVENTS_PATH}?per_page=1" in stub_server.targets


def test_tls_tunnels_through_proxy(tls_stub: StubServer, trusted_authority: Authority, proxy: Proxy) -> None:
    """A TLS request is tunnelled: the proxy sees no token, and the client verifies the target."""
    way = {"ca_bundle": trusted_authority.bundle, "proxy": f"http://127.0.0.1:{proxy.port}"}
    assert statuses(run_doctor(tls_stub.url, **way)) == {"ok"}
    assert {line.split()[0] for line in proxy.received} == {"CONNECT"}
    next_step, _ = problem(run_doctor(tls_stub.url, proxy=way["proxy"]))
    assert "--ca-bundle" in next_step


@pytest.mark.parametrize("tls", [False, True])
def test_proxy_receives_password(
    stub_server: StubServer, tls_stub: StubServer, trusted_authority: Authority, proxy: Proxy, *, tls: bool
) -> None:
    """A proxy receives the user and the password of its URL; it rejects requests without them."""
    stub_server.answer, proxy.password = respond_with_page, ENCODED
    url = tls_stub.url if tls else stub_server.url
    for login, well in ((f"user:{QUOTED}@", True), ("user:another-one@", False), ("", False)):
        checks = run_doctor(url, ca_bundle=trusted_authority.bundle, proxy=f"http://{login}127.0.0.1:{proxy.port}")
        assert (statuses(checks) == {"ok"}) is well, checks
        if not well:
            assert "--proxy" in " ".join(check.next_step for check in checks.values())
    assert ENCODED not in str(stub_server.received + tls_stub.received)


def test_missing_proxy_is_reported(stub_server: StubServer) -> None:
    """A proxy that does not exist is a problem; the next step names --proxy and hides the password."""
    checks = run_doctor(stub_server.url, proxy=f"http://user:{QUOTED}@127.0.0.1:1")
    assert "--proxy" in problem(checks)[0]
    assert QUOTED not in str(checks)
    assert PASSWORD not in str(checks)


def test_environment_names_proxies(stub_server: StubServer, proxy: Proxy) -> None:
    """Without --proxy the client uses HTTP_PROXY, except for the hosts in NO_PROXY and for loopback."""
    stub_server.answer = respond_with_page
    other = stub_server.url.replace("127.0.0.1", "127.1")  # reaches this machine, and is not known to
    environ = SECRET | {
        "http_proxy": f"http://127.0.0.1:{proxy.port}",
        "HTTP_PROXY": "",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    seen = []
    for url, no_proxy in ((other, ""), (other, "127.1"), (stub_server.url, "")):
        proxy.received.clear()
        done = CliRunner().invoke(main, ["doctor", url, ADMIN], env=environ | {"no_proxy": no_proxy})
        assert done.exit_code == 0, done.output
        seen.append(bool(proxy.received))
    assert seen == [True, False, False]
