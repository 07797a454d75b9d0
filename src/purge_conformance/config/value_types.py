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
