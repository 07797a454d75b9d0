"""Checks of what a row of evidence contains: a value of another type is an error that states both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from purge_conformance.errors import BadData

if TYPE_CHECKING:
    from collections.abc import Collection
    from enum import StrEnum

Check = tuple[Callable[[Any], bool], str]  # whether a value is valid, and what is expected
Checks = Mapping[str, Check]  # of a member, by its name

YEAR_10000 = 253_402_300_800  # seconds since the epoch; later times cannot be written as RFC 3339
MAX_SHOWN = 80  # characters of a value in a message


def check(value: object, expected: Check, name: str = "value") -> None:
    """Check one value.

    Raises:
        BadData: it is not what is expected.
    """
    is_valid, words = expected
    if not is_valid(value):
        raise BadData(f"got {show(value)} as `{name}`, expected {words}.")


def check_members(row: object, required: Checks, optional: Checks | None = None) -> None:
    """Check that a value is an object with these members, and with no others.

    Raises:
        BadData: it is not.
    """
    if not isinstance(row, dict):
        raise BadData(f"got {show(row)}, expected an object.")
    allowed = optional or {}
    for name, value in row.items():
        expected = required.get(name) or allowed.get(name)
        if expected is None:
            raise BadData(f"got the member `{name}`, expected only {', '.join([*required, *allowed])}.")
        if not expected[0](value):
            check(value, expected, name)
    for name in required:
        if name not in row:
            raise BadData(f"got no member `{name}`, expected {required[name][1]}.")


def show(value: object) -> str:
    """Return a value as JSON, cut to one line of a message."""
    text = json.dumps(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def one_of(names: type[StrEnum] | Collection[str], words: str) -> Check:
    """Return the check for a declared name."""
    declared = frozenset(map(str, names))
    return lambda value: isinstance(value, str) and value in declared, words


def or_null(expected: Check) -> Check:
    """Return the check that also allows null."""
    is_valid, words = expected
    return lambda value: value is None or is_valid(value), f"{words} or null"


def integer(at_least: int) -> Check:
    """Return the check for an integer; a boolean is not one."""
    return lambda value: type(value) is int and value >= at_least, f"an integer of at least {at_least}"


def _is_object_of_strings(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_headers(value: object) -> bool:
    if type(value) is not list or not {*map(type, value)} <= {list}:
        return False
    pairs: list[list[Any]] = value
    return {*map(len, pairs)} <= {2} and {*map(type, chain.from_iterable(pairs))} <= {str}  # sets: a run has many


def _is_seconds(value: object) -> bool:
    return type(value) in {int, float} and 0 <= value < YEAR_10000  # type: ignore[operator] # a number


def _is_numbers(value: object) -> bool:
    is_list = isinstance(value, list) and all(type(item) is int and item > 0 for item in value)
    return is_list and len(set(value)) == len(value)  # type: ignore[arg-type,call-overload] # a list


STRING: Check = (lambda value: isinstance(value, str), "a string")
BOOLEAN: Check = (lambda value: isinstance(value, bool), "true or false")
OBJECT: Check = (lambda value: isinstance(value, dict), "an object")
STRINGS: Check = (_is_list_of_strings, "a list of strings")
OBJECT_OF_STRINGS: Check = (_is_object_of_strings, "an object of strings")
ANY: Check = (lambda _: True, "a value")
POSITIVE = integer(1)
STATUS: Check = (lambda value: value is None or type(value) is int, "an integer or null")
SECONDS: Check = (_is_seconds, "a number of seconds")
HEADERS: Check = (_is_headers, "a list of pairs of a name and a value")
NUMBERS: Check = (_is_numbers, "a list of numbers of exchanges, each once")
