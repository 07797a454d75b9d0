"""Tokens are renewed before they expire, within bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Barrier

import pytest

from meta.support.uaa import signed
from purge_conformance.client.auth.renewal import RENEWAL_MARGIN_S, Tokens, as_renewable
from purge_conformance.client.auth.token import Token
from purge_conformance.errors import BadSetting, LoginRejected, TokenExpired

LIFE = 600.0


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class CountingSource:
    """A source whose tokens are numbered.

    Attributes:
        life: seconds that each lives; None where nobody can tell.
        fails: whether there is none.
        stays: whether it gives the first one again and again.
    """

    clock: Clock
    life: float | None = LIFE
    is_renewable: bool = True
    fails: bool = False
    stays: bool = False
    numbers: count[int] = field(default_factory=lambda: count(1))
    given: list[str] = field(default_factory=list, repr=False)

    def fetch(self) -> Token:
        """Return the next token."""
        if self.fails:
            raise BadSetting("The login said no.")
        if not (self.stays and self.given):
            self.given.append(f"token-number-{next(self.numbers)}")
        return Token(self.given[-1], None if self.life is None else self.clock() + self.life)


@dataclass
class RejectingLogin(CountingSource):
    """A login that rejects each request.

    Attributes:
        asked: how often it was asked.
    """

    asked: int = 0

    def fetch(self) -> Token:
        """Return the next token."""
        self.asked += 1
        if self.fails:
            raise LoginRejected("unauthorized")
        return super().fetch()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def test_valid_token_is_cached(clock: Clock) -> None:
    """A token is fetched once while it is far from its expiry."""
    source = CountingSource(clock)
    tokens = Tokens({"admin": source}, clock)
    clock.now += LIFE - RENEWAL_MARGIN_S - 1
    assert (tokens["admin"], source.given) == ("token-number-1", ["token-number-1"])


@pytest.mark.parametrize(("life", "at"), [(LIFE, LIFE - RENEWAL_MARGIN_S), (3.0, 2.0)])
def test_token_is_renewed_before_expiry(life: float, at: float, clock: Clock) -> None:
    """A token is renewed 30 seconds before its expiry; a short-lived one after two thirds of its life."""
    tokens = Tokens({"admin": CountingSource(clock, life)}, clock)
    clock.now += at
    assert tokens["admin"] == "token-number-2"


def test_threads_renew_once(clock: Clock) -> None:
    """Of several threads that need a new token at the same time, one fetches it for all."""
    source = CountingSource(clock)
    tokens = Tokens({"admin": source}, clock)
    clock.now += LIFE - 1
    together = Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        return tokens["admin"]

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {"token-number-2"}
    assert len(source.given) == 2


def test_valid_token_survives_failure(clock: Clock) -> None:
    """A token that cannot be renewed yet is used until its expiry, and the next attempt follows after a pause."""
    source = CountingSource(clock)
    tokens = Tokens({"admin": source}, clock)
    clock.now += LIFE - RENEWAL_MARGIN_S
    source.fails = True
    assert [tokens["admin"], tokens["admin"]] == ["token-number-1"] * 2
    source.fails = False
    assert tokens["admin"] == "token-number-1"
    clock.now += RENEWAL_MARGIN_S / 4
    assert tokens["admin"] == "token-number-2"


def test_rejected_login_is_not_repeated(clock: Clock) -> None:
    """A rejected login is repeated once, at the expiry of the token: a UAA locks out users after failed logins."""
    source = RejectingLogin(clock)
    tokens = Tokens({"admin": source}, clock)
    source.fails = True
    for _ in range(60):
        clock.now += LIFE / 60
        with suppress(TokenExpired):
            assert tokens["admin"] == "token-number-1"
    assert source.asked == 3
    assert not tokens.is_usable("admin")


def test_expired_token_is_reported(clock: Clock) -> None:
    """A token that expired and could not be renewed is not used, and the error says why."""
    source = CountingSource(clock)
    tokens = Tokens({"admin": source, "global_auditor": CountingSource(clock)}, clock)
    clock.now += LIFE
    source.fails = True
    for _ in range(2):
        with pytest.raises(TokenExpired, match=r"of admin expired at 1970-.*could not be renewed: The login said no"):
            tokens["admin"]
        source.fails = False
    assert [tokens.is_usable(role) for role in tokens] == [False, True]
    assert "admin" in tokens


def test_redactor_knows_every_token(clock: Clock) -> None:
    """Each token is redacted, also after a renewal."""
    tokens = Tokens({"admin": CountingSource(clock)}, clock)
    for _ in range(3):
        clock.now += LIFE
        assert tokens["admin"]
    said = tokens.redactor.redact_text(" ".join(f"token-number-{n}" for n in range(1, 5)))
    assert said == " ".join(["$ADMIN_TOKEN"] * 4)
    assert "token-number" not in f"{tokens!r} {vars(tokens)['_states']!r}"


@pytest.mark.parametrize(("after", "counts"), [(10.0, True), (LIFE - 1, False), (LIFE + 1, False)])
def test_rejection_of_valid_token_counts(after: float, clock: Clock, *, counts: bool) -> None:
    """A 401 is the target's response if the token is valid, and no response if the token is expired."""
    tokens = Tokens({"admin": CountingSource(clock)}, clock)
    clock.now += after
    assert tokens.renew_if_expired("admin", "token-number-1", None) is not counts


def test_rejection_of_replaced_token_is_ignored(clock: Clock) -> None:
    """If another thread renewed the token meanwhile, the new token is used."""
    tokens = Tokens({"admin": CountingSource(clock)}, clock)
    clock.now += LIFE
    assert tokens["admin"] == "token-number-2"
    assert tokens.renew_if_expired("admin", "token-number-1", None)


def test_target_clock_decides_expiry(clock: Clock) -> None:
    """A token is expired if it is expired by the clock of the target."""
    value = signed("admin", LIFE, clock())
    tokens = Tokens({"admin": StaticSource(value, clock() + LIFE)}, clock)
    assert tokens.renew_if_expired("admin", value, clock() + LIFE - 10) is False
    with pytest.raises(TokenExpired, match="Give one with a longer lifetime, or a source"):
        tokens.renew_if_expired("admin", value, clock() + LIFE + 10)


@dataclass(frozen=True)
class StaticSource:
    """One token, as from the environment."""

    value: str
    expires_at: float | None
    is_renewable: bool = False

    def fetch(self) -> Token:
        """Return the next token."""
        return Token(self.value, self.expires_at)


def test_opaque_token_expiry_is_detected(clock: Clock) -> None:
    """A rejected opaque token is expired if its source has a new token; otherwise the rejection counts."""
    source = CountingSource(clock, life=None)
    tokens = Tokens({"admin": source}, clock)
    assert tokens.renew_if_expired("admin", "token-number-1", None)
    source.stays = True
    assert not tokens.renew_if_expired("admin", "token-number-2", None)
    assert not as_renewable({"admin": "an-opaque-token"}).renew_if_expired("admin", "an-opaque-token", None)


def test_renewals_are_bounded(clock: Clock) -> None:
    """A target that rejects every token receives a bounded number of new tokens."""
    source = CountingSource(clock, life=None)
    tokens = Tokens({"admin": source}, clock)
    tried = [tokens.renew_if_expired("admin", source.given[-1], None) for _ in range(50)]
    assert tried == sorted(tried, reverse=True)
    assert sum(tried) == 10


def test_unchanged_expired_token_is_reported(clock: Clock) -> None:
    """If a source still returns the expired token, the error says so."""
    source = CountingSource(clock, stays=True)
    tokens = Tokens({"admin": source}, clock)
    first = clock.now
    clock.now += LIFE + 1
    source.life = first + LIFE - clock.now  # it is the same token, and ends when it ends
    with pytest.raises(TokenExpired, match="of admin expired at"):
        tokens.renew_if_expired("admin", "token-number-1", None)


def test_locally_expired_token_is_sent(clock: Clock) -> None:
    """A token that is expired by the local clock only is sent: the clock may be wrong."""
    tokens = Tokens({"expired": StaticSource("an-old-token", clock() - 5)}, clock)
    assert tokens["expired"] == "an-old-token"
