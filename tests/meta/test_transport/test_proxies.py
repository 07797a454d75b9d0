"""Proxies: forwarded, tunnelled, with a password that nobody sees, and from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli import main

from .conftest import ADMIN, ENCODED, PASSWORD, QUOTED, SECRET, a_page, found, problem, statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

    from .conftest import Authority, Proxy


def test_plain_requests_pass_a_proxy(stub_server: StubServer, proxy: Proxy) -> None:
    """A request without TLS is sent to the proxy with the whole URL, its path as it was written."""
    stub_server.answer = a_page
    assert statuses(found(f"{stub_server.url}/a/../b//c%7E", proxy=f"http://127.0.0.1:{proxy.port}")) == {"ok"}
    assert f"GET {stub_server.url}/a/../b//c%7E{EVENTS_PATH}?per_page=1 HTTP/1.1" in proxy.got
    assert f"/a/../b//c%7E{EVENTS_PATH}?per_page=1" in stub_server.targets


def test_tls_passes_a_proxy(secure: StubServer, ours: Authority, proxy: Proxy) -> None:
    """A request with TLS passes through a tunnel, so that the proxy sees no token, and the target is verified."""
    way = {"ca_bundle": ours.bundle, "proxy": f"http://127.0.0.1:{proxy.port}"}
    assert statuses(found(secure.url, **way)) == {"ok"}
    assert {line.split()[0] for line in proxy.got} == {"CONNECT"}
    cure, _ = problem(found(secure.url, proxy=way["proxy"]))
    assert "--ca-bundle" in cure


@pytest.mark.parametrize("tls", [False, True])
def test_proxy_has_its_password(
    stub_server: StubServer, secure: StubServer, ours: Authority, proxy: Proxy, *, tls: bool
) -> None:
    """A proxy gets the user and the password that its URL has; without it, or with another, it lets nothing through."""
    stub_server.answer, proxy.password = a_page, ENCODED
    url = secure.url if tls else stub_server.url
    for login, well in ((f"user:{QUOTED}@", True), ("user:another-one@", False), ("", False)):
        checks = found(url, ca_bundle=ours.bundle, proxy=f"http://{login}127.0.0.1:{proxy.port}")
        assert (statuses(checks) == {"ok"}) is well, checks
        if not well:
            assert "--proxy" in " ".join(check.next_step for check in checks.values())
    assert ENCODED not in str(stub_server.received + secure.received)


def test_password_is_never_seen(
    stub_server: StubServer, proxy: Proxy, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """Neither what a run writes nor what it prints holds a proxy's password, even where the target sends it back."""

    def echo(handler: Any) -> None:  # noqa: ANN401 -- a handler
        stub_server.respond(handler, body=f'{{"resources": [], "x": "{PASSWORD} {QUOTED} {ENCODED}"}}'.encode())

    stub_server.answer, proxy.password = echo, ENCODED
    environ = os.environ | SECRET | {"PURGE_CONFORMANCE_PROXY": f"http://user:{QUOTED}@127.0.0.1:{proxy.port}"}
    asked = ("run", stub_server.url, ADMIN, "--verbose", "--select=ROUTE-01", "--max-requests=60", "--max-purges=0")
    done = command(*asked, "--out", tmp_path, folder=tmp_path, env=environ)
    assert proxy.got != []
    texts = [path.read_text("utf-8", "replace") for path in tmp_path.iterdir()] + [done.stdout, done.stderr]
    assert [secret for text in texts for secret in (PASSWORD, QUOTED, ENCODED) if secret in text] == []


def test_lost_proxy_is_told(stub_server: StubServer) -> None:
    """A proxy that is not there is a problem whose cure names it, without its password."""
    checks = found(stub_server.url, proxy=f"http://user:{QUOTED}@127.0.0.1:1")
    assert "--proxy" in problem(checks)[0]
    assert QUOTED not in str(checks)
    assert PASSWORD not in str(checks)


def test_environment_names_proxies(stub_server: StubServer, proxy: Proxy) -> None:
    """Without --proxy HTTP_PROXY is used, but for what NO_PROXY names, and never for this machine."""
    stub_server.answer = a_page
    other = stub_server.url.replace("127.0.0.1", "127.1")  # reaches this machine, and is not known to
    environ = SECRET | {
        "http_proxy": f"http://127.0.0.1:{proxy.port}",
        "HTTP_PROXY": "",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    seen = []
    for url, no_proxy in ((other, ""), (other, "127.1"), (stub_server.url, "")):
        proxy.got.clear()
        done = CliRunner().invoke(main, ["doctor", url, ADMIN], env=environ | {"no_proxy": no_proxy})
        assert done.exit_code == 0, done.output
        seen.append(bool(proxy.got))
    assert seen == [True, False, False]


def test_secret_of_proxy_stands_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's password in the configuration file is refused with the cure, and not repeated."""
    monkeypatch.chdir(tmp_path)
    Path("purge-conformance.yaml").write_text(f"proxy: http://user:{QUOTED}@proxy:1\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["doctor", "http://127.0.0.1:1", ADMIN], env=SECRET)
    assert (done.exit_code, "PURGE_CONFORMANCE_PROXY" in done.output, QUOTED in done.output) == (2, True, False)
