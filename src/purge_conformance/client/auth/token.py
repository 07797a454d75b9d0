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
        others: further secrets that came with it.
    """

    value: str = field(repr=False)
    expires_at: float | None = None
    others: tuple[str, ...] = field(default=(), repr=False)


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
class Fixed:
    """Gives the one token that is there."""

    value: str = field(repr=False)
    is_renewable: bool = False

    def fetch(self) -> Token:
        """Return it."""
        return token(self.value)


def token(value: str, lifetime: float | None = None, others: tuple[str, ...] = ()) -> Token:
    """Return a token that ends when its `exp` says so, or after so many seconds from now, whichever is sooner.

    An `exp` that is over already is that of another clock, where a lifetime was told just now.
    """
    now, end = time.time(), expiry(value)
    if lifetime is not None:
        end = now + lifetime if end is None or end <= now else min(end, now + lifetime)
    return Token(value, end, others)


def bare(text: str, role: str) -> str:
    """Return a token without its scheme and white space.

    Raises:
        BadSetting: it is none; the text is not shown.
    """
    found = re.sub(r"(?i)^\s*bearer\s+", "", text).strip()
    if not found:
        raise BadSetting(f"The token of {role} is missing: what should hold it is empty. Put the bearer token there.")
    if not found.isascii() or not found.isprintable() or " " in found:
        raise BadSetting(f"The token of {role} has white space or odd characters. Give the bare token.")
    return found
