"""What the client sends: the token of the moment, and once more where one had come to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.history import admin_reads_rejected
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.renewal import Tokens
from purge_conformance.client.auth.token import StaticToken, Token
from purge_conformance.client.client import Request
from purge_conformance.client.credentials import invalid_credentials
from purge_conformance.errors import TokenExpired

from .conftest import signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from conftest import Story, Stub

    from purge_conformance.client.client import Client

    from .conftest import Issuer

    Connect = Callable[..., Client]

LIFE = 600.0


class Series:
    """Gives one token after the other, which live longer than any test."""

    is_renewable = True

    def __init__(self, *values: str) -> None:
        """Hold the tokens; the last is given again and again."""
        self.values = list(values)

    def fetch(self) -> Token:
        """Return the next one."""
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        return Token(value, None)


def taking(stub: Stub, *good: str) -> None:
    """Answer 200 to these tokens, and 401 to others."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status = 200 if (handler.headers.get("Authorization") or "") in {f"bearer {value}" for value in good} else 401
        stub.say(handler, status)

    stub.answer = answer


def sent(stub: Stub) -> list[str]:
    """Return what came as Authorization."""
    return [headers.get("Authorization", "") for _, headers in stub.got]


def test_refused_read_is_sent_with_the_new_token(connect: Connect, stub: Stub) -> None:
    """A read whose token had come to its end is sent again, once, with a new one; the refusal is no answer to it."""
    taking(stub, "the-second-token")
    client = connect(tokens=Tokens({"admin": Series("the-first-token", "the-second-token")}))
    answer = client.get("/v3", "s")
    assert (answer.status, sent(stub)) == (200, ["bearer the-first-token", "bearer the-second-token"])
    assert [(x.status, x.tags) for x in client.exchanges_of("", "s")] == [
        (401, {"superseded": "expired token"}),
        (200, {}),
    ]


def test_refused_change_is_not_sent_twice(connect: Connect, stub: Stub) -> None:
    """What may change something is sent once: it is held back, and the experiment after it has the new token."""
    taking(stub, "the-second-token")
    client = connect(tokens=Tokens({"admin": Series("the-first-token", "the-second-token")}))
    with pytest.raises(TokenExpired, match=f"expired just before POST {PURGE_PATH}"):
        client.post(PURGE_PATH, "purge")
    assert (stub.purges, client.exchanges_of("", "purge")[0].tags) == (1, {"superseded": "expired token"})
    assert client.post(PURGE_PATH, "purge").status == 200


def test_refusal_that_stays_counts(connect: Connect, stub: Stub) -> None:
    """A target that refuses a new token as well has said so."""
    taking(stub)
    client = connect(tokens=Tokens({"admin": Series("the-first-token", "the-second-token")}))
    assert (client.get("/v3", "s").status, len(stub.got)) == (401, 2)
    assert client.exchanges_of("", "s")[-1].tags == {}


def test_refusal_of_a_living_token_counts(connect: Connect, stub: Stub) -> None:
    """A token that lives was refused by the target: it is not asked twice."""
    taking(stub)
    client = connect(tokens={"admin": signed("admin", LIFE)})
    assert (client.get("/v3", "s").status, len(stub.got)) == (401, 1)


def test_refusal_of_an_ended_token_holds_back(connect: Connect, stub: Stub) -> None:
    """Where the only token had ended nothing more is sent with it, and the refusal is no answer."""
    taking(stub)
    client = connect(tokens=Tokens({"admin": StaticToken(signed("admin", -1))}))
    for _ in range(2):
        with pytest.raises(TokenExpired, match="The token of admin expired at"):
            client.get("/v3", "s")
    assert (len(stub.got), client.exchanges_of("", "s")[0].tags) == (1, {"superseded": "expired token"})


def test_variations_are_of_the_token_of_the_moment(connect: Connect, stub: Stub) -> None:
    """A forged signature stands below the payload of a token that lives, also after it was renewed."""
    now = [time.time()]
    values = [signed("admin", LIFE, now[0]), signed("admin", 2 * LIFE, now[0])]

    class Two:
        is_renewable = True

        def fetch(self) -> Token:
            return Token(values[now[0] > time.time()], now[0] + LIFE)

    tokens = Tokens({"admin": Two()}, lambda: now[0])
    client = connect(tokens=tokens)
    tried = invalid_credentials(tokens)
    now[0] += LIFE
    for who in tried:
        client.send(Request("GET", EVENTS_PATH, "s", who))
    payload = values[1].split(".")[1]
    assert [payload in text for text in sent(stub) if text.count(".") == 2] == [True] * 4
    assert values[1] not in "".join(sent(stub))


def test_redirect_gets_no_token(connect: Connect, stub: Stub, issuer: Issuer) -> None:
    """A redirect to another host is an answer; that host is told nothing, and least of all the token."""
    stub.answer = lambda handler: stub.say(handler, 307, Location=f"{issuer.url}/oauth/token")
    client = connect(tokens={"admin": "the-token-of-all"})
    assert [client.get("/v3", "s").status, client.post("/v3/apps", "s", data={}).status] == [307, 307]
    assert (len(stub.got), issuer.asked) == (2, [])


def test_superseded_refusal_denies_nobody(story: Story) -> None:
    """An admin whose ended token was refused, and whose new one was not, was not denied anything."""
    story.say("lists", "walk", status=401, tags={"superseded": "expired token"})
    story.say("lists", "walk", data={})
    assert admin_reads_rejected(story.seen) == []
