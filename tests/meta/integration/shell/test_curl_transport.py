"""A curl line reaches the target with the run's transport, and contains no secret."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.proxy import ENCODED, PASSWORD, QUOTED
from meta.support.tls import respond_with_page
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.client import Client, Request
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Settings, Target
from purge_conformance.config.transport import Transport
from purge_conformance.evidence import curl
from purge_conformance.evidence.journal import NullJournal
from purge_conformance.evidence.records import Header
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.proxy import Proxy
    from meta.support.stub import StubServer
    from meta.support.tls import Authority


PATH = f"{EVENTS_PATH}?per_page=1"
LOGIN = f"user:{QUOTED}"


def curl_line(url: str, way: Transport) -> str:
    """Return the curl line of a request with that transport."""
    settings = Settings(Target(url), {"admin": "an-opaque-secret"}, transport=way)
    with NullJournal() as journal:
        client = Client(settings, journal, Guard(settings.limits, read_only=True), lambda *_: None)
        exchange = client.send(Request("GET", PATH, Step.LIST))
    return curl.command(exchange, Header("0", {}, url, {"transport": way.describe(url)}, ""))


def run_in_shell(line: str, **environment: str) -> str:
    """Run a line in bash, and return the output of curl."""
    own = {"ADMIN_TOKEN": "an-opaque-secret"} | environment
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | own, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, (line, done.stderr)
    return done.stdout


@pytest.mark.parametrize("way", [{"ca_bundle": "bundle"}, {"insecure": True}])
def test_curl_uses_same_certificates(way: dict[str, Any], tls_stub: StubServer, trusted_authority: Authority) -> None:
    """The line names the run's certificates, or --insecure."""
    given: dict[str, Any] = {
        name: trusted_authority.bundle if name == "ca_bundle" else value for name, value in way.items()
    }
    line = curl_line(tls_stub.url, Transport(**given))
    assert " 200 " in run_in_shell(line).splitlines()[0]
    assert tls_stub.targets == [PATH, PATH]


@pytest.mark.parametrize("parts", [("client",), ("cert", "key")])
def test_curl_uses_client_certificate(
    parts: tuple[str, ...], mutual_tls_stub: StubServer, trusted_authority: Authority, tmp_path: Path
) -> None:
    """The line names client certificate and key by their paths, unusual ones too."""
    files = [tmp_path / f"special: 'name' $HOME {part}.pem" for part in parts]
    for file, part in zip(files, parts, strict=True):
        shutil.copyfile(getattr(trusted_authority, part), file)
    own: dict[str, Any] = dict(zip(("client_cert", "client_key"), map(str, files), strict=False))
    line = curl_line(mutual_tls_stub.url, Transport(ca_bundle=trusted_authority.bundle, **own))
    assert " 200 " in run_in_shell(line).splitlines()[0]
    assert mutual_tls_stub.targets == [PATH, PATH]


@pytest.mark.parametrize("tls", [False, True])
def test_curl_uses_proxy(
    stub_server: StubServer, tls_stub: StubServer, trusted_authority: Authority, proxy: Proxy, *, tls: bool
) -> None:
    """The line uses the run's proxy; user and password are a variable."""
    target, stub_server.answer, proxy.password = tls_stub if tls else stub_server, respond_with_page, ENCODED
    way = Transport(ca_bundle=trusted_authority.bundle, proxy=f"http://{LOGIN}@127.0.0.1:{proxy.port}")
    line = curl_line(target.url, way)
    run_in_shell(line, PROXY_USER=LOGIN)
    assert [line.split()[:2] for line in proxy.received] == [proxy.received[0].split()[:2]] * 2
    assert target.targets == [PATH, PATH]
    assert [secret for secret in ("user:", PASSWORD, QUOTED, ENCODED) if secret in line] == []


def test_curl_ignores_environment_proxy(stub_server: StubServer, proxy: Proxy) -> None:
    """If the run ignores the proxy of the environment, curl does too."""
    place = f"http://127.0.0.1:{proxy.port}"
    line = curl_line(stub_server.url, Transport(proxies={"http": place}))
    run_in_shell(line, http_proxy=place, no_proxy="", NO_PROXY="")
    assert (proxy.received, stub_server.targets) == ([], [PATH, PATH])
