"""What a run is asked for, as values: merged once by the command line, handed down, never read from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from purge_conformance.catalogue.model import Profile
from purge_conformance.config.apps import AppSettings
from purge_conformance.config.transport import Transport, is_loopback
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from purge_conformance.config.hook_url import HookAddress

TIMEOUT = 30.0
PORTS = {"http": 80, "https": 443}
MAX_REPEATS = 200
REQUESTS_PER_REPEAT = 480  # at most, as `planning` has it


@dataclass(frozen=True, slots=True)
class Target:
    """The server under judgment.

    Attributes:
        url: base URL without a trailing slash, for example `https://api.example.org`.
    """

    url: str

    @property
    def host(self) -> str:
        """The host name or address, in lower case."""
        return urlsplit(self.url).hostname or ""

    @property
    def names(self) -> frozenset[str]:
        """What names the host, alone or with the port."""
        parts = urlsplit(self.url)
        address = f"[{self.host}]" if ":" in self.host else self.host
        return frozenset({self.host, address, f"{address}:{parts.port or PORTS[parts.scheme]}"})

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, by its name or address alone (no look-up)."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a run.

    Attributes:
        timeout: seconds to wait for one answer.
        max_purges: the most purges that may reach the target with an admin's token.
        max_requests: the most requests of any kind.
        max_body_bytes: the most bytes that are read of one answer.
        max_events: the most events that one snapshot reads, and that are archived.
    """

    timeout: float = TIMEOUT
    max_purges: int = 40
    max_requests: int = 1200
    max_body_bytes: int = 16 * 1024 * 1024
    max_events: int = 50_000


@dataclass(frozen=True, slots=True)
class Settings:
    """All that one run is asked for.

    Attributes:
        target: the server under judgment.
        tokens: role -> bearer token, secret; `repr` hides them. `Tokens` are renewed in time.
        profiles: which requirements are judged.
        select: glob patterns of requirement ids; empty means all.
        examples: generated cases an operation and mode, at most.
        seed: seed of all generation.
        repeat: how often what destroys is tried; `bounds` gives the limits that this takes.
        hook: what puts the target into a state by its name, or None.
        fingerprint: of the one foundation that is meant, as `fingerprint.of_root` makes it; or None.
        transport: how the target is reached.
        limits: bounds of the run.
        apps: what is done with apps.
    """

    target: Target
    tokens: Mapping[str, str] = field(repr=False)
    profiles: tuple[Profile, ...] = (Profile.CORE,)
    select: tuple[str, ...] = ()
    examples: int = 10
    seed: int = 1
    repeat: int = 1
    hook: HookAddress | None = None
    fingerprint: str | None = None
    transport: Transport = field(default_factory=Transport)
    limits: Limits = field(default_factory=Limits)
    apps: AppSettings = field(default_factory=AppSettings)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing may be sent that could change anything."""
        return Profile.OBSERVE_ONLY in self.profiles


def limits_for(
    repeat: int,
    *,
    max_purges: int | None = None,
    max_requests: int | None = None,
    max_events: int | None = None,
    timeout: float = TIMEOUT,
) -> Limits:
    """Return the limits of a run: those that were given, or else the usual ones and room for each repetition.

    Raises:
        BadSetting: `repeat` is out of bounds, or so many purges as it takes were not allowed.
    """
    if not 1 <= repeat <= MAX_REPEATS:
        raise BadSetting(f"--repeat {repeat} is not from 1 to {MAX_REPEATS}. Give a number in between.")
    purges = Limits().max_purges * repeat
    if repeat > 1 and max_purges is not None and max_purges < purges:
        raise BadSetting(
            f"--repeat {repeat} takes up to {purges} purges, and --max-purges allows {max_purges}. "
            f"Give --max-purges {purges}, or leave it out."
        )
    requests = Limits().max_requests + REQUESTS_PER_REPEAT * (repeat - 1)
    return Limits(
        timeout=timeout,
        max_purges=purges if max_purges is None else max_purges,
        max_requests=requests if max_requests is None else max_requests,
        max_events=Limits().max_events if max_events is None else max_events,
    )


def announcement(settings: Settings, folder: Path) -> str:
    """Return what must be said before the first purge: what will be destroyed, how often at most, and what is kept."""
    limits = settings.limits
    if settings.is_read_only:
        return (
            f"{settings.target.url}: only reads, at most {limits.max_requests}; nothing is destroyed, made or changed; "
            f"evidence in {folder}"
        )
    return (
        f"{settings.target.url}: at most {limits.max_purges} purges, each destroys all app usage events, "
        f"and {limits.max_requests} requests; evidence in {folder}"
    )


def parse_target(text: str) -> Target:
    """Return the target that a URL names.

    Raises:
        BadSetting: it is no http(s) URL, or carries credentials, a query or a fragment.
    """
    expected = "Give http(s)://HOST[:PORT][/PREFIX]."
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or re.search(r"[\s\x00-\x1f\\]", text):
        raise BadSetting(f"{text!r} is not a URL of a target. {expected}")
    if parts.username is not None or parts.password is not None:
        raise BadSetting("The target's URL carries credentials. Give tokens with --token ROLE=SOURCE.")
    if parts.query or parts.fragment:
        raise BadSetting(f"{text!r} has a query or a fragment. {expected}")
    return Target(text.rstrip("/"))
