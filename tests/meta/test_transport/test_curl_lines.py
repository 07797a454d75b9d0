"""Lines that send a request again reach the target as the run did, by a real curl, and hold no secret."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.client import Client, Request
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Settings, Target
from purge_conformance.config.transport import Transport
from purge_conformance.evidence import curl
from purge_conformance.evidence.journal import NullJournal
from purge_conformance.evidence.records import Header

from .conftest import ENCODED, PASSWORD, QUOTED, a_page

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer

    from .conftest import Authority, Proxy

PATH = f"{EVENTS_PATH}?per_page=1"
LOGIN = f"user:{QUOTED}"


def line_of(url: str, way: Transport) -> str:
    """Return the line of a request that was sent to a target on that way."""
    settings = Settings(Target(url), {"admin": "an-opaque-secret"}, transport=way)
    with NullJournal() as journal:
        client = Client(settings, journal, Guard(settings.limits, read_only=True), lambda *_: None)
        exchange = client.send(Request("GET", PATH, "s"))
    return curl.command(exchange, Header("0", {}, url, {"transport": way.describe(url)}, ""))


def again(line: str, **environment: str) -> str:
    """Run a line in bash, and return what curl said."""
    own = {"ADMIN_TOKEN": "an-opaque-secret"} | environment
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | own, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, (line, done.stderr)
    return done.stdout


@pytest.mark.parametrize("way", [{"ca_bundle": "bundle"}, {"insecure": True}])
def test_line_trusts_the_same(way: dict[str, Any], secure: StubServer, ours: Authority) -> None:
    """The line names the certificates that the run trusted, or that it verified none."""
    given: dict[str, Any] = {name: ours.bundle if name == "ca_bundle" else value for name, value in way.items()}
    line = line_of(secure.url, Transport(**given))
    assert " 200 " in again(line).splitlines()[0]
    assert secure.targets == [PATH, PATH]


@pytest.mark.parametrize("parts", [("client",), ("cert", "key")])
def test_line_shows_the_certificate(
    parts: tuple[str, ...], demanding: StubServer, ours: Authority, tmp_path: Path
) -> None:
    """The line names the suite's own certificate and key, by the paths that were given, odd ones too."""
    files = [tmp_path / f"odd: 'name' $HOME {part}.pem" for part in parts]
    for file, part in zip(files, parts, strict=True):
        shutil.copyfile(getattr(ours, part), file)
    own: dict[str, Any] = dict(zip(("client_cert", "client_key"), map(str, files), strict=False))
    line = line_of(demanding.url, Transport(ca_bundle=ours.bundle, **own))
    assert " 200 " in again(line).splitlines()[0]
    assert demanding.targets == [PATH, PATH]


@pytest.mark.parametrize("tls", [False, True])
def test_line_takes_the_proxy(
    stub_server: StubServer, secure: StubServer, ours: Authority, proxy: Proxy, *, tls: bool
) -> None:
    """The line goes through the run's proxy; user and password stand there as a variable, in the form of the URL."""
    target, stub_server.answer, proxy.password = secure if tls else stub_server, a_page, ENCODED
    way = Transport(ca_bundle=ours.bundle, proxy=f"http://{LOGIN}@127.0.0.1:{proxy.port}")
    line = line_of(target.url, way)
    again(line, PROXY_USER=LOGIN)
    assert [line.split()[:2] for line in proxy.got] == [proxy.got[0].split()[:2]] * 2
    assert target.targets == [PATH, PATH]
    assert [secret for secret in ("user:", PASSWORD, QUOTED, ENCODED) if secret in line] == []


@pytest.mark.parametrize("name", ["user", "user:pass@word/x:1"])
def test_user_of_a_proxy_is_not_shown(name: str) -> None:
    """What stands before the host of a proxy is not shown, however it is spelt."""
    shown = str(Transport(proxy=f"http://{name}@proxy.test:1").describe("http://target.test"))
    assert ("user" in shown, "$PROXY_USER@proxy.test:1" in shown) == (False, True)


def test_line_passes_by_the_environment(stub_server: StubServer, proxy: Proxy) -> None:
    """Where the run took no proxy though the environment names one, curl takes none either."""
    place = f"http://127.0.0.1:{proxy.port}"
    line = line_of(stub_server.url, Transport(proxies={"http": place}))
    again(line, http_proxy=place, no_proxy="", NO_PROXY="")
    assert (proxy.got, stub_server.targets) == ([], [PATH, PATH])


def test_usual_way_is_not_told(stub_server: StubServer) -> None:
    """Where nothing was given, the line has no options for it."""
    assert Transport().describe(stub_server.url) == {}
