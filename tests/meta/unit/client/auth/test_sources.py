"""Token sources, as a line or as members of the configuration file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.uaa import CLIENT_SECRET, PASSWORD
from purge_conformance.client.auth.sources import log_in, open_tokens, parse_source
from purge_conformance.client.auth.uaa import Grant, Login
from purge_conformance.config import loader as configuration
from purge_conformance.config.build import build_settings as settings_of
from purge_conformance.config.token_flags import parse_flags
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer
    from meta.support.uaa import UaaStub
    from purge_conformance.client.auth.uaa import Uaa


TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's
ENVIRON = {"T": TOKEN, "PASSWORD": PASSWORD, "SECRET": CLIENT_SECRET}


@pytest.mark.parametrize(
    ("line", "members"),
    [
        (
            "uaa:password:me@example.org:env:PASSWORD",
            {"grant": "password", "username": "me@example.org", "password": "env:PASSWORD"},
        ),
        (
            "uaa:password@my-ldap.example:me:env:PASSWORD",
            {"grant": "password", "username": "me", "password": "env:PASSWORD", "origin": "my-ldap.example"},
        ),
        (
            "uaa:client_credentials:a:client:env:SECRET",
            {"grant": "client_credentials", "client": "a:client", "secret": "env:SECRET"},
        ),
        ("uaa:refresh_token:env:T", {"grant": "refresh_token", "refresh_token": "env:T"}),
    ],
)
def test_line_equals_members(line: str, members: dict[str, str], uaa: Uaa) -> None:
    """A login as one line equals the same login as members of the configuration file."""
    found = [parse_source("admin", text, uaa, ENVIRON) for text in (line, members)]
    assert all(isinstance(one, Login) for one in found)
    assert found[0] == found[1]


def test_password_grant_may_name_client(uaa: Uaa) -> None:
    """A password grant may name a client and its secret; the default is the client of the cf CLI."""
    members = {"grant": "password", "username": "me", "password": "env:PASSWORD"}
    made = parse_source("admin", members | {"client": "mine", "secret": "env:SECRET"}, uaa, ENVIRON)
    usual = parse_source("admin", members, uaa, ENVIRON)
    assert isinstance(made, Login)
    assert isinstance(usual, Login)
    assert (made.grant.client, made.grant.secret and made.grant.secret.read()) == ("mine", CLIENT_SECRET)
    assert (usual.grant.client, usual.grant.secret) == ("cf", None)
    assert isinstance(usual.grant, Grant)


def test_roles_have_tokens(uaa_stub: UaaStub, uaa: Uaa) -> None:
    """Each role has a token from its source."""
    given = parse_flags(
        [
            "admin=uaa:password:admin:env:PASSWORD",
            "global_auditor=uaa:client_credentials:global_auditor:env:SECRET",
            "expired=env:T",
        ]
    )
    tokens = open_tokens(given, uaa, ENVIRON)
    assert dict(tokens) == dict(zip(("admin", "global_auditor"), uaa_stub.secrets[1:], strict=True)) | {
        "expired": TOKEN
    }


def test_file_configures_login(
    stub_server: StubServer,
    uaa_stub: UaaStub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The configuration file may contain a login, whose address is in the target's root document."""
    root = json.dumps({"links": {"login": {"href": uaa_stub.url}}}).encode()
    stub_server.answer = lambda handler: stub_server.respond(handler, 200, root)
    monkeypatch.setenv("THE_SECRET", CLIENT_SECRET)
    path = tmp_path / "settings.yaml"
    login = "{grant: client_credentials, client: global_auditor, secret: env:THE_SECRET}"
    path.write_text(f"target: {stub_server.url}\ntokens:\n  admin: {login}\n", encoding="utf-8")
    settings = log_in(settings_of(configuration.merge({}, path, {})))
    assert (dict(settings.tokens), uaa_stub.grants) == ({"admin": uaa_stub.secrets[-1]}, ["client_credentials"])
    assert [line for line, _ in stub_server.received] == ["GET / HTTP/1.1"]
    assert CLIENT_SECRET not in f"{settings!r} {capfd.readouterr()}"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "There is no admin token"),
        ({"global_auditor": "env:T"}, "There is no admin token"),
        ({"admin": "env:"}, "env:NAME, file:PATH or command:LINE"),
        ({"admin": "vault:T"}, "env:NAME, file:PATH or command:LINE"),
        ({"admin": 7}, "source of the token of admin is not valid"),
        ({"admin": "env:NOTHING"}, "is not set"),
        ({"admin": "uaa:password:me"}, r"uaa:password\[@ORIGIN\]:USER:env:NAME"),
        ({"admin": "uaa:password@:me:env:PASSWORD"}, "is not valid. Give one of"),
        ({"admin": "uaa:client_credentials@ldap:c:env:SECRET"}, "is not valid. Give one of"),
        ({"admin": "uaa:magic:me:env:T"}, "uaa:client_credentials:CLIENT:env:NAME"),
        ({"admin": "uaa:password:me:hunter-two"}, "is not valid. Give one of"),
        ({"admin": {"grant": "magic"}}, "Give one of: password, client_credentials, refresh_token"),
        ({"admin": {}}, "grant of the login of admin is unknown"),
        ({"admin": {"grant": ["password"]}}, "grant of the login of admin is unknown"),
        ({"admin": {"grant": "password", "username": "me"}}, "Give the strings password, username"),
        ({"admin": {"grant": "client_credentials", "client": "c", "secret": "env:T", "x": "y"}}, "client, secret"),
        ({"admin": {"grant": "client_credentials", "client": 1, "secret": "env:T"}}, "the strings client, secret"),
        (
            {"admin": {"grant": "client_credentials", "client": "c", "secret": "hunter-two"}},
            "the secret of admin is not",
        ),
        ({"admin": "env:T", "expired": "uaa:refresh_token:env:T"}, "has already expired, from env:NAME or file:PATH"),
        ({"admin": "env:T", "expired": "cf"}, "has already expired, from env:NAME or file:PATH"),
    ],
)
def test_invalid_source_is_rejected(given: dict[str, Any], words: str, uaa: Uaa) -> None:
    """An invalid source is a bad setting that says what to give, and contains no possible secret."""
    with pytest.raises(BadSetting, match=words) as caught:
        open_tokens(given, uaa, ENVIRON)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("text", [TOKEN, f"env:{TOKEN}", f"cf:{TOKEN}", f"uaa:{TOKEN}", f"uaa:password:me:{TOKEN}"])
def test_misplaced_token_is_not_printed(text: str, uaa: Uaa) -> None:
    """A token in the place of its source is not printed."""
    with pytest.raises(BadSetting) as caught:
        open_tokens({"admin": text}, uaa, ENVIRON)
    assert "c2VjcmV0" not in str(caught.value)
