"""Consent, as the commands ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import ADMIN as ADMIN_TOKEN
from meta.support.api_stub import Api
from meta.support.invoke import ADMIN, invoke
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.build import build_settings
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.proxy import Proxy
    from meta.support.stub import StubServer

REMOTE_ROOT = {"links": {"cloud_controller_v3": {"href": "https://api.example.org/v3"}}}


@pytest.fixture
def tunnel(stub_server: StubServer) -> StubServer:
    """A stub on loopback whose root document links to another machine."""
    stub_server.answer = Api(root=REMOTE_ROOT)
    return stub_server


def test_tunnel_needs_consent(tunnel: StubServer, tmp_path: Path) -> None:
    """A run against a tunnel names the host that it leads to, after one request, which has no token."""
    result = invoke("run", tunnel.url, ADMIN, "--allow-purge=127.0.0.1", "--out", str(tmp_path / "out"))
    assert (result.exit_code, tunnel.targets) == (2, ["/"])
    assert "Authorization" not in tunnel.received[0][1]
    assert f"{tunnel.url} stands for another machine: its root document links to api.example.org" in result.stderr
    assert "--allow-purge api.example.org" in result.stderr
    assert not (tmp_path / "out").exists()


def test_plan_names_consent(tunnel: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` says which consent a run needs, and why."""
    monkeypatch.setenv("JWT", ADMIN_TOKEN)
    result = invoke("plan", tunnel.url, "--token=admin=env:JWT")
    assert result.exit_code == 0, result.output
    assert "It needs your consent: --allow-purge api.example.org\n" in result.output
    assert "its root document links to api.example.org" in result.output
    tunnel.answer = Api()
    assert "consent" not in invoke("plan", tunnel.url, "--token=admin=env:JWT").output


def test_doctor_names_consent(tunnel: StubServer) -> None:
    """`doctor` says which consent a run needs."""
    assert "--allow-purge api.example.org" in " ".join(invoke("doctor", tunnel.url, ADMIN).output.split())
    tunnel.answer = Api()
    assert "a run needs none" in invoke("doctor", tunnel.url, ADMIN).output


def test_judged_proxy_is_used(stub_server: StubServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy that consent was judged by is the one that is used, even if the environment changes meanwhile."""
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    url = stub_server.url.replace("127.0.0.1", "127.1")  # a general proxy does not apply to loopback
    settings = build_settings({"target": url}, {"admin": "opaque"})
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with unrecorded_client(settings) as client:
        assert client.get("/", Step.ROOT, credential=ANONYMOUS).status == 200
    assert len(proxy.received) == 1
