"""A page of the list of events, as the archive reads it.

Of a usual page only the members that are needed are decoded, and its rows are written as they came. Any other page is
read as all other responses are: its secrets are replaced, and then its rows are decoded and encoded again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property
from http import HTTPStatus
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import msgspec

from purge_conformance.evidence.bodies import LateBody, body_of
from purge_conformance.evidence.listing import is_page, pagination

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from purge_conformance.evidence.clean_lines import CleanLines
    from purge_conformance.evidence.records import Exchange

MAX_COMMAS = 1_000_000  # on a page: five times as many as 5,000 events have; a row takes 100 bytes besides its text
MAX_DIGITS = 4300  # of an integer that `json` reads; a row that is longer may have one


class _Page(msgspec.Struct):
    resources: list[msgspec.Raw]
    pagination: msgspec.Raw = msgspec.Raw(b"{}")


class _Event(msgspec.Struct):
    guid: str
    created_at: str


_PAGES, _EVENTS = msgspec.json.Decoder(_Page), msgspec.json.Decoder(_Event)


class EventPage:
    """A page of events, or what came in its place.

    Attributes:
        exchange: that read it.
        is_page: whether it is a page of a list.
        pagination: its pagination object, empty where there is none.
        size: how many rows it has.
    """

    times: Sequence[str] = ()  # `created_at` of all rows, if all are texts that were decoded; otherwise empty

    def __init__(self, exchange: Exchange) -> None:
        """Take the page that an exchange read, whose secrets are replaced."""
        self.exchange, self.is_page = exchange, is_page(exchange)
        self.pagination: Mapping[str, Any] = pagination(exchange)
        self._rows: Sequence[Any] = (exchange.page or {}).get("resources", ())
        self.size = len(self._rows)

    @cached_property
    def guids(self) -> Sequence[str]:
        """The guids of all rows, if each row is an object with one that is a text and not empty; otherwise none."""
        guids = (row.get("guid") if isinstance(row, dict) else None for row in self._rows)
        texts = [guid for guid in guids if isinstance(guid, str) and guid]
        return texts if len(texts) == self.size else ()

    def rows(self) -> Sequence[Any]:
        """Return the values of the rows."""
        return self._rows

    def row(self, number: int) -> Any:  # noqa: ANN401 -- any JSON value
        """Return the value of a row."""
        return self._rows[number]

    @cached_property
    def text(self) -> bytes:
        """The rows as lines of JSON, each with its line feed and without another one."""
        return b"".join(to_line(row) for row in self._rows)

    def count_changed(self) -> int:
        """Return how many lines are not as the target wrote the row; 0 if what it wrote was not kept."""
        body = body_of(self.exchange)
        if not isinstance(body, LateBody):
            return 0
        try:
            as_came = [bytes(row) + b"\n" for row in _decode(body.raw).resources]
        except (ValueError, RecursionError):
            return self.size  # the rows cannot be told apart
        return sum(line != row for line, row in zip_longest(map(to_line, self._rows), as_came))


class RawEventPage(EventPage):
    """A page whose rows have no secret, and are kept as they came."""

    def __init__(self, exchange: Exchange, pagination: Mapping[str, Any], rows: Sequence[msgspec.Raw]) -> None:
        """Take the rows.

        Raises:
            ValueError, RecursionError: one has not the usual members, or is not what any reader of JSON reads.
        """
        self.exchange, self.is_page, self.pagination = exchange, True, pagination
        self.size, self._as_came = len(rows), rows
        self._lines, self.text = _to_lines(rows)
        events = _EVENTS.decode_lines(self.text)
        if max(map(len, self._lines), default=0) > MAX_DIGITS:
            for line in self._lines:
                json.loads(bytes(line))
        self.guids, self.times = [event.guid for event in events], [event.created_at for event in events]
        if len(events) != len(rows) or not all(self.guids):
            raise ValueError("a row has no guid")

    def rows(self) -> Sequence[Any]:
        """Return the values of the rows."""
        return [self.row(number) for number in range(self.size)]

    def row(self, number: int) -> Any:  # noqa: ANN401 -- any JSON value
        """Return the value of a row."""
        return json.loads(bytes(self._lines[number]))

    def count_changed(self) -> int:
        """Return how many rows had line feeds."""
        if self._lines is self._as_came:
            return 0
        return sum(line != bytes(row) for line, row in zip(self._lines, self._as_came, strict=True))


def read_page(exchange: Exchange, clean: CleanLines | None = None) -> EventPage:
    """Return the page that an exchange read; `clean` searches the rows of a body whose secrets are replaced later."""
    body = body_of(exchange)
    if clean and isinstance(body, LateBody) and exchange.status == HTTPStatus.OK:
        with suppress(ValueError, RecursionError):
            raw = _decode(body.raw)
            shown = json.loads(bytes(raw.pagination))
            page = RawEventPage(exchange, shown if isinstance(shown, dict) else {}, raw.resources)
            if not (clean.contain_secret(page.text) or clean.contain_secret(bytes(raw.pagination))):
                return page
    return EventPage(exchange)


def names_next(pagination: Mapping[str, Any]) -> bool:
    """Whether a page names a next page; an object whose `href` is null or missing names none."""
    following = pagination.get("next")
    return bool(following.get("href") if isinstance(following, dict) else following)


def to_line(row: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """Return the line of a row."""
    text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _decode(raw: bytes) -> _Page:
    """Return the members of a page.

    Raises:
        ValueError, RecursionError: it is not a page, or not one that any reader of JSON accepts.
    """
    if raw.count(b",") > MAX_COMMAS:
        raise ValueError("so many rows would take too much memory")
    if not raw.isascii():
        raw.decode()  # the decoder does not look into the texts that it skips
    return _PAGES.decode(raw)


def _to_lines(rows: Sequence[msgspec.Raw]) -> tuple[Sequence[bytes | msgspec.Raw], bytes]:
    """Return rows as lines, and their text. Line feeds are left out: in JSON they stand only between values."""
    text = b"\n".join([*rows, b""])
    if text.count(b"\n") == len(rows) and b"\r" not in text:
        return rows, text
    lines = [msgspec.json.format(bytes(row), indent=-1) for row in rows]
    return lines, b"\n".join([*lines, b""])
