"""Where the user's hook is, which puts the target into a state by its name, and what it is asked; `spec/hook.md`."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1  # of the protocol
SETUP, TEARDOWN = "setup", "teardown"
NOTHING = "nothing"  # the state that is none: whoever asks for it wants to know whether the hook is there
COMMAND = "command:"
EXPECTED = "Give --hook http(s)://HOST[:PORT]/PATH, or --hook 'command:PROGRAM ARGUMENT ...'."


@dataclass(frozen=True, slots=True)
class HookAddress:
    """The address of a hook, which may hold a secret of the user's: `repr` hides it.

    Attributes:
        url: of an HTTP endpoint, or "".
        command: the words of a command, or none.
    """

    url: str = field(default="", repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> str:
        """What it is, for reports."""
        return "url" if self.url else "command"


def parse_hook(text: str) -> HookAddress:
    """Return the hook that `--hook` names; what was given is never shown, since it may hold a secret.

    Raises:
        BadSetting: it is neither an http(s) URL nor `command:` and a command.
    """
    if text.startswith(COMMAND):
        return HookAddress(command=_words(text.removeprefix(COMMAND)))
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.fragment or "@" in parts.netloc or re.search(r"[\s\x00-\x1f\\]", text):
        raise BadSetting(f"--hook got neither a URL without user and fragment nor a command. {EXPECTED}")
    return HookAddress(url=text)


def question(state: str, params: Mapping[str, object], action: str) -> str:
    """Return the JSON that a hook is asked with."""
    return json.dumps({"version": VERSION, "state": state, "params": params, "action": action})


def _words(line: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise BadSetting(f"--hook got a command that cannot be read ({error}). {EXPECTED}") from None
    if not words:
        raise BadSetting(f"--hook got no command. {EXPECTED}")
    return words
