"""Credentials: which are tried, and that their repr shows no secret."""

from __future__ import annotations

import base64
import json

import pytest

from purge_conformance.client.auth.credentials import for_role, invalid_credentials

PAYLOAD = base64.urlsafe_b64encode(json.dumps({"scope": ["cloud_controller.admin"]}).encode()).decode().rstrip("=")
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.c2VjcmV0LXNpZ25hdHVyZQ"


def test_credential_hides_its_value() -> None:
    """The repr of a credential shows its variable and never the secret."""
    found = repr(for_role("admin", TOKEN))
    assert "$ADMIN_TOKEN" in found
    assert PAYLOAD not in found


def test_invalid_credentials_cover_every_kind() -> None:
    """Missing, malformed, invalid and expired tokens are tried; expired only if one was given."""
    assert {who.kind for who in invalid_credentials({"admin": TOKEN, "expired": "old"})} == {
        *("none", "malformed", "invalid", "expired"),
    }
    assert "expired" not in {who.kind for who in invalid_credentials({"admin": TOKEN})}


@pytest.mark.parametrize("token", [TOKEN, "opaque-token"])
def test_invalid_credentials_exclude_real_token(token: str) -> None:
    """No invalid credential is the admin token, in any case of its scheme."""
    assert [
        who.role
        for who in invalid_credentials({"admin": token})
        if (who.value or "").lower() == f"bearer {token}".lower()
    ] == []
