"""The client records and prints no token, although the target repeats it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from meta.support.leaks import echo
from purge_conformance.client.auth.credentials import invalid_credentials
from purge_conformance.client.client import Request
from purge_conformance.errors import TargetUnreachable
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


SIGNATURE = "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PAYLOAD = "eyJzY29wZSI6WyJjbG91ZF9jb250cm9sbGVyLmFkbWluIl19"
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.{SIGNATURE}"
PARTS = (PAYLOAD, SIGNATURE, SIGNATURE[::-1])


@pytest.mark.parametrize("who", invalid_credentials({"admin": TOKEN}), ids=lambda who: who.role)
def test_echo_is_redacted(who: object, make_client: Connect, stub_server: StubServer, tmp_path: Path) -> None:
    """A server that repeats Authorization in header and body reveals no token, whichever credential was sent."""
    stub_server.answer = echo
    make_client(tokens={"admin": TOKEN}).send(Request("GET", "/v3", Step.V3_ROOT, who))  # type: ignore[arg-type] # a credential
    text = (tmp_path / "client-0" / "evidence.jsonl").read_text(encoding="utf-8")
    assert [part for part in PARTS if part in text] == []


def test_cookie_named_like_a_token_is_redacted(make_client: Connect, stub_server: StubServer, tmp_path: Path) -> None:
    """A target that sets a cookie with the token as its name gets it back; the record of that request has no token."""
    stub_server.answer = lambda handler: stub_server.respond(handler, Set_Cookie=f"{TOKEN}=1; Path=/")
    client = make_client(tokens={"admin": TOKEN})
    for _ in range(2):
        client.get("/v3", Step.V3_ROOT)
    assert TOKEN in stub_server.received[1][1]["Cookie"]
    text = (tmp_path / "client-0" / "evidence.jsonl").read_text(encoding="utf-8")
    assert [part for part in PARTS if part in text] == []


def test_exception_contains_no_token(make_client: Connect, stub_server: StubServer) -> None:
    """The error of a lost target contains no token, even if the target sent the token instead of HTTP."""

    def junk(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"{TOKEN}\r\n\r\n".encode())
        handler.close_connection = True

    stub_server.answer = junk
    client = make_client(tokens={"admin": TOKEN})
    for _ in range(2):
        client.get("/v3", Step.V3_ROOT)
    with pytest.raises(TargetUnreachable) as caught:
        client.get("/v3", Step.V3_ROOT)
    assert [part for part in PARTS if part in str(caught.value)] == []


def test_client_hides_credentials(make_client: Connect) -> None:
    """The repr of a client and of its attributes contains no token."""
    client = make_client(tokens={"admin": TOKEN})
    assert not re.search("|".join(PARTS), f"{client!r} {vars(client)!r}")
