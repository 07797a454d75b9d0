"""Bytes that a stub server sends as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler


SHORT_TIMEOUT_S = 0.2  # seconds: `timeout` where the stub is slow on purpose
GIVE_UP_S = 1.5  # seconds: by when a client with that timeout must have given up, with room for a busy machine


def write_raw(handler: BaseHTTPRequestHandler, *parts: bytes, pause: float = 0.0) -> None:
    """Write bytes as they are, with a pause after each part, and hang up."""
    handler.close_connection = True
    for part in parts:
        handler.wfile.write(part)
        handler.wfile.flush()
        time.sleep(pause)
