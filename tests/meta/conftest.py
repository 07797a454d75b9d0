"""Fixtures of the unit and the integration tests; none of them starts a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.client import clients_of
from meta.support.story import EvidenceBuilder
from meta.support.stub import StubServer, serve_stub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

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
