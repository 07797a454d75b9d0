"""The scopes of a JWT."""

from __future__ import annotations

import base64
import json

import pytest

from purge_conformance.client.auth.jwt import scopes


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
    """The scopes of a JWT are a list or words, or unknown."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert scopes(f"e30.{payload}.sig") == found


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c", "a.%%%.c", "..", "a.e30.c.d"])
def test_opaque_token_has_no_scopes(token: str) -> None:
    """A token that is no readable JWT has no known scopes and raises no error."""
    assert scopes(token) is None


def test_deep_payload_has_no_scopes() -> None:
    """A token with a deeply nested payload has no known scopes."""
    assert scopes("a." + "W1tb" * 12_000 + ".c") is None
