"""The client sends the current token, and renews a rejected one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from meta.support.client import exchanges_at
from meta.support.uaa import signed
from purge_conformance.analysis.history import admin_reads_rejected
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.credentials import invalid_credentials
from purge_conformance.client.auth.renewal import Tokens
from purge_conformance.client.auth.token import StaticToken, Token
from purge_conformance.client.client import Request
from purge_conformance.errors import TokenExpired
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import Retry

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from meta.support.uaa import UaaStub
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]

LIFE = 600.0


class TokenSeries:
    """A source that returns one token after the other; none of them expires."""

    is_renewable = True

    def __init__(self, *values: str) -> None:
        """Store the tokens; the last one is repeated."""
        self.values = list(values)

    def fetch(self) -> Token:
        """Return the next token."""
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        return Token(value, None)


def accepting(stub_server: StubServer, *good: str) -> None:
    """Respond with 200 to these tokens, and with 401 to others."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status = 200 if (handler.headers.get("Authorization") or "") in {f"bearer {value}" for value in good} else 401
        stub_server.respond(handler, status)

    stub_server.answer = answer


def received_authorizations(stub_server: StubServer) -> list[str]:
    """Return the Authorization of each request."""
    return [headers.get("Authorization", "") for _, headers in stub_server.received]


def test_rejected_read_uses_new_token(make_client: Connect, stub_server: StubServer) -> None:
    """A read with an expired token is sent again once, with a new token; the rejection is no response to it."""
    accepting(stub_server, "the-second-token")
    client = make_client(tokens=Tokens({"admin": TokenSeries("the-first-token", "the-second-token")}))
    answer = client.get("/v3", Step.V3_ROOT)
    assert (answer.status, received_authorizations(stub_server)) == (
        200,
        ["bearer the-first-token", "bearer the-second-token"],
    )
    assert [(x.status, x.tags) for x in exchanges_at(client, Step.V3_ROOT)] == [
        (401, {Tag.SUPERSEDED: Retry.EXPIRED_TOKEN}),
        (200, {}),
    ]


def test_rejected_change_is_not_retried(make_client: Connect, stub_server: StubServer) -> None:
    """A change is sent once: it is blocked, and the next scenario uses the new token."""
    accepting(stub_server, "the-second-token")
    client = make_client(tokens=Tokens({"admin": TokenSeries("the-first-token", "the-second-token")}))
    with pytest.raises(TokenExpired, match=f"expired just before POST {PURGE_PATH}"):
        client.post(PURGE_PATH, Step.PURGE)
    assert (stub_server.purges, exchanges_at(client, Step.PURGE)[0].tags) == (1, {Tag.SUPERSEDED: Retry.EXPIRED_TOKEN})
    assert client.post(PURGE_PATH, Step.PURGE).status == 200


def test_repeated_rejection_counts(make_client: Connect, stub_server: StubServer) -> None:
    """A rejection of the new token is the response of the target."""
    accepting(stub_server)
    client = make_client(tokens=Tokens({"admin": TokenSeries("the-first-token", "the-second-token")}))
    assert (client.get("/v3", Step.V3_ROOT).status, len(stub_server.received)) == (401, 2)
    assert exchanges_at(client, Step.V3_ROOT)[-1].tags == {}


def test_valid_token_rejection_counts(make_client: Connect, stub_server: StubServer) -> None:
    """A rejection of a valid token is the response of the target: the request is not sent again."""
    accepting(stub_server)
    client = make_client(tokens={"admin": signed("admin", LIFE)})
    assert (client.get("/v3", Step.V3_ROOT).status, len(stub_server.received)) == (401, 1)


def test_expired_token_blocks_requests(make_client: Connect, stub_server: StubServer) -> None:
    """After the only token expires no more requests are sent with it, and the rejection is no response."""
    accepting(stub_server)
    client = make_client(tokens=Tokens({"admin": StaticToken(signed("admin", -1))}))
    for _ in range(2):
        with pytest.raises(TokenExpired, match="The token of admin expired at"):
            client.get("/v3", Step.V3_ROOT)
    assert len(stub_server.received) == 1
    assert exchanges_at(client, Step.V3_ROOT)[0].tags == {Tag.SUPERSEDED: Retry.EXPIRED_TOKEN}


def test_variations_use_current_token(make_client: Connect, stub_server: StubServer) -> None:
    """A forged token has the payload of the current token, also after a renewal."""
    now = [time.time()]
    values = [signed("admin", LIFE, now[0]), signed("admin", 2 * LIFE, now[0])]

    class Two:
        is_renewable = True

        def fetch(self) -> Token:
            return Token(values[now[0] > time.time()], now[0] + LIFE)

    tokens = Tokens({"admin": Two()}, lambda: now[0])
    client = make_client(tokens=tokens)
    tried = invalid_credentials(tokens)
    now[0] += LIFE
    for who in tried:
        client.send(Request("GET", EVENTS_PATH, Step.CREDENTIAL, who))
    payload = values[1].split(".")[1]
    assert [payload in text for text in received_authorizations(stub_server) if text.count(".") == 2] == [True] * 4
    assert values[1] not in "".join(received_authorizations(stub_server))


def test_redirect_gets_no_token(make_client: Connect, stub_server: StubServer, uaa_stub: UaaStub) -> None:
    """A redirect to another host is a response; that host receives no request and no token."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 307, Location=f"{uaa_stub.url}/oauth/token")
    client = make_client(tokens={"admin": "the-token-of-all"})
    assert [client.get("/v3", Step.V3_ROOT).status, client.post("/v3/apps", Step.CREATE, data={}).status] == [307, 307]
    assert (len(stub_server.received), uaa_stub.grants) == (2, [])


def test_superseded_rejection_is_ignored(builder: EvidenceBuilder) -> None:
    """A rejection of an expired token does not count if the new token is accepted."""
    builder.add_exchange(Scenario.LISTS, Step.OPENING, status=401, tags={Tag.SUPERSEDED: Retry.EXPIRED_TOKEN})
    builder.add_exchange(Scenario.LISTS, Step.OPENING, data={})
    assert admin_reads_rejected(builder.judgment_view) == []
