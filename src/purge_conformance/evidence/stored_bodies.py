"""The bodies in the lines of `evidence.jsonl`: how they are written, read, and read once more when they are needed."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from purge_conformance.errors import BadData
from purge_conformance.evidence.bodies import Body, SharedRows
from purge_conformance.evidence.members import show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

LONG_BODY_BYTES = 10_000  # of a body that is written once, and left in the file
IN_TEXT = ("body_text", "body_base64")
SHORT_ESCAPES = bytes(range(0x20, 0x7F)) + b"\t\n\r"  # what JSON writes in at most two bytes
MAX_ESCAPED_SHARE = 1 / 8  # of a long body as text; with more, it is shorter in base64


class StoredBodies:
    """The bodies of one file; those that are long are not kept in memory.

    Attributes:
        rows: parses the long ones.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at that path, which has to stay there as long as a body is read."""
        self._path = path.absolute()
        self.rows = SharedRows()

    def body(self, data: bytes) -> Body:
        """Return a body whose bytes are still in memory."""
        return Body(data, self.rows if len(data) >= LONG_BODY_BYTES else None)

    def leave(self, body: Body, offset: int) -> None:
        """Forget the bytes of a long body, which is in the line that begins at that offset."""
        if len(body.data) >= LONG_BODY_BYTES:
            body.leave_in_file(partial(self._read, offset))

    def _read(self, offset: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(offset)
            row = json.loads(file.readline())
        return decode_body(*next((name, row[name]) for name in IN_TEXT if name in row))


class Lines:
    """The lines of an open file.

    Attributes:
        offset: where the line begins that was yielded last.
    """

    offset = 0

    def __init__(self, file: BinaryIO) -> None:
        """Read from the beginning of the file."""
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines."""
        for line in self._file:
            yield line
            self.offset += len(line)


def encode_body(body: bytes) -> dict[str, str]:
    """Return the member of a row that holds a body, as text if it is UTF-8."""
    escaped = len(body.translate(None, SHORT_ESCAPES)) if len(body) >= LONG_BODY_BYTES else 0
    with suppress(UnicodeDecodeError):
        if escaped <= MAX_ESCAPED_SHARE * len(body):
            return {"body_text": body.decode("utf-8")}
    return {"body_base64": base64.b64encode(body).decode("ascii")}


def decode_body(name: str, value: str) -> bytes:
    """Return the body that a member of a row holds.

    Raises:
        BadData: the value is not what `encode_body` writes.
    """
    try:
        return base64.b64decode(value, validate=True) if name == "body_base64" else value.encode()
    except ValueError:
        expected = "base64" if name == "body_base64" else "text without lone surrogates"
        raise BadData(f"got {show(value)} as `{name}`, expected {expected}.") from None
