"""Reads responses whose size has a bound; a larger one counts as no response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence.bodies import MOST_PER_BYTE, estimate_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urllib3 import BaseHTTPResponse

    from purge_conformance.config.settings import Limits

CHUNK_BYTES = 256 * 1024


class ResponseTooLarge(Exception):
    """A response is larger than its bound; the text says which."""


def read_body(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    """Return the body of a response, decoded; no more than a chunk is decoded at once, so a bomb stays small.

    Raises:
        ResponseTooLarge: it is larger than `max_bytes`.
        Exception: as reading a response does.
    """
    body = bytearray()  # appending to bytes would copy all of them with each chunk
    while chunk := response.read1(CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            raise ResponseTooLarge(f"the response is larger than {max_bytes} bytes")
    return bytes(body)


def require_bounds(headers: Sequence[tuple[str, str]], body: bytes, limits: Limits) -> None:
    """Require that header fields and body can be kept.

    Raises:
        ResponseTooLarge: the header fields are too long, or the body as JSON would take too much memory.
    """
    if sum(len(name) + len(value) for name, value in headers) > limits.max_header_bytes:
        raise ResponseTooLarge(f"the header fields of the response are larger than {limits.max_header_bytes} bytes")
    if len(body) * MOST_PER_BYTE > limits.max_json_memory and estimate_memory(body) > limits.max_json_memory:
        raise ResponseTooLarge(
            f"the response has so many values that as JSON they could take more than {limits.max_json_memory} bytes"
        )
