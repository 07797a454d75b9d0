"""A bearer token, and the interface of its sources."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Protocol

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.errors import BadSetting

SCHEME = re.compile(r"(?i)^\s*bearer\s+")


@dataclass(frozen=True, slots=True)
class Token:
    """One bearer token.

    Attributes:
        value: secret.
        expires_at: seconds since the epoch, by the suite's clock; None if unknown.
    """

    value: str = field(repr=False)
    expires_at: float | None = None


class Source(Protocol):
    """A source of a role's token that can be asked repeatedly."""

    @property
    def is_renewable(self) -> bool:
        """Whether a later `fetch` may return another token."""

    def fetch(self) -> Token:
        """Return the current or a new token.

        Raises:
            BadSetting: there is no token; the message has the reason and the next step.
            TargetUnreachable: the login server does not respond.
        """


@dataclass(frozen=True, slots=True)
class StaticToken:
    """The source of a token that never changes."""

    value: str = field(repr=False)
    is_renewable: bool = False

    def fetch(self) -> Token:
        """Return the same token each time."""
        return build_token(self.value)


def build_token(value: str, lifetime: float | None = None) -> Token:
    """Return a token that expires at its `exp` or after `lifetime` seconds from now, whichever is sooner.

    A new token with a lifetime but an `exp` in the past comes from a server with another clock; then `exp` is ignored.
    """
    now, expires_at = time.time(), expiry(value)
    if lifetime is not None:
        expires_at = now + lifetime if expires_at is None or expires_at <= now else min(expires_at, now + lifetime)
    return Token(value, expires_at)


def strip_scheme(text: str, role: str) -> str:
    """Return a token without `bearer` and without white space around it.

    Raises:
        BadSetting: the text is empty or cannot be a token; the message does not quote it.
    """
    value = SCHEME.sub("", text).strip()
    if not value:
        raise BadSetting(f"The token of {role} is missing: its source is empty. Write the bearer token there.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise BadSetting(f"The token of {role} contains white space or non-ASCII characters. Give only the token.")
    return value
