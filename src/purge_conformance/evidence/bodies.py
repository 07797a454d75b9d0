"""Bodies of responses, whose bytes may stay in a file, and their values as JSON, which share what is equal in them.

A run of a large foundation receives hundreds of megabytes. Long bodies are read from `evidence.jsonl` when they are
needed. Of their JSON, equal rows and equal members of rows are kept once: most rows of a page are on earlier pages too.
"""

from __future__ import annotations

import json
import marshal
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.evidence.records import Exchange

# Estimates of bytes of memory, above what CPython 3.11 takes.
OBJECT_BYTES, ARRAY_BYTES, VALUE_BYTES = 232, 64, 100
TEXT_BYTES, WIDE_TEXT_BYTES = 2, 10  # per byte of text without and with characters outside of ASCII; it is copied
MOST_PER_BYTE = WIDE_TEXT_BYTES + OBJECT_BYTES  # of any JSON
KEY_BYTES = 160  # of a part that others may share
ROW_BYTES, MEMBER_BYTES = 150, 32  # of the own object of a row, and per member
ROW_USE_BYTES = 100  # per page that has the row: its entries in lists and indexes
EXCHANGE_BYTES = 4000  # of an exchange without headers and body


def parse_json(data: bytes) -> Any:  # noqa: ANN401 -- whatever the target sent
    """Return the value of the bytes as JSON, or None where they are not JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def estimate_memory(data: bytes) -> int:
    """Return an upper bound of the memory, in bytes, of the JSON value of these bytes; it does not parse them."""
    text = len(data) * (TEXT_BYTES if data.isascii() else WIDE_TEXT_BYTES)
    return (
        text + OBJECT_BYTES * data.count(b"{") + ARRAY_BYTES * data.count(b"[") + VALUE_BYTES * (data.count(b",") + 1)
    )


class SharedRows:
    """Parses pages, and keeps equal rows and equal members of rows once.

    Attributes:
        held: estimated bytes of memory of all that was parsed.
    """

    def __init__(self) -> None:
        """Begin with no row."""
        self.held = 0
        self._long: dict[bytes, Any] = {}  # digest of its text -> value
        self._short: dict[bytes, Any] = {}  # text -> value

    def parse(self, data: bytes) -> Any:  # noqa: ANN401 -- whatever the target sent
        """Return the value of the bytes as JSON, or None where they are not JSON."""
        value = parse_json(data)
        with suppress(ValueError, RecursionError):  # nested so deeply that it can be read but not written
            if isinstance(value, dict) and isinstance(value.get("resources"), list):
                return self._share_page(value)
        self.held += 0 if value is None else estimate_memory(data)
        return value

    def _share_page(self, page: dict[str, Any]) -> dict[str, Any]:
        rest = {name: member for name, member in page.items() if name != "resources"}
        self.held += _estimate(rest)
        return {**page, "resources": [self._share_row(row) for row in page["resources"]]}

    def _share_row(self, row: Any) -> Any:  # noqa: ANN401 -- any JSON value
        """Return an equal row that was kept before, or this one with the parts that others have as well."""
        key = _digest(marshal.dumps(row, 2))
        shared = self._long.get(key)
        if shared is None:
            self.held += KEY_BYTES
            shared = self._share_members(row)
            self._long[key] = shared
        return shared

    def _share_members(self, row: Any) -> Any:  # noqa: ANN401 -- any JSON value
        if not isinstance(row, dict):
            self.held += _estimate(row)
            return row
        self.held += ROW_BYTES + MEMBER_BYTES * len(row)
        shared = {}
        for name, member in row.items():
            if member is None or member is True or member is False:
                shared[name] = member
                continue
            text = marshal.dumps(member, 2)
            parts, key = (self._short, text) if len(text) <= KEY_BYTES else (self._long, _digest(text))
            if key not in parts:
                self.held += KEY_BYTES
                self.held += _estimate(member)
                parts[key] = member
            shared[name] = parts[key]
        return shared


def _estimate(value: Any) -> int:  # noqa: ANN401 -- any JSON value
    return estimate_memory(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _digest(text: bytes) -> bytes:
    """Return a short key that no other text has; in the text, 1, 1.0 and true differ, as do the orders of members."""
    return blake2b(text, digest_size=16).digest()


class Body:
    """The body of a response; exchanges with equal responses share one, which is parsed as JSON once.

    Attributes:
        is_shared: whether the parts of its JSON are shared with other bodies.
    """

    def __init__(self, data: bytes, rows: SharedRows | None = None) -> None:
        """Hold the bytes; `rows` parses them."""
        self._data = data
        self._read: Callable[[], bytes] | None = None
        self._parse = rows.parse if rows else parse_json
        self.is_shared = rows is not None

    @property
    def data(self) -> bytes:
        """The bytes, at most `Limits.max_body_bytes`."""
        return self._read() if self._read else self._data

    def leave_in_file(self, read: Callable[[], bytes]) -> None:
        """Forget the bytes; from now on `read` returns them."""
        self._data, self._read = b"", read

    @cached_property
    def digest(self) -> bytes:
        """A digest that no other body has."""
        return blake2b(self.data).digest()

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 -- whatever the target sent
        """The value of the bytes as JSON, or None where they are not JSON."""
        return self._parse(self.data)

    @cached_property
    def resources(self) -> tuple[dict[str, Any], ...]:
        """The members of its array `resources` that are objects with a guid."""
        rows = self.json.get("resources") if isinstance(self.json, dict) else None
        every = rows if isinstance(rows, list) else ()
        return tuple(row for row in every if isinstance(row, dict) and isinstance(row.get("guid"), str))


class LateBody(Body):
    """A body whose secrets are replaced when it is read, for a reader that may do without.

    Attributes:
        raw: the bytes as they came, which may have secrets: who writes them has to search them.
    """

    def __init__(self, raw: bytes, redact: Callable[[bytes], bytes], max_memory: int) -> None:
        """Hold the bytes.

        Args:
            raw: the bytes.
            redact: returns them without secrets.
            max_memory: most bytes of memory that their JSON may take, by `estimate_memory`; with more, it is not read.
        """
        super().__init__(b"")
        self.raw, self._redact, self._max_memory = raw, redact, max_memory

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 -- whatever the target sent
        """The value of the bytes as JSON, or None where they are not JSON, or have too many values."""
        return parse_json(self.data) if estimate_memory(self.raw) <= self._max_memory else None

    @cached_property
    def _redacted(self) -> bytes:
        return self._redact(self.raw)

    @property
    def data(self) -> bytes:
        """The bytes without secrets."""
        return self._redacted

    def then(self, change: Callable[[bytes], bytes]) -> LateBody:
        """Return the body with a further change after its secrets are replaced."""
        return LateBody(self.raw, lambda raw: change(self._redact(raw)), self._max_memory)


class BodyField:
    """The field `body` of an exchange: it is set to bytes or to a `Body`, and read as bytes."""

    def __get__(self, instance: Exchange | None, owner: type) -> bytes:
        """Return the bytes."""
        if instance is None:
            raise AttributeError("body")  # the field has no default
        return body_of(instance).data

    def __set__(self, instance: Exchange, value: bytes | Body) -> None:
        """Store the body."""
        instance.__dict__["_body"] = value if isinstance(value, Body) else Body(value)


BODY = BodyField()


def memory_of(exchange: Exchange) -> int:
    """Return an estimate of the memory, in bytes, that an exchange takes besides what `SharedRows` parsed."""
    headers = sum(len(name) + len(value) + 2 * VALUE_BYTES for name, value in exchange.response_headers)
    sent = len(exchange.path) + len(exchange.request_body or "")
    body = body_of(exchange)
    rows = ROW_USE_BYTES * len(body.resources)
    return EXCHANGE_BYTES + headers + sent + rows + (0 if body.is_shared else estimate_memory(body.data))


def body_of(exchange: Exchange) -> Body:
    """Return the body of an exchange, without reading its bytes."""
    body: Body = exchange.__dict__["_body"]
    return body
