"""The tokens of a run; the first thread that needs a token renews it shortly before it expires."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.client.auth.token import StaticToken
from purge_conformance.errors import BadSetting, LoginRejected, SuiteError, TargetUnreachable, TokenExpired
from purge_conformance.evidence import clock
from purge_conformance.evidence.redaction import Redactor, token_variable
from purge_conformance.evidence.safe_text import capitalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.auth.token import Source, Token

RENEWAL_MARGIN_S = 30.0  # a token is renewed this long before it expires, or after two thirds of a shorter lifetime
RENEWAL_TRIES = 4  # within the margin
MAX_FORCED_RENEWALS = 10  # renewals after a 401, for a token without a known expiry


@dataclass
class _TokenState:
    """The token of a role.

    Attributes:
        renew_at: when to renew it; None if its expiry is unknown or already past when it was fetched.
        retry_delay: seconds between two tries to renew it.
        forced_renewals: how often it was renewed because the target rejected it.
        error: why the role has no usable token; empty while it has one.
    """

    source: Source
    token: Token = field(repr=False)
    renew_at: float | None
    retry_delay: float
    forced_renewals: int = 0
    error: str = ""


class Tokens(Mapping[str, str]):
    """Role -> a token that has not expired.

    Attributes:
        redactor: knows every secret of the process from the moment when it was read.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        now: Callable[[], float] = time.time,
        redactor: Redactor | None = None,
    ) -> None:
        """Fetch a token of each role.

        Args:
            sources: role -> source.
            now: seconds since the epoch.
            redactor: that of the sources; None: a new one.

        Raises:
            BadSetting, TargetUnreachable: as `Source.fetch`; their text has no secret that the redactor knows.
        """
        self.redactor = redactor or Redactor()
        self._now = now
        self._lock = RLock()
        self._states = {role: self._fetch(role, source) for role, source in sources.items()}

    def __getitem__(self, role: str) -> str:
        """Return the token of a role; renew it first if it expires soon.

        Raises:
            KeyError: the role has no token.
            TokenExpired: the token has expired and cannot be renewed.
        """
        with self._lock:
            state = self._states[role]
            if state.error:
                raise TokenExpired(state.error)
            if state.renew_at is not None and self._now() >= state.renew_at and state.source.is_renewable:
                state.renew_at = self._now() + state.retry_delay  # the next try, if this one fails
                self._renew(role)
            return self._states[role].token.value

    def __contains__(self, role: object) -> bool:
        """Whether the role has or had a token; never renews it."""
        return role in self._states

    def __iter__(self) -> Iterator[str]:
        """Iterate over the roles."""
        return iter(self._states)

    def __len__(self) -> int:
        """Return the number of roles."""
        return len(self._states)

    def is_usable(self, role: str) -> bool:
        """Whether the role's token is not known to have expired; never renews it."""
        return not self._states[role].error

    def final_expiry(self, role: str) -> float | None:
        """Return when the role has no token any more, by the suite's clock; None: never, or it is unknown."""
        state = self._states[role]
        return None if state.source.is_renewable else state.token.expires_at

    def renew_if_expired(self, role: str, rejected: str, served_at: float | None) -> bool:
        """Return whether a rejected token had expired and has been replaced by a new one.

        Args:
            role: the token's role.
            rejected: the token that the target rejected.
            served_at: the time of the response by the target's clock; None if unknown.

        Raises:
            TokenExpired: the token has expired and cannot be renewed.
        """
        with self._lock:
            state = self._states[role]
            if state.token.value != rejected and not state.error:
                return True
            if not self._may_be_expired(state, served_at):
                return False
            if state.source.is_renewable and not state.error:
                self._states[role].forced_renewals += 1
                self._renew(role)
                if self._states[role].token.value != rejected:
                    return True
            if state.token.expires_at is None:
                return False
            raise self._mark_expired(
                role,
                f"Give one with a longer lifetime, or a source that renews it: --token {role}=cf or {role}=uaa:GRANT",
            )

    def replace_revoked(self, role: str, rejected: str, reason: str) -> bool:
        """Return that a token that the target no longer accepts has been replaced by a new one.

        Args:
            role: the token's role.
            rejected: the token.
            reason: since when it is rejected, for the message.

        Raises:
            TokenExpired: its source has no other token.
        """
        with self._lock:
            state = self._states[role]
            if state.token.value != rejected and not state.error:
                return True
            if state.source.is_renewable and not state.error and state.forced_renewals < MAX_FORCED_RENEWALS:
                state.forced_renewals += 1
                self._renew(role)
                if self._states[role].token.value != rejected:
                    return True
            state.error = state.error or (
                f"The token of {role} {reason}, also where it was accepted before. Give a new one with --token "
                f"{role}=SOURCE, and see that no one revokes it during the run."
            )
            raise TokenExpired(state.error)

    def _fetch(self, role: str, source: Source) -> _TokenState:
        try:
            token = source.fetch()
        except SuiteError as error:
            self.redactor.redact_error(error)
            raise
        self.redactor.add_secret(token_variable(role), token.value, f"token of {role}")
        lifetime = None if token.expires_at is None else token.expires_at - self._now()
        if token.expires_at is None or lifetime is None or lifetime <= 0:
            return _TokenState(source, token, None, 0.0)
        margin = min(RENEWAL_MARGIN_S, lifetime / 3)
        return _TokenState(source, token, token.expires_at - margin, margin / RENEWAL_TRIES)

    def _renew(self, role: str) -> None:
        """Replace the token with a newly fetched one; if there is none, keep the old one until it expires."""
        state = self._states[role]
        try:
            new_state = self._fetch(role, state.source)
        except (BadSetting, TargetUnreachable) as reason:
            expires_at = state.token.expires_at
            if isinstance(reason, LoginRejected):  # after a few more rejections a UAA locks the user out
                state.renew_at = expires_at
            if expires_at is None or self._now() >= expires_at:
                raise self._mark_expired(role, f"it could not be renewed: {reason}") from None
            return
        new_state.forced_renewals = state.forced_renewals
        if new_state.token.value != state.token.value:
            self._states[role] = new_state

    def _may_be_expired(self, state: _TokenState, served_at: float | None) -> bool:
        expires_at = state.token.expires_at
        if expires_at is None:
            return state.source.is_renewable and state.forced_renewals < MAX_FORCED_RENEWALS
        claimed_expiry = expiry(state.token.value)
        is_expired_there = served_at is not None and claimed_expiry is not None and served_at >= claimed_expiry
        return is_expired_there or self._now() >= (expires_at if state.renew_at is None else state.renew_at)

    def _mark_expired(self, role: str, reason: str) -> TokenExpired:
        state = self._states[role]
        expires_at = state.token.expires_at
        when = "was rejected with 401" if expires_at is None else f"expired at {clock.format_rfc3339(expires_at)}"
        state.error = state.error or f"The token of {role} {when}. {capitalize(reason)}"
        return TokenExpired(state.error)


def as_renewable(tokens: Mapping[str, str], redactor: Redactor | None = None) -> Tokens:
    """Return `Tokens` unchanged, and plain strings as tokens that cannot be renewed, which the redactor learns."""
    if isinstance(tokens, Tokens):
        return tokens
    return Tokens({role: StaticToken(value) for role, value in tokens.items()}, redactor=redactor)
