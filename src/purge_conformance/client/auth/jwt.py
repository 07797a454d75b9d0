"""Reads the claims of a JSON Web Token without verifying its signature."""

from __future__ import annotations

import base64
import binascii
import json
from math import isnan
from typing import Any

JWT_PARTS = 3
MAX_TIMESTAMP = 253_402_300_799.0  # the last second of the year 9999


def scopes(token: str) -> frozenset[str] | None:
    """Return the scopes that a JWT claims, a list or words; None if the token cannot be read.

    A token can be read if it has the three parts of a JWT and its payload is a JSON object. If its `scope` is missing,
    or is neither a list nor a string, it has no scope.
    """
    claims = _claims(token)
    if claims is None:
        return None
    scope = claims.get("scope")
    if isinstance(scope, str):
        scope = scope.split()
    return frozenset(item for item in scope if isinstance(item, str)) if isinstance(scope, list) else frozenset()


def expiry(token: str) -> float | None:
    """Return the claim `exp` in seconds since the epoch, from 1970 to 9999; None if the token has no readable one.

    A string that is a number is read as one. What is before 1970 or after 9999 becomes the nearer of both.
    """
    value = (_claims(token) or {}).get("exp")
    try:
        seconds = float(value) if isinstance(value, str | float) else None  # no bool
    except ValueError:
        return None
    return None if seconds is None or isnan(seconds) else min(max(seconds, 0.0), MAX_TIMESTAMP)


def _claims(token: str) -> dict[str, Any] | None:
    """Return the payload, with each number as a float, however long it is; None if it is not a JSON object."""
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return None
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        payload: Any = json.loads(text, parse_int=float)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
