"""Reads the claims of a JSON Web Token without verifying its signature."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

JWT_PARTS = 3
MAX_TIMESTAMP = 253_402_300_799  # the last second of the year 9999


def scopes(token: str) -> frozenset[str] | None:
    """Return the scopes that a JWT claims; None if the token is not a readable JWT with scopes."""
    scope = _claims(token).get("scope")
    if isinstance(scope, str):
        scope = scope.split()
    return frozenset(str(item) for item in scope) if isinstance(scope, list) else None


def expiry(token: str) -> float | None:
    """Return the claim `exp` in seconds since the epoch; None if the token has no readable one."""
    match _claims(token).get("exp"):
        case int() | float() as expires_at if 0 <= expires_at <= MAX_TIMESTAMP:
            return float(expires_at)
    return None


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return {}
    try:
        payload: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}
