"""A client for commands that are not a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import Settings, parse_target
from purge_conformance.errors import BudgetExhausted, WriteBlocked
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from meta.support.stub import StubServer
    from purge_conformance.evidence.records import Exchange


def test_client_only_reads(stub_server: StubServer) -> None:
    """By default a request that could change something is blocked; `on_exchange` gets every exchange."""
    settings = Settings(parse_target(stub_server.url), {"admin": "opaque"})
    exchanges: list[Exchange] = []
    with unrecorded_client(settings, on_exchange=exchanges.append) as client:
        client.get("/v3/apps", Step.APPS)
        with pytest.raises(WriteBlocked):
            client.delete("/v3/apps/a", Step.DELETE)
    assert [exchange.path for exchange in exchanges] == ["/v3/apps"]


def test_client_may_change() -> None:
    """With `read_only=False` the guard lets changes pass."""
    settings = Settings(parse_target("http://localhost"), {"admin": "opaque"})
    with unrecorded_client(settings, read_only=False) as client:
        assert client.guard.allows("DELETE")


def test_requests_are_limited(stub_server: StubServer) -> None:
    """`max_requests` replaces the limit of the settings; 20 of the requests are reserved for the cleanup."""
    settings = Settings(parse_target(stub_server.url), {"admin": "opaque"})
    with unrecorded_client(settings, max_requests=21) as client:
        client.get("/", Step.ROOT)
        with pytest.raises(BudgetExhausted):
            client.get("/", Step.ROOT)
