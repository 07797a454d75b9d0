"""The types of the values of options, and how a text is parsed into one."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.config.hook_url import COMMAND_PREFIX
from purge_conformance.config.roles import ROLE_NAME
from purge_conformance.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

BOOLEAN_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of values.

    Attributes:
        expected: a description of the type, for error messages.
        accepts: whether a value from the file or from `parse` has this type.
        parse: turns a text into a value, or raises ValueError; None if no text can express one.
        is_repeatable: whether a flag of this type may be repeated.
        words: the only texts that are values, or items of one; empty if others are.
    """

    expected: str
    accepts: Callable[[Any], bool]
    parse: Callable[[str], object] | None
    is_repeatable: bool = False
    words: tuple[str, ...] = ()

    def describe_expected(self, text: object) -> str:
        """Return what is expected instead of a text, and which of the words may be meant."""
        items = text.split(",") if self.is_repeatable and isinstance(text, str) else [text]
        names = [item.partition("=")[0].strip() for item in items if isinstance(item, str)]
        unknown = next((name for name in names if name not in self.words), "")
        meant = did_you_mean(unknown, self.words, number=1)
        return f"{self.expected} ({meant.strip().replace('Did', 'did')})" if meant else self.expected


def integer(minimum: int, maximum: int) -> ValueType:
    """Return the type of the whole numbers from `minimum` to `maximum`."""
    return ValueType(
        f"a whole number from {minimum} to {maximum}", lambda n: type(n) is int and minimum <= n <= maximum, int
    )


def number(minimum: float, maximum: float) -> ValueType:
    """Return the type of the numbers from `minimum` to `maximum`."""

    def accepts(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and minimum <= value <= maximum

    return ValueType(f"a number from {minimum:g} to {maximum:g}", accepts, lambda text: _finite(float(text)))


def one_of(*words: str) -> ValueType:
    """Return the type of these words."""
    return ValueType(f"one of: {', '.join(words)}", lambda value: value in words, str, words=words)


def list_of(*words: str) -> ValueType:
    """Return the type of the lists of these words."""
    return ValueType(
        f"a list of: {', '.join(words)}",
        lambda value: _is_text_list(value) and set(value) <= set(words),
        _split_list,
        is_repeatable=True,
        words=words,
    )


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _split_list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _parse_boolean(text: str) -> bool:
    if text.lower() not in BOOLEAN_WORDS:
        raise ValueError
    return BOOLEAN_WORDS[text.lower()]


def _is_source_mapping(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(role, str) and ROLE_NAME.fullmatch(role) and isinstance(source, str | dict)
        for role, source in value.items()
    )


def _is_file(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value and Path(value).is_file()


def _is_sha256(value: str) -> bool:
    return bool(re.fullmatch("[0-9a-f]{64}", value))


def _is_command(value: object) -> bool:
    try:
        return isinstance(value, str) and value.isprintable() and bool(split_command(value))
    except ValueError:
        return False


def split_command(line: str) -> tuple[str, ...]:
    """Return the words of `command:PROGRAM ARGUMENT ...`; none if it begins otherwise.

    Raises:
        ValueError: its quoting is wrong.
    """
    return tuple(shlex.split(line.removeprefix(COMMAND_PREFIX))) if line.startswith(COMMAND_PREFIX) else ()


def _is_proxy(value: object) -> bool:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


TEXT = ValueType("a text", lambda value: isinstance(value, str) and value.isprintable() and bool(value), str)
TEXT_LIST = ValueType("a list of texts", _is_text_list, _split_list, is_repeatable=True)
SHA256 = ValueType(
    "a lower-case SHA-256 (64 hex digits)", lambda value: isinstance(value, str) and _is_sha256(value), str
)
BOOLEAN = ValueType("true or false", lambda value: isinstance(value, bool), _parse_boolean)
FILE = ValueType("an existing file", _is_file, str)
PROXY = ValueType("http(s)://[USER:PASSWORD@]HOST[:PORT]", _is_proxy, str)
COMMAND = ValueType(  # the prefix marks it in a file, where a command runs only if the file is trusted
    f"{COMMAND_PREFIX}PROGRAM ARGUMENT ...",
    _is_command,
    lambda text: text if text.startswith(COMMAND_PREFIX) else f"{COMMAND_PREFIX}{text}",
)
TOKEN_SOURCES = ValueType(
    "a source for each role, for example `admin: env:ADMIN_TOKEN`", _is_source_mapping, None, is_repeatable=True
)
