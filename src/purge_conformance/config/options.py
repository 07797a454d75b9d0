"""The table of all options.

Each option in `KEYS` is a key of the configuration file, an environment variable, and a flag of the command and of
pytest.

To add one, add a line to `KEYS`, name it in `@with_configuration(...)` of the commands that have its flag, and use
`values.get(name)`; an option that is named like a field of `Settings` or `Transport` sets that field without more code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import Profile
from purge_conformance.config.apps import Mode
from purge_conformance.config.formats import ALWAYS_WRITTEN, FORMATS, FURTHER
from purge_conformance.config.settings import MAX_REPEATS
from purge_conformance.config.value_types import (
    BOOLEAN,
    COMMAND,
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
UNPREFIXED = {"target", "tokens"}  # pytest's options without that prefix
MAX_QUOTED_CHARS = 60  # of a wrong value: a longer one is not printed


@dataclass(frozen=True, slots=True)
class Key:
    """One option.

    Attributes:
        name: its key in the file; `apps.space` is the key `space` in the section `apps`.
        value_type: the values that it can have.
        help: one sentence or two, for `--help` and for the file that `init` writes.
        metavar: the placeholder of its value in `--help`.
        flag: the name of the flag if it differs from the key.
        is_secret: whether its value is never printed.
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
        """The attribute that holds its value in pytest's options."""
        return f"{PYTEST_PREFIX}_{self.name.replace('.', '_')}"

    @property
    def variable(self) -> str:
        """The environment variable, for example `PURGE_CONFORMANCE_MAX_PURGES`."""
        return PREFIX + self.name.replace(".", "_").upper()

    def validate(self, value: object) -> object:
        """Return the value if the option can have it.

        Raises:
            ValueError: it cannot; the text says what it got and what it expects.
        """
        if not self.value_type.accepts(value):
            raise ValueError(f"{self.redacted_repr(value)} is not {self.value_type.describe_expected(value)}")
        return value

    def parse(self, text: str) -> object:
        """Return the value that the text of a flag or of an environment variable stands for.

        Raises:
            ValueError: it is not such a text; the message says what it got and what it expects.
        """
        if self.value_type.parse is None:
            raise ValueError(f"a text cannot express it; expected {self.value_type.expected}")
        try:
            return self.validate(self.value_type.parse(text))
        except ValueError:
            expected = self.value_type.describe_expected(text)
            raise ValueError(f"{self.redacted_repr(text)} is not {expected}") from None

    def parse_flag(self, flag: str | Iterable[str]) -> object:
        """Return the value of a flag; the values of a repeated flag become one list.

        Raises:
            ValueError: as `parse`.
        """
        if isinstance(flag, str):
            return self.parse(flag)
        return [item for text in flag for item in self.parse(text)]  # type: ignore[attr-defined] # a list, as it may be repeated

    def redacted_repr(self, value: object) -> str:
        """Return the value for a message; not a long one, which may be a token in the wrong place."""
        text = repr(value)
        return "its value" if self.is_secret or len(text) > MAX_QUOTED_CHARS else text


KEYS = (
    Key("target", TEXT, "Server to judge: http(s)://HOST[:PORT][/PREFIX].", "URL"),
    Key(
        "tokens",
        TOKEN_SOURCES,
        "Source of a role's token, for example admin=env:ADMIN_TOKEN. Repeatable; a role `admin` is required.",
        "ROLE=SOURCE",
        "token",
        is_secret=True,
    ),
    Key("cf", BOOLEAN, "Take the admin's token, and the target if no other is given, from the cf CLI's login."),
    Key(
        "profile",
        list_of(*map(str, Profile)),
        "Profile to judge; repeatable; default: core. upstream includes core; observe-only sends only reads and judges "
        "what they show.",
        "PROFILE",
    ),
    Key("select", TEXT_LIST, "Judge only these requirements; repeatable. The verdict is at best partial.", "ID-GLOB"),
    Key("examples", integer(1, 1000), "Random cases per operation.", "N"),
    Key("seed", integer(0, 2**32 - 1), "Seed for generated test cases.", "N"),
    Key("repeat", integer(1, MAX_REPEATS), "Repeat destructive trials N times to measure failure rates.", "N"),
    Key("timeout", number(0.1, 600), "Seconds to wait for a response.", "SECONDS"),
    Key(
        "patience",
        number(0, 3600),
        "Most seconds to wait where a 429 or 503 asks for it, before a request is sent again.",
        "SECONDS",
    ),
    Key("max_purges", integer(0, 10_000), "Most purges sent as admin (default: 40 per repetition).", "N"),
    Key(
        "max_requests",
        integer(50, 100_000),
        "Most requests in total (default: 1,500, plus 480 for each round of --repeat above 1).",
        "N",
    ),
    Key(
        "max_events",
        integer(1, 100_000_000),
        "Most events to archive (default: 50,000; `archive`: all).",
        "N",
    ),
    Key(
        "max_time",
        number(1, 604_800),
        "Most seconds in total, some of them reserved for deleting apps (default: 1,800 per repetition; `archive`: "
        "3,600).",
        "SECONDS",
    ),
    Key(
        "max_memory",
        integer(16, 1_000_000),
        "Most memory for the target's responses, in MiB (default: 288, and 96 per further repetition).",
        "MIB",
    ),
    Key("ca_bundle", FILE, "PEM file of the CA certificates to trust instead of the default ones.", "FILE"),
    Key("client_cert", FILE, "PEM file of the client certificate, if the target requires one.", "FILE"),
    Key("client_key", FILE, "PEM file of its private key, if --client-cert does not contain it.", "FILE"),
    Key("insecure", BOOLEAN, "Do not verify the target's certificate; the report says so."),
    Key("proxy", PROXY, "HTTP proxy; default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.", "URL", is_secret=True),
    Key(
        "apps.mode",
        one_of(*map(str, Mode)),
        "observe: create no app; drive: create apps and delete them; hook: the hook does that. "
        "Default: drive on this machine or with --space, else observe.",
        "MODE",
        "apps",
    ),
    Key(
        "apps.space",
        TEXT,
        "Space to create all apps in; default: new ones in two new organizations.",
        "GUID",
        "space",
    ),
    Key("apps.droplet", TEXT, "Droplet whose copies the apps run.", "GUID", "app-droplet"),
    Key("apps.droplet_file", FILE, "Droplet file that the apps run, uploaded once.", "FILE", "app-droplet-file"),
    Key("apps.docker_image", TEXT, "Docker image that the apps run.", "REF", "app-docker-image"),
    Key(
        "hook",
        TEXT,
        "URL or command that makes the target answer 409, 500 and 503; see spec/hook.md in the package "
        "purge_conformance.",
        "URL|command:LINE",
        is_secret=True,
    ),
    Key(
        "hook_env",
        TEXT_LIST,
        "Environment variable that --hook and --before-purge get although it may hold a secret; repeatable.",
        "NAME",
    ),
    Key(
        "before_purge",
        COMMAND,
        "Command to run before the first purge, once the archive is whole; unless it exits with 0, no purge is sent. "
        "In a configuration file: command:COMMAND.",
        "COMMAND",
        is_secret=True,
    ),
    Key(
        "known_failures",
        FILE,
        "YAML file of the failures that are known and excused until a date; the verdict is then at best "
        "conformant-except-known.",
        "FILE",
    ),
    Key("fingerprint", SHA256, "Purge only the foundation with this fingerprint (`plan` prints it).", "SHA256"),
    Key("alongside", BOOLEAN, "Run although another run of the suite was active on the target within the last hour."),
    Key(
        "baseline",
        TEXT,
        "Earlier report.json, or its folder: a regression since then (see `compare`) makes the exit code 1.",
        "REPORT",
    ),
    Key("out", TEXT, "Folder for evidence and reports; default: a new folder.", "FOLDER"),
    Key(
        "format",
        FORMATS,
        f"Report besides {', '.join(ALWAYS_WRITTEN)}: {', '.join(FURTHER)}; repeatable.",
        "NAME[=FILE]",
    ),
)
