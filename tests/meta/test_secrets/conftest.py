"""What the tests of secrets share: how everything that was written is searched for one."""

from __future__ import annotations

import base64
import gzip
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

CANARY = 'canary-"Zwitscher"/+==<&>-8c1f'


def unpacked(path: Path) -> str:
    """Return the text of a file, of a compressed one what it holds."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


def in_other_forms(secret: str) -> set[str]:
    """Return a secret as it stands in a URL, in JSON, in HTML, or in Base64 at each of three places."""
    coded = {base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret), *coded}


def leaks(place: Path, *streams: str) -> list[str]:
    """Return the files and streams, of a command in a folder, that hold the canary in some form."""
    texts = {str(path): unpacked(path) for path in place.rglob("*") if path.is_file()}
    texts |= {f"stream {number}": text for number, text in enumerate(streams)}
    return [name for name, text in texts.items() if any(form in text for form in in_other_forms(CANARY))]
