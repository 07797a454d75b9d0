"""Credentials: what is tried, how it is shown, and that secrets are taken out of everything."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest

from purge_conformance.client.auth.jwt import scopes
from purge_conformance.client.credentials import Credential, for_role, invalid_credentials
from purge_conformance.evidence.redaction import Redactor, token_variable, without_cookies

PAYLOAD = base64.urlsafe_b64encode(json.dumps({"scope": ["cloud_controller.admin"]}).encode()).decode().rstrip("=")
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.c2VjcmV0LXNpZ25hdHVyZQ"


def test_credential_hides_its_value() -> None:
    """A credential shows the variable when it is printed, never the secret."""
    found = repr(for_role("admin", TOKEN))
    assert "$ADMIN_TOKEN" in found
    assert PAYLOAD not in found


@pytest.mark.parametrize(("role", "name"), [("admin", "ADMIN_TOKEN"), ("org_manager", "ORG_MANAGER_TOKEN")])
def test_variable_is_named_after_role(role: str, name: str) -> None:
    """The variable that stands for a token is one that a shell takes."""
    assert token_variable(role) == name


def test_refused_tries_every_kind() -> None:
    """Without, malformed, invalid and expired tokens are tried; expired only where one was given."""
    assert {who.kind for who in invalid_credentials({"admin": TOKEN, "expired": "old"})} == {
        *("none", "malformed", "invalid", "expired"),
    }
    assert "expired" not in {who.kind for who in invalid_credentials({"admin": TOKEN})}


@pytest.mark.parametrize("token", [TOKEN, "opaque-token"])
def test_refused_never_sends_the_token(token: str) -> None:
    """None of them is the admin's token itself, in whatever case its scheme is written."""
    assert [
        who.role
        for who in invalid_credentials({"admin": token})
        if (who.value or "").lower() == f"bearer {token}".lower()
    ] == []


@pytest.mark.parametrize("who", invalid_credentials({"admin": TOKEN, "expired": "old"}), ids=lambda who: who.role)
def test_shown_is_what_a_shell_sends(who: Credential) -> None:
    """What is shown for a credential becomes its value in a shell that has the tokens as variables."""
    script = f'printf %s "{who.redacted or ""}"'
    environment = {"ADMIN_TOKEN": TOKEN, "EXPIRED_TOKEN": "old", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == (who.value or "")


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"scope": ["a", "b"]}, {"a", "b"}),
        ({"scope": "a b"}, {"a", "b"}),
        ({"scope": 1}, None),
        ({}, None),
        ([], None),
    ],
)
def test_scopes_are_read(claims: object, found: set[str] | None) -> None:
    """The scopes of a JWT are a list or words; where there are none it says nothing."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert scopes(f"e30.{payload}.sig") == found


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c", "a.%%%.c", "..", "a.e30.c.d"])
def test_scopes_of_no_jwt(token: str) -> None:
    """A token that is no readable JWT has no scopes that are known, and breaks nothing."""
    assert scopes(token) is None


def test_scopes_survive_depth() -> None:
    """A token whose payload is nested beyond all measure is no readable JWT either."""
    assert scopes("a." + "W1tb" * 12_000 + ".c") is None


@pytest.mark.parametrize(
    "text",
    [
        f"bearer {TOKEN}",
        f"{TOKEN}{TOKEN}",
        TOKEN.rpartition(".")[0],
        TOKEN.rpartition(".")[2],
        f'{{"you sent": "{PAYLOAD}"}}',
        *(who.value for who in invalid_credentials({"admin": TOKEN}) if who.value),
    ],
)
def test_redactor_leaves_no_secret(text: str) -> None:
    """Neither a token nor its payload nor its signature, one way round or the other, is left in a text or in bytes."""
    redactor = Redactor({"admin": TOKEN, "other": "another-secret"})
    for clean in (redactor.redact_text(text), redactor.redact_bytes(text.encode()).decode()):
        signature = TOKEN.rpartition(".")[2]
        assert [secret for secret in (PAYLOAD, signature, signature[::-1]) if secret in clean] == []


def test_redactor_takes_the_longest() -> None:
    """A token that begins with another one is replaced as a whole."""
    redactor = Redactor({"admin": "secret-one", "other": "secret-one-and-more"})
    assert redactor.redact_text("secret-one-and-more secret-one") == "$OTHER_TOKEN $ADMIN_TOKEN"


def test_redactor_leaves_the_rest() -> None:
    """Parts too short to be secrets are left alone: what the target sent must stay what it is."""
    redactor = Redactor({"admin": "x.y.z"})
    assert redactor.redact_bytes(b'{"resources": [{"type": "buzz"}]}') == b'{"resources": [{"type": "buzz"}]}'


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (("Set-Cookie", "session=s3cret; Path=/; Expires=Thu"), "session=$COOKIE; Path=/; Expires=Thu"),
        (("set-cookie", "session=a.$ADMIN_TOKEN.b"), "session=$COOKIE$ADMIN_TOKEN"),
        (("Cookie", "session=s3cret; other=s3cret"), "session=$COOKIE; other=$COOKIE"),
        (("X-Cookie", "session=s3cret"), "session=s3cret"),
    ],
)
def test_cookies_have_no_values(header: tuple[str, str], found: str) -> None:
    """The value of a cookie is a secret, save what tells that a token was in it; its name and the rest are none."""
    assert without_cookies([header]) == ((header[0], found),)


def test_redactor_reads_each_header() -> None:
    """Of headers every value is without secrets, in order, and repeated ones too."""
    redactor = Redactor({"admin": TOKEN})
    sent = [("A", "x"), ("Set-Cookie", f"t={TOKEN}"), ("Set-Cookie", PAYLOAD)]
    found = [("A", "x"), ("Set-Cookie", "t=$ADMIN_TOKEN"), ("Set-Cookie", "$ADMIN_TOKEN_PART")]
    assert redactor.redact_headers(sent) == tuple(found)
    assert redactor.redact_headers(sent[:1]) == tuple(sent[:1])
