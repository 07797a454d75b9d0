"""The claims of a JWT."""

from __future__ import annotations

import base64
import json

import pytest

from purge_conformance.client.auth.jwt import MAX_TIMESTAMP, expiry, scopes


def token_of(payload: str) -> str:
    """Return a token with this payload."""
    return f"e30.{base64.urlsafe_b64encode(payload.encode()).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"scope": ["a", "b"]}, {"a", "b"}),
        ({"scope": "a b"}, {"a", "b"}),
        ({"scope": ["a", 1, None, ["b"]]}, {"a"}),
        ({"scope": []}, set()),
        ({"scope": 1}, set()),
        ({"scope": None}, set()),
        ({"scope": {"cloud_controller.admin": True}}, set()),
        ({"scopes": ["a"]}, set()),
        ({}, set()),
        ([], None),
        ("a", None),
        (None, None),
    ],
)
def test_scopes_are_read(claims: object, found: set[str] | None) -> None:
    """The scopes of a JWT are a list or words; anything else is no scope, and only a JSON object can be read."""
    assert scopes(token_of(json.dumps(claims))) == found


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c", "a.%%%.c", "..", "a.e30.c.d", "a.e30.c.d.e", ""])
def test_opaque_token_cannot_be_read(token: str) -> None:
    """A token that is no readable JWT has unknown scopes and an unknown expiry, and raises no error."""
    assert (scopes(token), expiry(token)) == (None, None)


def test_deep_payload_cannot_be_read() -> None:
    """A token with a deeply nested payload has no known scopes."""
    assert scopes("a." + "W1tb" * 12_000 + ".c") is None


@pytest.mark.parametrize(
    ("exp", "found"),
    [
        ("1700000000", 1_700_000_000.0),
        ("1700000000.5", 1_700_000_000.5),
        ("1.7e9", 1_700_000_000.0),
        ('"1700000000"', 1_700_000_000.0),
        ('"1700000000.5"', 1_700_000_000.5),
        ("0", 0.0),
        ("-1", 0.0),
        ('"-1"', 0.0),
        ("-1e999", 0.0),
        ("-Infinity", 0.0),
        ("1e999", MAX_TIMESTAMP),
        ("1" * 6000, MAX_TIMESTAMP),
        (f'"{"1" * 6000}"', MAX_TIMESTAMP),
        ("1700000000000", MAX_TIMESTAMP),
        ("true", None),
        ("false", None),
        ("null", None),
        ("NaN", None),
        ('"nan"', None),
        ('"soon"', None),
        ('""', None),
        ("[1700000000]", None),
        ("{}", None),
    ],
)
def test_expiry_is_read(exp: str, found: float | None) -> None:
    """A number, also as a string, is a time from 1970 to 9999; anything else is unknown."""
    assert expiry(token_of(f'{{"exp": {exp}}}')) == found
    assert scopes(token_of(f'{{"exp": {exp}, "scope": "a"}}')) == frozenset("a")


def test_token_without_exp_has_no_known_expiry() -> None:
    """A JWT may have no `exp`."""
    assert expiry(token_of("{}")) is None
