"""Bytes that a stub server sends as they are."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler


SHORT_TIMEOUT_S = 0.2  # `timeout` of a client whose stub is slow
HANG_S = 30.0  # bound of a wait that ends by an event, for a test that hangs


def write_raw(handler: BaseHTTPRequestHandler, *parts: bytes) -> None:
    """Write bytes as they are, and close the connection."""
    handler.close_connection = True
    for part in parts:
        handler.wfile.write(part)
        handler.wfile.flush()


def drip(handler: BaseHTTPRequestHandler, head: bytes) -> None:
    """Write a head, then byte after byte until the client closes the connection."""
    handler.close_connection = True
    ends_at = time.monotonic() + HANG_S
    with suppress(OSError):
        handler.wfile.write(head)
        while time.monotonic() < ends_at:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(SHORT_TIMEOUT_S / 20)
