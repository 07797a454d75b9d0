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
KEY_BYTES = 200  # of a part that others may share
ROW_BYTES = 1000  # of a row's own object
ROW_USE_BYTES = 150  # per page that has the row: its entries in lists and indexes
EXCHANGE_BYTES = 4000  # of an exchange without headers and body
WIDE_CHARACTER = 4  # bytes of each character of a string that has one outside of ASCII


def parse_json(data: bytes) -> Any:  # noqa: ANN401 -- whatever the target sent
    """Return the value of the bytes as JSON, or None where they are not JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def estimate_memory(data: bytes) -> int:
    """Return an upper bound of the memory, in bytes, of the JSON value of these bytes; it does not parse them."""
    text = len(data) * (1 if data.isascii() else WIDE_CHARACTER)
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
        self._parts: dict[Any, Any] = {}

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
        self.held += estimate_memory(json.dumps(rest).encode())
        return {**page, "resources": [self._share(row, self._share_row) for row in page["resources"]]}

    def _share(self, value: Any, make: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- any JSON value
        """Return an equal value that was kept before, or what `make` returns for this one."""
        if value is None or isinstance(value, bool):
            return value
        key = _key(value)
        if key not in self._parts:
            self.held += KEY_BYTES
            self._parts[key] = make(value)
        return self._parts[key]

    def _share_row(self, row: Any) -> Any:  # noqa: ANN401 -- any JSON value
        if not isinstance(row, dict):
            return self._keep(row)
        self.held += ROW_BYTES + VALUE_BYTES * len(row)
        return {name: self._share(member, self._keep) for name, member in row.items()}

    def _keep(self, value: Any) -> Any:  # noqa: ANN401 -- any JSON value
        self.held += estimate_memory(json.dumps(value).encode())
        return value


def _key(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Return a short key that no other value has; 1, 1.0 and true differ, as do the orders of members."""
    if isinstance(value, str) and len(value) < KEY_BYTES:
        return value
    return blake2b(marshal.dumps(value, 2), digest_size=16).digest()


class Body:
    """The body of a response; exchanges with equal responses share one, which is parsed as JSON once."""

    def __init__(self, data: bytes, parse: Callable[[bytes], Any] = parse_json) -> None:
        """Hold the bytes; `parse` returns their value as JSON, or None."""
        self._data = data
        self._read: Callable[[], bytes] | None = None
        self._parse = parse

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


def body_of(exchange: Exchange) -> Body:
    """Return the body of an exchange, without reading its bytes."""
    body: Body = exchange.__dict__["_body"]
    return body
