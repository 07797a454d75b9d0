"""The table of all that a user may configure.

A key in `KEYS` is a key of the file, an environment variable, and a flag, of the command and of pytest.

To add one, add a line to `KEYS`, name it in `@configured(...)` of the commands that take its flag, and use
`given.get(name)`; a key that is named like a field of `Settings` or of `Transport` arrives there by itself.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.credentials import ROLE_NAME
from purge_conformance.driving import Mode
from purge_conformance.model import Profile
from purge_conformance.settings import MOST_REPEATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFIX = "PURGE_CONFORMANCE_"  # of environment variables
PYTEST_PREFIX = "conformance"  # of pytest's options
BARE = {"target", "tokens"}  # which pytest has without it
ROLES = {  # that requirements speak of
    "admin": "who may purge; without it nothing is judged",
    "global_auditor": "who may read all events and purge none",
    "space_developer": "who may neither read events nor purge",
    "expired": "a token of an admin that has come to its end",
}
MOST_SHOWN = 60  # characters of a wrong value
TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be.

    Attributes:
        expected: in words.
        fits: whether a value, as the file has it or as `of_text` makes it, is one.
        of_text: makes one from a text, or raises ValueError; None where a text cannot say it.
        many: whether a flag of this kind may be repeated.
    """

    expected: str
    fits: Callable[[Any], bool]
    of_text: Callable[[str], object] | None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be configured.

    Attributes:
        name: as in the file; after a dot where it stands in a section, as in `apps.space`.
        kind: what it may be.
        help: one sentence, of the flag and of the file that `init` writes.
        metavar: what stands for the value of the flag.
        flag: the flag's name where that is not the key's.
        is_secret: whether its value is never shown.
    """

    name: str
    kind: Kind
    help: str
    metavar: str = ""
    flag: str = ""
    is_secret: bool = False

    @property
    def option(self) -> str:
        """The flag, for example `--max-purges`."""
        return f"--{self.flag or re.sub('[._]', '-', self.name)}"

    @property
    def pytest_option(self) -> str:
        """The flag of plain pytest, for example `--conformance-max-purges`."""
        return self.option if self.name in BARE else f"--{PYTEST_PREFIX}{self.option[1:]}"

    @property
    def dest(self) -> str:
        """What pytest keeps its value under."""
        return f"{PYTEST_PREFIX}_{self.name.replace('.', '_')}"

    @property
    def variable(self) -> str:
        """The environment variable, for example `PURGE_CONFORMANCE_MAX_PURGES`."""
        return PREFIX + self.name.replace(".", "_").upper()

    def checked(self, value: object) -> object:
        """Return a value that fits.

        Raises:
            ValueError: it does not; says what was got and what is expected.
        """
        if not self.kind.fits(value):
            raise ValueError(f"{self.shown(value)} is not {self.kind.expected}")
        return value

    def read(self, text: str) -> object:
        """Return the value that a text of a flag or of the environment means.

        Raises:
            ValueError: it means none; says what was got and what is expected.
        """
        if self.kind.of_text is None:
            raise ValueError(f"a text cannot say it; expected {self.kind.expected}")
        try:
            return self.checked(self.kind.of_text(text))
        except ValueError:
            raise ValueError(f"{self.shown(text)} is not {self.kind.expected}") from None

    def said(self, flag: str | Iterable[str]) -> object:
        """Return the value that a flag means: what is given repeatedly becomes one list.

        Raises:
            ValueError: it means none; says what was got and what is expected.
        """
        if isinstance(flag, str):
            return self.read(flag)
        return [item for text in flag for item in self.read(text)]  # type: ignore[attr-defined] # a list, as it may be repeated

    def shown(self, value: object) -> str:
        """Return how a value is told: a long one may be a token in the wrong place, and is not."""
        told = repr(value)
        return "its value" if self.is_secret or len(told) > MOST_SHOWN else told


def whole(least: int, most: int) -> Kind:
    """Return whole numbers of a range."""
    return Kind(f"a whole number from {least} to {most}", lambda n: type(n) is int and least <= n <= most, int)


def number(least: float, most: float) -> Kind:
    """Return numbers of a range."""

    def fits(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most

    return Kind(f"a number from {least:g} to {most:g}", fits, lambda text: _finite(float(text)))


def one_of(*words: str) -> Kind:
    """Return one of some words."""
    return Kind(f"one of: {', '.join(words)}", lambda value: value in words, str)


def some_of(*words: str) -> Kind:
    """Return a list of some words."""
    return Kind(
        f"a list of: {', '.join(words)}", lambda value: _are_texts(value) and set(value) <= set(words), _list, many=True
    )


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _truth(text: str) -> bool:
    if text.lower() not in TRUTHS:
        raise ValueError
    return TRUTHS[text.lower()]


def _are_sources(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(role, str) and ROLE_NAME.fullmatch(role) and isinstance(source, str | dict)
        for role, source in value.items()
    )


def _is_file(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and Path(value).is_file()


def _is_sha256(value: str) -> bool:
    return bool(re.fullmatch("[0-9a-f]{64}", value))


def _is_proxy(value: object) -> bool:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


TEXT = Kind("a text", lambda value: isinstance(value, str) and value.isprintable() and bool(value), str)
TEXTS = Kind("a list of texts", _are_texts, _list, many=True)
SHA256 = Kind("64 hexadecimal digits, small", lambda value: isinstance(value, str) and _is_sha256(value), str)
TRUTH = Kind("true or false", lambda value: isinstance(value, bool), _truth)
FILE = Kind("a file that exists", _is_file, str)
PROXY = Kind("http(s)://[USER:PASSWORD@]HOST[:PORT]", _is_proxy, str)
SOURCES = Kind("a source for each role, for example `admin: env:ADMIN_TOKEN`", _are_sources, None, many=True)

KEYS = (
    Key("target", TEXT, "The server to judge: http(s)://HOST[:PORT][/PREFIX].", "URL"),
    Key(
        "tokens",
        SOURCES,
        "env:, file:, command:, cf or uaa:, of each role; admin is required.",
        "ROLE=SOURCE",
        "token",
        is_secret=True,
    ),
    Key("cf", TRUTH, "The admin, and the target where none is given, are those of the cf CLI's login."),
    Key(
        "profile",
        some_of(*map(str, Profile)),
        "Repeatable; default core. observe-only: reads alone, no purge.",
        "PROFILE",
    ),
    Key("select", TEXTS, "Judge these requirements only; repeatable.", "ID-GLOB"),
    Key("examples", whole(1, 1000), "Random cases an operation.", "N"),
    Key("seed", whole(0, 2**32 - 1), "Of all generated cases.", "N"),
    Key("repeat", whole(1, MOST_REPEATS), "Tries of what destroys; for rates.", "N"),
    Key("timeout", number(0.1, 600), "Seconds an answer may take.", "SECONDS"),
    Key("max_purges", whole(0, 10_000), "As an admin, at most; default: 40, and 1 a repetition.", "N"),
    Key("max_requests", whole(50, 100_000), "In all, at most; default: 1200, and 40 a repetition.", "N"),
    Key("max_events", whole(1, 100_000_000), "Archived at most; default: 50000, of `archive` 1000000.", "N"),
    Key("ca_bundle", FILE, "Certificates to trust instead of the usual ones, PEM.", "FILE"),
    Key("client_cert", FILE, "The suite's own certificate, where the target wants one, PEM.", "FILE"),
    Key("client_key", FILE, "Its key, where that does not stand in the same file.", "FILE"),
    Key("insecure", TRUTH, "Do not verify the target's certificate; the report says so."),
    Key("proxy", PROXY, "Of HTTP; default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.", "URL", is_secret=True),
    Key(
        "apps.mode",
        one_of(*map(str, Mode)),
        "observe, drive own ones, or let the hook; default: drive with --space or here, else observe.",
        "MODE",
        "apps",
    ),
    Key("apps.space", TEXT, "Make all apps there; default: in organizations of the suite's own.", "GUID", "space"),
    Key("apps.droplet", TEXT, "Let the apps run copies of this droplet.", "GUID", "app-droplet"),
    Key("apps.droplet_file", FILE, "Let the apps run this droplet, uploaded once.", "FILE", "app-droplet-file"),
    Key("apps.docker_image", TEXT, "Let the apps run this docker image.", "REF", "app-docker-image"),
    Key("hook", TEXT, "What provokes 409, 500 and 503; spec/hook.md tells how.", "URL|command:LINE", is_secret=True),
    Key(
        "fingerprint",
        SHA256,
        "Of the one foundation that is meant, as `plan` prints it; another is not purged.",
        "SHA256",
    ),
    Key("out", TEXT, "Where evidence and reports go; default: a new folder.", "FOLDER"),
)
