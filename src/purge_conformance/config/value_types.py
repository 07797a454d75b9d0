"""What the value of a key may be, and how a text says it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.config.roles import ROLE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

BOOLEAN_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a value may be.

    Attributes:
        expected: in words.
        accepts: whether a value, as the file has it or as `of_text` makes it, is one.
        parse: makes one from a text, or raises ValueError; None where a text cannot say it.
        is_repeatable: whether a flag of this kind may be repeated.
    """

    expected: str
    accepts: Callable[[Any], bool]
    parse: Callable[[str], object] | None
    is_repeatable: bool = False


def integer(minimum: int, maximum: int) -> ValueType:
    """Return whole numbers of a range."""
    return ValueType(
        f"a whole number from {minimum} to {maximum}", lambda n: type(n) is int and minimum <= n <= maximum, int
    )


def number(minimum: float, maximum: float) -> ValueType:
    """Return numbers of a range."""

    def accepts(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and minimum <= value <= maximum

    return ValueType(f"a number from {minimum:g} to {maximum:g}", accepts, lambda text: _finite(float(text)))


def one_of(*words: str) -> ValueType:
    """Return one of some words."""
    return ValueType(f"one of: {', '.join(words)}", lambda value: value in words, str)


def list_of(*words: str) -> ValueType:
    """Return a list of some words."""
    return ValueType(
        f"a list of: {', '.join(words)}",
        lambda value: _is_text_list(value) and set(value) <= set(words),
        _split_list,
        is_repeatable=True,
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


def _is_proxy(value: object) -> bool:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


TEXT = ValueType("a text", lambda value: isinstance(value, str) and value.isprintable() and bool(value), str)
TEXT_LIST = ValueType("a list of texts", _is_text_list, _split_list, is_repeatable=True)
SHA256 = ValueType("64 hexadecimal digits, small", lambda value: isinstance(value, str) and _is_sha256(value), str)
BOOLEAN = ValueType("true or false", lambda value: isinstance(value, bool), _parse_boolean)
FILE = ValueType("a file that exists", _is_file, str)
PROXY = ValueType("http(s)://[USER:PASSWORD@]HOST[:PORT]", _is_proxy, str)
TOKEN_SOURCES = ValueType(
    "a source for each role, for example `admin: env:ADMIN_TOKEN`", _is_source_mapping, None, is_repeatable=True
)
