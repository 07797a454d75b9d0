"""How tests search output and files for a secret."""

from __future__ import annotations

import base64
import gzip
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


CANARY = 'canary-"Zwitscher"/+==<&>-8c1f'


def read_text(path: Path) -> str:
    """Return the text of a file; a compressed file is decompressed."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


def encodings_of(secret: str) -> set[str]:
    """Return a secret as it is encoded in a URL, in JSON, in HTML, and in Base64 at each of three offsets."""
    coded = {base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret), *coded}


def find_canary(place: Path, *streams: str) -> list[str]:
    """Return the files in a folder, and the output streams, that contain the canary in some encoding."""
    texts = {str(path): read_text(path) for path in place.rglob("*") if path.is_file()}
    texts |= {f"stream {number}": text for number, text in enumerate(streams)}
    return [name for name, text in texts.items() if any(form in text for form in encodings_of(CANARY))]


def secret_parts(token: str) -> set[str]:
    """Return the secret parts of a token: its payload and its signature, in both directions; or an opaque token."""
    parts = token.split(".")[1:] or [token]
    return {*parts, *(part[::-1] for part in parts)}


def echo(handler: BaseHTTPRequestHandler) -> None:
    """Respond with the Authorization of the request, in header and body, in several forms."""
    sent = handler.headers.get("Authorization") or ""
    page = f'"pagination": {{"total_results": 1}}, "resources": [{{"guid": "{sent}"}}]'
    body = f'{{{page}, "you": "{sent.upper()} {sent}", "bare": "{sent[7:]}"}}'.encode()
    handler.send_response(200)
    for name, value in {"X-You": sent, "Location": f"/?t={sent[7:]}", "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
