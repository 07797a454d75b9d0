"""Classifies queries of the list by Cloud Controller's documentation: valid, invalid or unspecified.

Validity against the schema, as Schemathesis decides it, is too strict for query strings, in which everything is text:
Ruby parses `1abc` as 1 and an empty value as absent, and the documentation mentions neither. So a query is `valid` only
if every interpretation accepts it, `invalid` only if none does, and `open` otherwise: a target may then accept or
reject it.

Source: the API's documentation, "List app usage events", "Pagination", "Filters", "Timestamps".
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from purge_conformance.catalogue.api import LIST_OPERATION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MAX_PER_PAGE = 5000  # as documented by Cloud Controller; a target may have a lower or a higher limit
DEFAULT_PER_PAGE = 50
MAX_OFFSET = 2**31 - 1  # a target may reject a larger offset
MAX_DIGITS = 40  # of a number; more digits do not change its class
RUBY_INTEGER = re.compile(r"\s*([+-]?[0-9](?:_?[0-9])*)")  # the part of a text that String#to_i parses
GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")  # "uuid", in the documentation
MAX_GUIDS = 50
TIMESTAMP = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
ISO_8601_DATE = re.compile(r"\s*[0-9]{4}-?[0-9]{2}-?[0-9]{2}.*", re.DOTALL)  # other formats of ISO 8601
TIME_OPERATOR = re.compile(r"created_ats\[([^\[\]]+)\]")
TIME_OPERATORS = {"lt", "lte", "gt", "gte"}
NOT_OPERATOR = "not"  # documented for "some fields", without a list


class Validity(StrEnum):
    """Whether the documentation allows a query; the class of several parameters is the last member that one has."""

    VALID = "valid"
    UNSPECIFIED = "open"
    INVALID = "invalid"


def parse_query(path: str) -> dict[str, list[str]]:
    """Return the decoded query parameters of a path, including repeated and empty ones."""
    return parse_qs(urlsplit(path).query, keep_blank_values=True)


def classify_query(
    operation_id: str, query: Mapping[str, str | list[str]], *, existing_guids: Collection[str] = frozenset()
) -> Validity:
    """Return whether a query must be accepted (200), must be rejected (400 or 422), or may be either.

    Args:
        operation_id: only the list has documented parameters; for other operations every query is unspecified.
        query: decoded parameters; the value is a list if a parameter is repeated.
        existing_guids: guids of events that certainly exist; `after_guid` with another guid is unspecified.
    """
    if operation_id != LIST_OPERATION:
        return Validity.UNSPECIFIED
    values = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    validities = {_classify_parameter(name, several, existing_guids) for name, several in values.items()}
    validities |= {_classify_combination(values), Validity.VALID}
    return max(validities, key=list(Validity).index)


def _classify_parameter(name: str, values: list[str], existing_guids: Collection[str]) -> Validity:
    operator = TIME_OPERATOR.fullmatch(name)
    if operator and operator[1] not in {*TIME_OPERATORS, NOT_OPERATOR}:
        return Validity.UNSPECIFIED  # some servers take it for an unknown parameter
    if len(values) != 1 or values[0] == "":
        return Validity.UNSPECIFIED
    if operator:
        by_operator = Validity.UNSPECIFIED if operator[1] == NOT_OPERATOR or "," in values[0] else Validity.VALID
        return max(by_operator, _classify_created_ats(values[0]), key=list(Validity).index)
    if name == "after_guid":
        return Validity.VALID if values[0] in existing_guids else Validity.UNSPECIFIED
    classify = CLASSIFIERS.get(name)
    return classify(values[0]) if classify else Validity.UNSPECIFIED


def _classify_combination(values: Mapping[str, list[str]]) -> Validity:
    """Classify what depends on several parameters at once."""
    if "created_ats" in values and any(TIME_OPERATOR.fullmatch(name) for name in values):
        return Validity.UNSPECIFIED  # equality and an operator at once
    page, per_page = (_possible_integers(values[name][0]) if name in values else set() for name in ("page", "per_page"))
    last_position = max(page, default=1) * max(per_page, default=DEFAULT_PER_PAGE)
    return Validity.UNSPECIFIED if last_position > MAX_OFFSET else Validity.VALID


def _classify_page(text: str) -> Validity:
    return _classify_integer(text, lambda number: number >= 1)


def _classify_per_page(text: str) -> Validity:
    result = _classify_integer(text, lambda number: number >= 1)
    return Validity.UNSPECIFIED if result is Validity.VALID and int(text[:MAX_DIGITS]) > MAX_PER_PAGE else result


def _classify_integer(text: str, is_legal: Callable[[int], bool]) -> Validity:
    if not any(is_legal(number) for number in _possible_integers(text)):
        return Validity.INVALID
    return Validity.VALID if re.fullmatch("[1-9][0-9]*", text) else Validity.UNSPECIFIED


def _possible_integers(text: str) -> set[int]:
    """Return every integer that a server could parse a text as: a prefix, a hexadecimal number, a float."""
    ruby_match = RUBY_INTEGER.match(text)
    parsers: tuple[Callable[[], int], ...] = (
        lambda: int(ruby_match[1][:MAX_DIGITS].rstrip("_") if ruby_match else ""),
        lambda: int(text[:MAX_DIGITS], base=0),
        lambda: int(float(text)),
    )
    integers = set()
    for parse in parsers:
        with suppress(ValueError, OverflowError):
            integers.add(parse())
    return integers


def _classify_order_by(text: str) -> Validity:
    if text in {"created_at", "-created_at"}:
        return Validity.VALID
    # `+created_at` is accepted by Cloud Controller; an unescaped plus arrives as a space.
    return Validity.UNSPECIFIED if "created_at" in text.lower() else Validity.INVALID


def _classify_guids(text: str) -> Validity:
    guids = text.split(",")
    is_legal = len(guids) <= MAX_GUIDS and all(GUID.fullmatch(guid) for guid in guids)
    return Validity.VALID if is_legal else Validity.UNSPECIFIED


def _classify_created_ats(text: str) -> Validity:
    return max((_classify_timestamp(part) for part in text.split(",")), key=list(Validity).index)


def _classify_timestamp(text: str) -> Validity:
    if not TIMESTAMP.fullmatch(text):
        return Validity.UNSPECIFIED if text == "" or ISO_8601_DATE.fullmatch(text) else Validity.INVALID
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return Validity.UNSPECIFIED  # such as 30 February: the format is right, the time does not exist
    return Validity.VALID


CLASSIFIERS: Mapping[str, Callable[[str], Validity]] = {
    "page": _classify_page,
    "per_page": _classify_per_page,
    "order_by": _classify_order_by,
    "guids": _classify_guids,
    "created_ats": _classify_created_ats,
}
