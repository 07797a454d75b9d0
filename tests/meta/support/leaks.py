"""How tests search output and files for a secret."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


MAX_DECODINGS = 3
LONG_TEXT = 10_000  # characters; of a longer text only its words are decoded
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


def holds_secret(data: bytes, secrets: Iterable[str]) -> bool:
    """Return whether bytes hold a secret, as they are or after up to three decodings, in any case of letters."""
    wanted = {_folded(secret) for secret in secrets}
    wanted |= {_folded(code) for secret in secrets for code in _base64_of(secret)}
    seen: set[str] = set()
    wide = {data[start:].decode(name, "ignore") for start in (0, 1) for name in ("utf-16-le", "utf-16-be")}
    texts = {data.decode("utf-8", "replace"), *wide}
    for _ in range(MAX_DECODINGS + 1):
        if any(secret in _folded(text) for text in texts for secret in wanted):
            return True
        seen |= texts
        texts = {decoded for text in texts for word in _words(text) for decoded in _decoded(word)} - seen
    return False


def _folded(text: str) -> str:
    return re.sub(r"[\s\\+\0]", "", text).casefold()


def _base64_of(secret: str) -> Iterator[str]:
    """Yield what Base64 shows of a secret at each offset; its case may be lost."""
    if len(secret) >= 16:
        yield from (base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3))


def _words(text: str) -> set[str]:
    return {text, *re.split(r'[\s"<>]+', text)} if len(text) < LONG_TEXT else set(re.split(r'[\s"<>]+', text))


def _decoded(word: str) -> Iterator[str]:
    units = re.sub(r"\\+u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), word, flags=re.IGNORECASE)
    yield units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    yield word.replace("\\", "")
    yield word.replace("\0", "")
    yield unquote(word)
    yield html.unescape(re.sub("&#x?0;", "", word))
    for run in re.findall(r"(?:[0-9A-Fa-f]{2}[ :+]?){8,}", word):
        yield bytes.fromhex(re.sub("[ :+]", "", run)).decode("utf-8", "replace")
    stream = re.sub(r"[^A-Za-z0-9+/]", "", word.replace("-", "+").replace("_", "/"))
    for start in range(4) if len(stream) >= 11 else ():
        end = start + (len(stream) - start + 3) // 4 * 4
        decoded = base64.b64decode(stream[start:].ljust(end - start, "A")).decode("utf-8", "replace").replace("\0", "")
        yield "\n".join(re.findall(r"[\r\n -~\u0080-\U0010ffff]{8,}", decoded))
