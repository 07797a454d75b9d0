"""The tokens of a run: each is renewed before its end, by whichever thread asks first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.client.auth.token import Fixed
from purge_conformance.errors import BadSetting, LoginRefused, TargetLost, TokenExpired
from purge_conformance.evidence import clock
from purge_conformance.evidence.redaction import Redactor, variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.auth.token import Source, Token

MARGIN = 30.0  # seconds before its end that a token is renewed, at most; of a short-lived one a third of its life
TRIES = 4  # in that time
MOST_ASKED = 10  # renewals of a token whose end nobody knows, because it was refused


@dataclass
class _Held:
    """The token of a role.

    Attributes:
        due: when it is to be renewed; None where its end is unknown, or not to be believed.
        pause: seconds between two tries to renew it.
        asked: how often it was renewed because it was refused.
        dead: why there is no token any more.
    """

    source: Source
    token: Token = field(repr=False)
    due: float | None
    pause: float
    asked: int = 0
    dead: str = ""


class Tokens(Mapping[str, str]):
    """Role -> token, one that still lives.

    Attributes:
        redactor: knows every token that there ever was, and what came with it, before anybody can use it.
    """

    def __init__(self, sources: Mapping[str, Source], now: Callable[[], float] = time.time) -> None:
        """Fetch a token of each role.

        Raises:
            BadSetting, TargetLost: as `Source.fetch`.
        """
        self.redactor = Redactor({})
        self._now = now
        self._renewing = RLock()
        self._held = {role: self._fetched(role, source) for role, source in sources.items()}

    def __getitem__(self, role: str) -> str:
        """Return the token of a role, a new one if the last is near its end.

        Raises:
            KeyError: the role has none.
            TokenExpired: it has come to its end, and cannot be renewed.
        """
        with self._renewing:
            held = self._held[role]
            if held.dead:
                raise TokenExpired(held.dead)
            if held.due is not None and self._now() >= held.due and held.source.is_renewable:
                held.due = self._now() + held.pause  # for the next try, if this one fails
                self._renew(role)
            return self._held[role].token.value

    def __contains__(self, role: object) -> bool:
        """Whether the role has a token, or had one: to ask is not to need it."""
        return role in self._held

    def __iter__(self) -> Iterator[str]:
        """Return the roles."""
        return iter(self._held)

    def __len__(self) -> int:
        """Return how many roles there are."""
        return len(self._held)

    def lives(self, role: str) -> bool:
        """Whether the role still has a token, as far as is known."""
        return not self._held[role].dead

    def replaces(self, role: str, refused: str, served_at: float | None) -> bool:
        """Whether a token that was refused had come to its end, and there is another one now.

        Args:
            role: whose it is.
            refused: the token that was refused.
            served_at: when, by the clock of whoever refused it, if that is known.

        Raises:
            TokenExpired: it had come to its end, and there is no other.
        """
        with self._renewing:
            held = self._held[role]
            if held.token.value != refused and not held.dead:
                return True
            if not self._may_have_ended(held, served_at):
                return False
            if held.source.is_renewable and not held.dead:
                self._held[role].asked += 1
                self._renew(role)
                if self._held[role].token.value != refused:
                    return True
            if held.token.expires_at is None:
                return False
            raise self._end(role, "give one that lives longer, or a login that renews it")

    def _fetched(self, role: str, source: Source) -> _Held:
        found = source.fetch()
        self.redactor.learn(variable(role), found.value)
        for other in found.others:
            self.redactor.learn(f"{variable(role)}_REFRESH", other)
        left = None if found.expires_at is None else found.expires_at - self._now()
        if found.expires_at is None or left is None or left <= 0:
            return _Held(source, found, None, 0.0)
        margin = min(MARGIN, left / 3)
        return _Held(source, found, found.expires_at - margin, margin / TRIES)

    def _renew(self, role: str) -> None:
        """Fetch another token; one that still lives is kept where there is none."""
        held = self._held[role]
        try:
            made = self._fetched(role, held.source)
        except (BadSetting, TargetLost) as reason:
            end = held.token.expires_at
            if isinstance(reason, LoginRefused):  # some tries more, and a UAA locks the user out
                held.due = end
            if end is None or self._now() >= end:
                raise self._end(role, f"it could not be renewed: {reason}") from None
            return
        made.asked = held.asked
        if made.token.value != held.token.value:
            self._held[role] = made

    def _may_have_ended(self, held: _Held, served_at: float | None) -> bool:
        end = held.token.expires_at
        if end is None:
            return held.source.is_renewable and held.asked < MOST_ASKED
        theirs = expiry(held.token.value)
        has_ended_there = served_at is not None and theirs is not None and served_at >= theirs
        return has_ended_there or self._now() >= (end if held.due is None else held.due)

    def _end(self, role: str, why: str) -> TokenExpired:
        held = self._held[role]
        end = held.token.expires_at
        when = "was refused" if end is None else f"expired at {clock.written(end)}"
        held.dead = held.dead or f"The token of {role} {when}; {why}"
        return TokenExpired(held.dead)


def kept(tokens: Mapping[str, str]) -> Tokens:
    """Return the tokens as ones that are renewed where their sources can; plain ones cannot."""
    return tokens if isinstance(tokens, Tokens) else Tokens({role: Fixed(value) for role, value in tokens.items()})
