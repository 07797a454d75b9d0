"""Says of a list's query what Cloud Controller's documentation says of it: legal, illegal, or left open.

Schemathesis' own judgment, valid against the schema or not, is too strict for a wire on which everything is text: Ruby
reads `1abc` as 1, an empty value as absent, and documentation says nothing of either. So only what every reading
accepts is `valid`, only what no reading accepts is `invalid`, and all else is `open`: to accept it or to refuse it
conforms.

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

PER_PAGE = 5000  # as documented by Cloud Controller; below it a target may have a bound of its own, and above it
DEFAULT_PER_PAGE = 50
COUNTED = 2**31 - 1  # a target may refuse events that it cannot count to
DIGITS = 40  # of a number; more of them change no judgment
RUBY_INTEGER = re.compile(r"\s*([+-]?[0-9](?:_?[0-9])*)")  # what String#to_i sees of a text
GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")  # "uuid", in the documentation
GUIDS = 50
TIMESTAMP = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
ALMOST_A_TIMESTAMP = re.compile(r"\s*[0-9]{4}-?[0-9]{2}-?[0-9]{2}.*", re.DOTALL)  # other formats of ISO 8601
OPERATOR = re.compile(r"created_ats\[([^\[\]]+)\]")
OPERATORS = {"lt", "lte", "gt", "gte"}
EXCLUSION = "not"  # documented for "some fields", without a list of them


class Validity(StrEnum):
    """What the documentation says of a query; of several parameters the last of these counts."""

    VALID = "valid"
    OPEN = "open"
    INVALID = "invalid"


def query_of(path: str) -> dict[str, list[str]]:
    """Return the query parameters of a path, decoded, repeated ones and empty ones among them."""
    return parse_qs(urlsplit(path).query, keep_blank_values=True)


def validity(
    operation_id: str, query: Mapping[str, str | list[str]], *, existing: Collection[str] = frozenset()
) -> Validity:
    """Return whether a query must be accepted (200), must be refused (400 or 422), or may be either.

    Args:
        operation_id: only the list has documented parameters; of the others every query is open.
        query: decoded parameters; a list where one may be repeated.
        existing: guids of events that surely exist; `after_guid` with any other is open.
    """
    if operation_id != LIST_OPERATION:
        return Validity.OPEN
    values = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    found = {_parameter(name, several, existing) for name, several in values.items()}
    found |= {_together(values), Validity.VALID}
    return max(found, key=list(Validity).index)


def _parameter(name: str, values: list[str], existing: Collection[str]) -> Validity:
    operator = OPERATOR.fullmatch(name)
    if operator and operator[1] not in {*OPERATORS, EXCLUSION}:
        return Validity.OPEN  # to some the whole name is that of an unknown parameter
    if len(values) != 1 or values[0] == "":
        return Validity.OPEN
    if operator:
        several = Validity.OPEN if operator[1] == EXCLUSION or "," in values[0] else Validity.VALID
        return max(several, _created_ats(values[0]), key=list(Validity).index)
    if name == "after_guid":
        return Validity.VALID if values[0] in existing else Validity.OPEN
    judge = JUDGES.get(name)
    return judge(values[0]) if judge else Validity.OPEN


def _together(values: Mapping[str, list[str]]) -> Validity:
    """Judge what no parameter shows alone."""
    if "created_ats" in values and any(OPERATOR.fullmatch(name) for name in values):
        return Validity.OPEN  # by equality and by an operator at once
    page, per_page = (_integers(values[name][0]) if name in values else set() for name in ("page", "per_page"))
    reached = max(page, default=1) * max(per_page, default=DEFAULT_PER_PAGE)
    return Validity.OPEN if reached > COUNTED else Validity.VALID


def _page(text: str) -> Validity:
    return _integer(text, lambda number: number >= 1)


def _per_page(text: str) -> Validity:
    found = _integer(text, lambda number: number >= 1)
    return Validity.OPEN if found is Validity.VALID and int(text[:DIGITS]) > PER_PAGE else found


def _integer(text: str, legal: Callable[[int], bool]) -> Validity:
    if not any(legal(number) for number in _integers(text)):
        return Validity.INVALID
    return Validity.VALID if re.fullmatch("[1-9][0-9]*", text) else Validity.OPEN


def _integers(text: str) -> set[int]:
    """Return every integer that a reader could take a text for: by its beginning, as hexadecimal, as a float."""
    ruby = RUBY_INTEGER.match(text)
    readings: tuple[Callable[[], int], ...] = (
        lambda: int(ruby[1][:DIGITS].rstrip("_") if ruby else ""),
        lambda: int(text[:DIGITS], base=0),
        lambda: int(float(text)),
    )
    found = set()
    for reading in readings:
        with suppress(ValueError, OverflowError):
            found.add(reading())
    return found


def _order_by(text: str) -> Validity:
    if text in {"created_at", "-created_at"}:
        return Validity.VALID
    # `+created_at` is accepted by Cloud Controller; an unescaped plus arrives as a space.
    return Validity.OPEN if "created_at" in text.lower() else Validity.INVALID


def _guids(text: str) -> Validity:
    guids = text.split(",")
    legal = len(guids) <= GUIDS and all(GUID.fullmatch(guid) for guid in guids)
    return Validity.VALID if legal else Validity.OPEN


def _created_ats(text: str) -> Validity:
    return max((_timestamp(part) for part in text.split(",")), key=list(Validity).index)


def _timestamp(text: str) -> Validity:
    if not TIMESTAMP.fullmatch(text):
        return Validity.OPEN if text == "" or ALMOST_A_TIMESTAMP.fullmatch(text) else Validity.INVALID
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return Validity.OPEN  # 30 February: of the right format, and no time
    return Validity.VALID


JUDGES: Mapping[str, Callable[[str], Validity]] = {
    "page": _page,
    "per_page": _per_page,
    "order_by": _order_by,
    "guids": _guids,
    "created_ats": _created_ats,
}
