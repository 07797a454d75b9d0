"""The redaction of secrets."""

from __future__ import annotations

import base64
import json

import pytest

from purge_conformance.client.auth.credentials import invalid_credentials
from purge_conformance.evidence.redaction import Redactor, token_variable, without_cookies

PAYLOAD = base64.urlsafe_b64encode(json.dumps({"scope": ["cloud_controller.admin"]}).encode()).decode().rstrip("=")
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.c2VjcmV0LXNpZ25hdHVyZQ"


@pytest.mark.parametrize(("role", "name"), [("admin", "ADMIN_TOKEN"), ("org_manager", "ORG_MANAGER_TOKEN")])
def test_variable_is_named_after_role(role: str, name: str) -> None:
    """The variable of a token is a valid shell variable."""
    assert token_variable(role) == name


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
    """No token, payload or signature, in either direction, remains in text or bytes."""
    redactor = Redactor({"admin": TOKEN, "other": "another-secret"})
    for clean in (redactor.redact_text(text), redactor.redact_bytes(text.encode()).decode()):
        signature = TOKEN.rpartition(".")[2]
        assert [secret for secret in (PAYLOAD, signature, signature[::-1]) if secret in clean] == []


def test_redactor_replaces_longest_token() -> None:
    """A token that starts with another token is replaced as a whole."""
    redactor = Redactor({"admin": "secret-one", "other": "secret-one-and-more"})
    assert redactor.redact_text("secret-one-and-more secret-one") == "$OTHER_TOKEN $ADMIN_TOKEN"


def test_redactor_keeps_other_text() -> None:
    """Parts that are too short to be secrets stay: evidence must contain what the target sent."""
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
def test_cookie_values_are_removed(header: tuple[str, str], found: str) -> None:
    """The value of a cookie is removed, except a marker that it contained a token."""
    assert without_cookies([header]) == ((header[0], found),)


def test_redactor_reads_each_header() -> None:
    """Every header value is redacted, in order, repeated ones too."""
    redactor = Redactor({"admin": TOKEN})
    sent = [("A", "x"), ("Set-Cookie", f"t={TOKEN}"), ("Set-Cookie", PAYLOAD)]
    found = [("A", "x"), ("Set-Cookie", "t=$ADMIN_TOKEN"), ("Set-Cookie", "$ADMIN_TOKEN_PART")]
    assert redactor.redact_headers(sent) == tuple(found)
    assert redactor.redact_headers(sent[:1]) == tuple(sent[:1])
