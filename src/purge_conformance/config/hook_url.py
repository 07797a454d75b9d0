"""The address of the user's hook, which puts the target into a named state, and the requests to it (`spec/hook.md`)."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROTOCOL_VERSION = 1
SETUP, TEARDOWN = "setup", "teardown"
PROBE_STATE = "nothing"  # a state without effect: asks whether the hook answers
COMMAND_PREFIX = "command:"
MIN_KEY_LENGTH = 20  # of a value of a query that may be a key, however it is named
_SECRET = re.compile("token|passw|secret|credential|key|auth", re.IGNORECASE)  # in the name of an option
USAGE = "Give --hook http(s)://HOST[:PORT]/PATH, or --hook 'command:PROGRAM ARGUMENT ...'."


@dataclass(frozen=True, slots=True)
class HookAddress:
    """The address of a hook, which may contain a secret: `repr` hides it.

    Attributes:
        url: the URL of an HTTP endpoint, or "".
        command: the words of a command; empty if there is a URL.
    """

    url: str = field(default="", repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> str:
        """`url` or `command`, for reports."""
        return "url" if self.url else "command"

    @property
    def secrets(self) -> Iterator[tuple[str, str]]:
        """What may be secret in it: name, secret. They are values of its query, or of options of its command."""
        query = parse_qsl(urlsplit(self.url).query)
        values = [value for name, value in query if _SECRET.search(name) or len(value) >= MIN_KEY_LENGTH]
        values += [value for word in self.command for name, _, value in [word.partition("=")] if _SECRET.search(name)]
        values += [value for name, value in pairwise(self.command) if name[:1] == "-" and _SECRET.search(name)]
        yield from (("HOOK_SECRET", value) for value in values)


def parse_hook(text: str) -> HookAddress:
    """Return the address in the value of `--hook`; no message contains the value, which may contain a secret.

    Raises:
        BadSetting: it is neither an http(s) URL nor `command:` and a command.
    """
    if text.startswith(COMMAND_PREFIX):
        return HookAddress(command=_split_command(text.removeprefix(COMMAND_PREFIX)))
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.fragment or "@" in parts.netloc or re.search(r"[\s\x00-\x1f\\]", text):
        raise BadSetting("--hook takes http(s)://HOST[:PORT]/PATH without USER@ and #, or command:PROGRAM.")
    return HookAddress(url=text)


def hook_request(state: str, params: Mapping[str, object], action: str) -> str:
    """Return the JSON body of a request to a hook."""
    return json.dumps({"version": PROTOCOL_VERSION, "state": state, "params": params, "action": action})


def _split_command(line: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise BadSetting(f"--hook got a command with wrong quoting ({error}). {USAGE}") from None
    if not words:
        raise BadSetting(f"--hook got no command. {USAGE}")
    return words
