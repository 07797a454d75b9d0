"""Fixtures of the unit and the integration tests; none of them starts a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.cf_program import write_login
from meta.support.client import clients_of
from meta.support.proxy import serve_proxy
from meta.support.story import EvidenceBuilder
from meta.support.stub import StubServer, serve_stub
from meta.support.tls import Authority, make_authority, respond_with_page, tls_context
from meta.support.uaa import UaaStub, serve_uaa, via_root_document
from purge_conformance.client.auth.token_request import token_requester
from purge_conformance.client.auth.uaa import Uaa
from purge_conformance.config.settings import parse_target
from purge_conformance.config.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from meta.support.proxy import Proxy
    from purge_conformance.client.auth.cf_cli import CfCli
    from purge_conformance.client.client import Client


@pytest.fixture
def builder() -> EvidenceBuilder:
    """Evidence without an exchange, to which a test adds what it needs."""
    return EvidenceBuilder()


@pytest.fixture(scope="session")
def stub_factory() -> Callable[..., AbstractContextManager[StubServer]]:
    """The function that serves further stubs: `serve_stub`."""
    return serve_stub


@pytest.fixture
def stub_server() -> Iterator[StubServer]:
    """A stub server on a free loopback port, which answers every request with 200 and `{}`."""
    with serve_stub() as stub:
        yield stub


@pytest.fixture
def second_stub_server() -> Iterator[StubServer]:
    """A second stub server."""
    with serve_stub() as stub:
        yield stub


@pytest.fixture
def make_client(stub_server: StubServer, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """The function that makes a client of the stub; keyword arguments are those of `Limits`, `tokens` and `on_send`."""
    with clients_of(stub_server.url, tmp_path) as make:
        yield make


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working folder of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trusted_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of the stub's certificate, which the stub also demands of a client."""
    return make_authority(tmp_path_factory.mktemp("trusted") / "files")


@pytest.fixture(scope="module")
def untrusted_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, which neither side trusts."""
    return make_authority(tmp_path_factory.mktemp("untrusted") / "files")


@pytest.fixture
def tls_stub(trusted_authority: Authority) -> Iterator[StubServer]:
    """A stub that speaks TLS with a certificate of 127.0.0.1 and localhost."""
    with serve_stub(tls=tls_context(trusted_authority, "127.0.0.1", "localhost")) as stub:
        stub.answer = respond_with_page
        yield stub


@pytest.fixture
def mutual_tls_stub(trusted_authority: Authority) -> Iterator[StubServer]:
    """A stub that speaks TLS, and demands a client certificate."""
    with serve_stub(tls=tls_context(trusted_authority, "127.0.0.1", demands=True)) as stub:
        stub.answer = respond_with_page
        yield stub


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A forwarding proxy on a free loopback port."""
    with serve_proxy() as proxy:
        yield proxy


@pytest.fixture
def uaa_stub() -> Iterator[UaaStub]:
    """A server that issues tokens."""
    with serve_uaa() as stub:
        yield stub


@pytest.fixture
def uaa(uaa_stub: UaaStub) -> Uaa:
    """The client of that server, where the target names it."""
    ask = via_root_document(uaa_stub.url, token_requester(Transport(), 5.0))
    return Uaa(parse_target("http://127.0.0.1:1"), ask)


@pytest.fixture
def login(uaa_stub: UaaStub, uaa: Uaa, tmp_path: Path) -> Callable[..., CfCli]:
    """The function that writes a login of the cf CLI, and returns the source that reads it."""
    return lambda **changes: write_login(tmp_path, uaa.target, uaa_stub.url, **changes)
