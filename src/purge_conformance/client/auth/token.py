"""What a token is, and what gives one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Protocol

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Token:
    """One bearer token.

    Attributes:
        value: secret.
        expires_at: seconds since the epoch, on the suite's clock; None where nobody can tell.
        other_secrets: further secrets that came with it.
    """

    value: str = field(repr=False)
    expires_at: float | None = None
    other_secrets: tuple[str, ...] = field(default=(), repr=False)


class Source(Protocol):
    """What gives the token of a role, as often as it is asked for one."""

    @property
    def is_renewable(self) -> bool:
        """Whether it may give another token later."""

    def fetch(self) -> Token:
        """Return a token.

        Raises:
            BadSetting: it gives none; says why, and the cure.
            TargetLost: whoever gives it does not answer.
        """


@dataclass(frozen=True, slots=True)
class StaticToken:
    """Gives the one token that is there."""

    value: str = field(repr=False)
    is_renewable: bool = False

    def fetch(self) -> Token:
        """Return it."""
        return build_token(self.value)


def build_token(value: str, lifetime: float | None = None, other_secrets: tuple[str, ...] = ()) -> Token:
    """Return a token that ends when its `exp` says so, or after so many seconds from now, whichever is sooner.

    An `exp` that is over already is that of another clock, where a lifetime was told just now.
    """
    now, expires_at = time.time(), expiry(value)
    if lifetime is not None:
        expires_at = now + lifetime if expires_at is None or expires_at <= now else min(expires_at, now + lifetime)
    return Token(value, expires_at, other_secrets)


def strip_scheme(text: str, role: str) -> str:
    """Return a token without its scheme and white space.

    Raises:
        BadSetting: it is none; the text is not shown.
    """
    value = re.sub(r"(?i)^\s*bearer\s+", "", text).strip()
    if not value:
        raise BadSetting(f"The token of {role} is missing: what should hold it is empty. Put the bearer token there.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise BadSetting(f"The token of {role} has white space or odd characters. Give the bare token.")
    return value
