"""A token that the target accepts nowhere any more is not its fault; one that it rejects at one operation may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.client import exchanges_at
from meta.unit.client.test_renewed_tokens import TokenSeries, received_authorizations
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.acceptance import MAX_DOUBTS
from purge_conformance.client.auth.credentials import GARBAGE
from purge_conformance.client.auth.renewal import Tokens
from purge_conformance.errors import TokenExpired
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import Retry

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]

AUDITOR = {"admin": "an-opaque-secret", "global_auditor": "another-opaque-secret"}


def rejecting(stub_server: StubServer, is_rejected: Callable[[BaseHTTPRequestHandler], bool], status: int) -> None:
    """Respond with this status where the predicate says so, and with 200 elsewhere."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status if is_rejected(handler) else 200)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("role", ["admin", "global_auditor"])
def test_revoked_token_ends_its_use(status: int, role: str, make_client: Connect, stub_server: StubServer) -> None:
    """A token that was accepted, and now is rejected everywhere, is sent no more; its rejection is no response."""
    client = make_client(tokens=AUDITOR)
    credential = client.credentials[role]
    client.begin(Scenario.READS)
    client.get(EVENTS_PATH, Step.LIST, credential=credential)
    rejecting(stub_server, lambda handler: handler.headers["Authorization"] == credential.value, status)
    words = f"The token of {role} was accepted until request 1, and is rejected with {status} since"
    with pytest.raises(TokenExpired, match=words):
        client.get(EVENTS_PATH, Step.LIST, credential=credential)
    assert [x.tags for x in exchanges_at(client, Step.LIST)] == [{}, {Tag.SUPERSEDED: Retry.EXPIRED_TOKEN}]
    sent = len(stub_server.received)
    with pytest.raises(TokenExpired, match=words):
        client.get(EVENTS_PATH, Step.LIST, credential=credential)
    assert len(stub_server.received) == sent


@pytest.mark.parametrize("is_last", [True, False])
def test_header_beside_a_token_is_not_the_token(
    is_last: bool,  # noqa: FBT001 -- a parameter of the test
    make_client: Connect,
    stub_server: StubServer,
) -> None:
    """A rejection of two Authorization headers is no end of the token, which is not asked for."""
    client = make_client()
    client.post(PURGE_PATH, Step.PURGE)
    both = replace(client.credentials["admin"], second=GARBAGE, is_last=is_last)
    rejecting(stub_server, lambda handler: len(handler.headers.get_all("Authorization", [])) > 1, 401)
    assert client.post(PURGE_PATH, Step.PURGE, credential=both).status == 401
    assert client.post(PURGE_PATH, Step.PURGE).status == 200
    assert len(stub_server.received) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_purge_alone_counts(status: int, make_client: Connect, stub_server: StubServer) -> None:
    """A purge that is rejected while the token is accepted elsewhere is the target's; it is checked a few times."""
    client = make_client()
    assert client.post(PURGE_PATH, Step.PURGE).status == 200
    rejecting(stub_server, lambda handler: handler.path == PURGE_PATH, status)
    answers = [client.post(PURGE_PATH, Step.PURGE) for _ in range(MAX_DOUBTS + 2)]
    assert [(x.status, x.tags) for x in answers] == [(status, {})] * len(answers)
    assert len(exchanges_at(client, Step.TOKEN_CHECK)) == MAX_DOUBTS


@pytest.mark.parametrize(("status", "first"), [(403, None), (401, None)])
def test_first_rejection_raises_no_doubt(
    status: int, first: None, make_client: Connect, stub_server: StubServer
) -> None:
    """A token that was never accepted for an operation is not revoked."""
    client = make_client(tokens=AUDITOR)
    rejecting(stub_server, lambda _: True, status)
    found = client.post(PURGE_PATH, Step.CREDENTIAL, credential=client.credentials["global_auditor"])
    assert (found.status, found.error, len(stub_server.received)) == (status, first, 1)


def test_revoked_token_is_renewed(make_client: Connect, stub_server: StubServer) -> None:
    """A revoked token whose source has another one is replaced, and the read is sent again."""
    client = make_client(tokens=Tokens({"admin": TokenSeries("the-first-token", "the-second-token")}))
    client.get(EVENTS_PATH, Step.LIST)
    rejecting(stub_server, lambda handler: handler.headers["Authorization"] == "bearer the-first-token", 403)
    assert client.get(EVENTS_PATH, Step.LIST).status == 200
    assert received_authorizations(stub_server)[-1] == "bearer the-second-token"
