"""The settings of a run, as values: built once, handed down, never read from the environment later."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from purge_conformance.catalogue.model import Profile
from purge_conformance.config.apps import AppSettings
from purge_conformance.config.transport import Transport
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from purge_conformance.config.hook_url import HookAddress

TIMEOUT = 30.0
PATIENCE = 60.0
MIB = 1024 * 1024
RECEIVED_PER_MEMORY = 4  # of a large foundation, most rows are received many times and kept once
MEMORY_PER_REPEAT = 96  # MiB
PORTS = {"http": 80, "https": 443}
MAX_REPEATS = 200
ALLOW_INCOMPLETE_ARCHIVE = "--allow-incomplete-archive"  # a flag only: no file and no variable can give it
REQUESTS_PER_REPEAT = 480  # an upper bound of what `engine.plan` counts


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
    def address(self) -> str:
        """The host and the port, for example `api.example.org:443`."""
        parts = urlsplit(self.url)
        return f"{self._bracketed_host}:{parts.port or PORTS.get(parts.scheme, '')}"

    @property
    def names(self) -> frozenset[str]:
        """The names that stand for the host: with and without the port."""
        return frozenset({self.host, self._bracketed_host, self.address})

    @property
    def _bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a run.

    Attributes:
        timeout: seconds to wait for a response.
        patience: most seconds to wait before a request is sent again, where a 429 or 503 asks for it.
        max_purges: most purges with the admin's token.
        max_requests: most requests of any kind.
        max_body_bytes: most bytes read of one response body.
        max_json_memory: most bytes of memory that the JSON of one body may take, by `estimate_memory`.
        max_header_bytes: most bytes of the header fields of one response.
        max_memory: most MiB of memory that the exchanges of a run may take, by the estimate of the journal; the
            request that exceeds it is the last one before the cleanup.
        max_events: most events that one snapshot reads and that are archived.
        max_time: seconds of the whole run.
    """

    timeout: float = TIMEOUT
    patience: float = PATIENCE
    max_purges: int = 40
    max_requests: int = 1500
    max_body_bytes: int = 16 * MIB
    max_json_memory: int = 128 * MIB
    max_header_bytes: int = 64 * 1024
    max_memory: int = 288
    max_events: int = 50_000
    max_time: float = 1800.0

    @property
    def max_received_bytes(self) -> int:
        """Most bytes of `evidence.jsonl`, or of all responses of a command that records nothing."""
        return RECEIVED_PER_MEMORY * self.max_memory * MIB


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user asked one run for.

    Attributes:
        target: the server under judgment.
        tokens: role -> bearer token, secret; `repr` hides them. Empty until `log_in` has opened the sources.
        profiles: which requirements are judged.
        select: glob patterns of requirement ids; empty means all.
        scenarios: names of the scenarios that it has besides those of every run; None: those of its selection.
        examples: most generated cases per operation and mode.
        seed: seed of all generation.
        repeat: how often each destructive trial runs; `limits_for` returns the limits that this needs.
        hook: the user's program that puts the target into a named state, or None.
        hook_env: environment variables that commands get although they may hold a secret.
        before_purge: words of a command that has to succeed before the first purge; empty: there is none.
        fingerprint: SHA-256 of the only foundation that may be purged (`fingerprint_of`), or None.
        alongside: whether another run of the suite may be in progress on the target.
        transport: how the target is reached.
        limits: bounds of the run.
        apps: what the run does with apps.
        allow_incomplete_archive: whether to purge although not all events are archived.
        owns_target: whether the run started the target itself, and may destroy all that it holds.
        begin: when the time of the run began, as `time.monotonic` counts; None: it begins with the first request.
        token_sources: role -> where its token is, as the user wrote it; empty where the tokens are already known.
    """

    target: Target
    tokens: Mapping[str, str] = field(repr=False)
    profiles: tuple[Profile, ...] = (Profile.CORE,)
    select: tuple[str, ...] = ()
    scenarios: frozenset[str] | None = None
    examples: int = 10
    seed: int = 1
    repeat: int = 1
    hook: HookAddress | None = None
    hook_env: tuple[str, ...] = ()
    before_purge: tuple[str, ...] = field(default=(), repr=False)
    fingerprint: str | None = None
    alongside: bool = False
    transport: Transport = field(default_factory=Transport)
    limits: Limits = field(default_factory=Limits)
    apps: AppSettings = field(default_factory=AppSettings)
    allow_incomplete_archive: bool = False
    owns_target: bool = False
    begin: float | None = None
    token_sources: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def is_read_only(self) -> bool:
        """Whether the run sends no request that could change something."""
        return Profile.OBSERVE_ONLY in self.profiles

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """The secrets in the URLs of proxies and in the address of the hook: name, secret."""
        return [*self.transport.secrets, *(self.hook.secrets if self.hook else ())]

    @property
    def is_loopback(self) -> bool:
        """Whether requests to the target stay on this machine (`Transport.is_loopback`)."""
        return self.transport.is_loopback(self.target.url)


def limits_for(repeat: int, **given: float) -> Limits:
    """Return the limits of a run; those that are not given grow with each repetition.

    Args:
        repeat: how often each destructive trial runs.
        given: fields of `Limits`.

    Raises:
        BadSetting: `repeat` is out of range, or `max_purges` is too small for it.
    """
    if not 1 <= repeat <= MAX_REPEATS:
        raise BadSetting(f"--repeat got {repeat}. Give a number from 1 to {MAX_REPEATS}.")
    defaults = Limits()
    purges = defaults.max_purges * repeat
    if repeat > 1 and given.get("max_purges", purges) < purges:
        raise BadSetting(
            f"--repeat {repeat} needs up to {purges} purges, but --max-purges allows {given['max_purges']}. "
            f"Give --max-purges {purges}, or omit it."
        )
    grown = Limits(
        max_purges=purges,
        max_requests=defaults.max_requests + REQUESTS_PER_REPEAT * (repeat - 1),
        max_time=defaults.max_time * repeat,
        max_memory=defaults.max_memory + MEMORY_PER_REPEAT * (repeat - 1),
    )
    return replace(grown, **given)  # type: ignore[arg-type] # each has the type of its field


def announcement(settings: Settings, folder: Path, purges: int) -> str:
    """Return what is printed before the first request with a token: what the run may destroy, where its evidence is.

    Args:
        settings: of the run.
        folder: of its evidence.
        purges: how many it sends at most as admin.
    """
    limits = settings.limits
    if settings.is_read_only:
        return (
            f"{settings.target.url}: at most {limits.max_requests:,} reads, in at most "
            f"{describe_seconds(limits.max_time)}; nothing is created, changed or destroyed. Evidence: {folder}"
        )
    harm = f"at most {purges} purge{'s' if purges > 1 else ''}, each destroys all app usage events"
    if not purges:
        harm = "no purge as admin, but requests that a faulty target may treat as a purge of all app usage events"
    return (
        f"{settings.target.url}: {harm}, and at most {limits.max_requests:,} requests, in at most "
        f"{describe_seconds(limits.max_time)}. Evidence: {folder}"
    )


def describe_seconds(seconds: float) -> str:
    """Return for example `20 s` or `30 min`."""
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.6g} min"  # noqa: PLR2004 -- two minutes


def parse_target(text: str) -> Target:
    """Return the target at a URL.

    Raises:
        BadSetting: it is not an http(s) URL, or it contains credentials, a query or a fragment.
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
        raise BadSetting(
            "The target's URL contains credentials. Remove them, and give tokens with --token ROLE=SOURCE."
        )
    if "?" in text or "#" in text:
        raise BadSetting(f"{text!r} has a query or a fragment. {expected}")
    return Target(text.rstrip("/"))
