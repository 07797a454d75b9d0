"""The table of all that a user may configure.

A key in `KEYS` is a key of the file, an environment variable, and a flag, of the command and of pytest.

To add one, add a line to `KEYS`, name it in `@configured(...)` of the commands that take its flag, and use
`given.get(name)`; a key that is named like a field of `Settings` or of `Transport` arrives there by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Profile
from purge_conformance.config.apps import Mode
from purge_conformance.config.settings import MAX_REPEATS
from purge_conformance.config.value_types import (
    BOOLEAN,
    FILE,
    PROXY,
    SHA256,
    TEXT,
    TEXT_LIST,
    TOKEN_SOURCES,
    ValueType,
    integer,
    list_of,
    number,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "PURGE_CONFORMANCE_"  # of environment variables
PYTEST_PREFIX = "conformance"  # of pytest's options
UNPREFIXED = {"target", "tokens"}  # which pytest has without it
ROLES = {  # that requirements speak of
    "admin": "who may purge; without it nothing is judged",
    "global_auditor": "who may read all events and purge none",
    "space_developer": "who may neither read events nor purge",
    "expired": "a token of an admin that has come to its end",
}
MAX_QUOTED_CHARS = 60  # characters of a wrong value


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be configured.

    Attributes:
        name: as in the file; after a dot where it stands in a section, as in `apps.space`.
        value_type: what it may be.
        help: one sentence, of the flag and of the file that `init` writes.
        metavar: what stands for the value of the flag.
        flag: the flag's name where that is not the key's.
        is_secret: whether its value is never shown.
    """

    name: str
    value_type: ValueType
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
        return self.option if self.name in UNPREFIXED else f"--{PYTEST_PREFIX}{self.option[1:]}"

    @property
    def dest(self) -> str:
        """What pytest keeps its value under."""
        return f"{PYTEST_PREFIX}_{self.name.replace('.', '_')}"

    @property
    def variable(self) -> str:
        """The environment variable, for example `PURGE_CONFORMANCE_MAX_PURGES`."""
        return PREFIX + self.name.replace(".", "_").upper()

    def validate(self, value: object) -> object:
        """Return a value that fits.

        Raises:
            ValueError: it does not; says what was got and what is expected.
        """
        if not self.value_type.accepts(value):
            raise ValueError(f"{self.redacted_repr(value)} is not {self.value_type.expected}")
        return value

    def parse(self, text: str) -> object:
        """Return the value that a text of a flag or of the environment means.

        Raises:
            ValueError: it means none; says what was got and what is expected.
        """
        if self.value_type.parse is None:
            raise ValueError(f"a text cannot say it; expected {self.value_type.expected}")
        try:
            return self.validate(self.value_type.parse(text))
        except ValueError:
            raise ValueError(f"{self.redacted_repr(text)} is not {self.value_type.expected}") from None

    def parse_flag(self, flag: str | Iterable[str]) -> object:
        """Return the value that a flag means: what is given repeatedly becomes one list.

        Raises:
            ValueError: it means none; says what was got and what is expected.
        """
        if isinstance(flag, str):
            return self.parse(flag)
        return [item for text in flag for item in self.parse(text)]  # type: ignore[attr-defined] # a list, as it may be repeated

    def redacted_repr(self, value: object) -> str:
        """Return how a value is told: a long one may be a token in the wrong place, and is not."""
        text = repr(value)
        return "its value" if self.is_secret or len(text) > MAX_QUOTED_CHARS else text


KEYS = (
    Key("target", TEXT, "The server to judge: http(s)://HOST[:PORT][/PREFIX].", "URL"),
    Key(
        "tokens",
        TOKEN_SOURCES,
        "env:, file:, command:, cf or uaa:, of each role; admin is required.",
        "ROLE=SOURCE",
        "token",
        is_secret=True,
    ),
    Key("cf", BOOLEAN, "The admin, and the target where none is given, are those of the cf CLI's login."),
    Key(
        "profile",
        list_of(*map(str, Profile)),
        "Repeatable; default core. observe-only: reads alone, no purge.",
        "PROFILE",
    ),
    Key("select", TEXT_LIST, "Judge these requirements only; repeatable.", "ID-GLOB"),
    Key("examples", integer(1, 1000), "Random cases an operation.", "N"),
    Key("seed", integer(0, 2**32 - 1), "Of all generated cases.", "N"),
    Key("repeat", integer(1, MAX_REPEATS), "Tries of what destroys; for rates.", "N"),
    Key("timeout", number(0.1, 600), "Seconds an answer may take.", "SECONDS"),
    Key("max_purges", integer(0, 10_000), "As an admin, at most; default: 40 for each time.", "N"),
    Key("max_requests", integer(50, 100_000), "In all, at most; default: 1200, and 480 a repetition.", "N"),
    Key("max_events", integer(1, 100_000_000), "Archived at most; default: 50000, of `archive` 1000000.", "N"),
    Key("ca_bundle", FILE, "Certificates to trust instead of the usual ones, PEM.", "FILE"),
    Key("client_cert", FILE, "The suite's own certificate, where the target wants one, PEM.", "FILE"),
    Key("client_key", FILE, "Its key, where that does not stand in the same file.", "FILE"),
    Key("insecure", BOOLEAN, "Do not verify the target's certificate; the report says so."),
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
