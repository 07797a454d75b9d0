"""Logins at a UAA: password, client and refresh token."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from meta.support.uaa import CLIENT_SECRET, PASSWORD, fixed_secret, via_root_document
from purge_conformance.client.auth.jwt import expiry, scopes
from purge_conformance.client.auth.sources import parse_source
from purge_conformance.client.auth.token_request import token_requester
from purge_conformance.client.auth.uaa import Grant, Login, Uaa, User
from purge_conformance.config.settings import parse_target
from purge_conformance.config.transport import Transport
from purge_conformance.errors import BadSetting, LoginRejected, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from meta.support.uaa import UaaStub

BY_PASSWORD = Grant("admin", "password", user=User("admin"), credential=fixed_secret(PASSWORD))
AS_CLIENT = Grant("global_auditor", "client_credentials", "global_auditor", fixed_secret(CLIENT_SECRET))


def root_document_of(root: object, status: int = 200) -> Callable[[str, str, object, object], tuple[int, bytes]]:
    """Return an Ask whose target has this root document."""
    return lambda *_: (status, root if isinstance(root, bytes) else json.dumps(root).encode())


def test_password_gives_a_token(uaa_stub: UaaStub, uaa: Uaa) -> None:
    """User name and password give a token, and its refresh token gives the next one."""
    login = Login(BY_PASSWORD, uaa)
    found = [login.fetch() for _ in range(3)]
    assert uaa_stub.grants == ["password", "refresh_token", "refresh_token"]
    assert all("cloud_controller.admin" in (scopes(one.value) or ()) for one in found)
    assert all(one.expires_at == pytest.approx(expiry(one.value), abs=2) for one in found)


def test_origin_names_the_provider(uaa_stub: UaaStub, uaa: Uaa) -> None:
    """A user of another identity provider logs in with its key; a missing or wrong key is rejected."""
    uaa_stub.origin = "ldap"
    for origin in ("", "uaa"):
        with pytest.raises(LoginRejected):
            Login(replace(BY_PASSWORD, user=User("admin", origin)), uaa).fetch()
    login = Login(replace(BY_PASSWORD, user=User("admin", "ldap")), uaa)
    assert len({login.fetch().value for _ in range(2)}) == 2
    assert uaa_stub.grants[-2:] == ["password", "refresh_token"]


def test_client_gives_a_token(uaa_stub: UaaStub, uaa: Uaa) -> None:
    """A client receives a token with its secret, which may contain any character, and repeats the same request."""
    login = Login(AS_CLIENT, uaa)
    assert login.fetch().value != login.fetch().value
    assert uaa_stub.grants == ["client_credentials"] * 2


@pytest.mark.parametrize("rotates", [False, True])
def test_refresh_token_gives_a_token(uaa_stub: UaaStub, uaa: Uaa, *, rotates: bool) -> None:
    """A refresh token gives tokens, also if each refresh token is valid once."""
    uaa_stub.rotates = rotates
    login = Login(Grant("admin", "refresh_token", credential=fixed_secret(uaa_stub.refresh_token("admin"))), uaa)
    assert len({login.fetch().value for _ in range(3)}) == 3


def test_password_follows_failed_refresh(uaa_stub: UaaStub, uaa: Uaa) -> None:
    """After a rejected refresh token the password is sent again."""
    login = Login(BY_PASSWORD, uaa)
    login.fetch()
    uaa_stub.refresh_tokens.clear()
    login.fetch()
    assert uaa_stub.grants == ["password", "refresh_token", "password"]


@pytest.mark.parametrize(
    "source",
    ["uaa:password:admin:env:S", "uaa:client_credentials:global_auditor:env:S", "uaa:refresh_token:env:S"],
)
def test_rejection_hides_secrets(source: str, uaa_stub: UaaStub, uaa: Uaa) -> None:
    """A rejection is reported with its reason, without the secret, even if the UAA repeats it."""
    with pytest.raises(BadSetting, match="unauthorized: Bad credentials") as caught:
        parse_source("admin", source, uaa, {"S": "a-wrong-secret"}).fetch()
    assert "a-wrong" not in str(caught.value)
    assert uaa_stub.url in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"<html>", b"[" * 100_000, b"{}", b'{"access_token": "a b"}'])
def test_invalid_responses_are_rejected(body: bytes) -> None:
    """A response that is not OAuth, or contains no token, is reported."""
    uaa = Uaa(
        parse_target("https://api.example.org"), via_root_document("https://uaa.example.org", root_document_of(body))
    )
    with pytest.raises(BadSetting, match=r"without a token|white space"):
        Login(BY_PASSWORD, uaa).fetch()


@pytest.mark.parametrize(
    ("links", "endpoint"),
    [
        ({"uaa": {"href": "https://uaa.x"}, "login": {"href": "https://login.x"}}, "https://uaa.x/oauth/token"),
        ({"uaa": None, "login": {"href": "https://login.x/"}}, "https://login.x/oauth/token"),
    ],
)
def test_login_is_found(links: object, endpoint: str) -> None:
    """The endpoint is that of the root document's uaa, or of its login."""
    assert Uaa(parse_target("https://api.example.org"), root_document_of({"links": links})).endpoint() == endpoint


@pytest.mark.parametrize(
    ("target", "root", "words"),
    [
        ("https://api.example.org", {"links": {}}, "names no login"),
        ("https://api.example.org", {"links": {"uaa": {"href": 1}}}, "names no login"),
        ("https://api.example.org", b"<html>", "names no login"),
        ("https://api.example.org", {"links": {"uaa": {"href": "http://uaa.example.org"}}}, "not https"),
        ("https://api.example.org", {"links": {"uaa": {"href": "http://127.0.0.1:1"}}}, "not https"),
        ("https://api.example.org", {"links": {"uaa": {"href": "ftp://x"}}}, "not a URL"),
        ("http://api.example.org", {"links": {"uaa": {"href": "https://uaa.example.org"}}}, "not https"),
    ],
)
def test_unsafe_login_is_rejected(target: str, root: object, words: str) -> None:
    """No password is sent without TLS, or to an address from a page without TLS."""
    with pytest.raises(BadSetting, match=words):
        Uaa(parse_target(target), root_document_of(root)).endpoint()


def test_remote_proxy_requires_https(uaa_stub: UaaStub) -> None:
    """No password is sent without TLS through the proxy of another machine, even to a loopback URL."""
    ask = via_root_document(uaa_stub.url, token_requester(Transport(), 5.0))
    transport = Transport(proxy="http://proxy.example.org:3128")
    with pytest.raises(BadSetting, match="not https"):
        Uaa(parse_target("http://127.0.0.1:1"), ask, transport.is_loopback).endpoint()
    assert uaa_stub.grants == []


def test_unavailable_login_keeps_refresh_token(uaa_stub: UaaStub, uaa: Uaa) -> None:
    """While a UAA is unavailable the refresh token stays, and the password is not sent again."""
    uaa_stub.rotates = True
    login = Login(BY_PASSWORD, uaa)
    login.fetch()
    uaa_stub.down = True
    with pytest.raises(TargetUnreachable, match="answered with 503"):
        login.fetch()
    uaa_stub.down = False
    login.fetch()
    assert uaa_stub.grants == ["password", "refresh_token", "refresh_token"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_unavailable_target_is_lost(status: int) -> None:
    """A target whose root document is unavailable is lost; that is no usage error."""
    with pytest.raises(TargetUnreachable, match=f"https://api.example.org/ answered with {status}"):
        Uaa(parse_target("https://api.example.org"), root_document_of({}, status)).endpoint()


def test_redirect_gets_no_secret(stub_server: StubServer, uaa_stub: UaaStub) -> None:
    """A redirect of a login is not followed: the new host receives no request."""

    def away(handler: BaseHTTPRequestHandler) -> None:
        stub_server.respond(handler, 307, Location=f"{uaa_stub.url}/oauth/token")

    stub_server.answer = away
    with pytest.raises(BadSetting, match="answered with 307"):
        Login(
            BY_PASSWORD,
            Uaa(parse_target(stub_server.url), via_root_document(stub_server.url, token_requester(Transport(), 5.0))),
        ).fetch()
    assert uaa_stub.grants == []


def test_silent_login_times_out(stub_server: StubServer) -> None:
    """A login that does not respond in time is lost, and the error contains no secret."""
    over = Event()

    def wait(_: BaseHTTPRequestHandler) -> None:
        over.wait(30)

    stub_server.answer = wait
    with pytest.raises(TargetUnreachable, match="did not respond") as caught:
        Login(
            BY_PASSWORD,
            Uaa(parse_target(stub_server.url), via_root_document(stub_server.url, token_requester(Transport(), 0.05))),
        ).fetch()
    over.set()
    assert PASSWORD not in str(caught.value)


def test_missing_library_is_explained(uaa: Uaa) -> None:
    """Without the library the error names the command that installs it, before any request."""
    with patch.dict(sys.modules, {"oauthlib": None}), pytest.raises(BadSetting, match=r"pip install .*\[uaa\]"):
        Login(BY_PASSWORD, uaa)


def test_repr_hides_secrets(uaa: Uaa) -> None:
    """The repr of a login contains no secret."""
    login = Login(BY_PASSWORD, uaa)
    login.fetch()
    assert PASSWORD not in repr(login)
    assert login.refresh_token not in repr(login)
