"""The encodings in which a target may repeat a secret, written apart from the code that finds them."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

    Encoder = Callable[[bytes], bytes]


def _of_text(encode: Callable[[str], str]) -> Encoder:
    return lambda data: encode(data.decode()).encode()


def _json_units(text: str, pattern: str) -> str:
    data = text.encode("utf-16-be")
    return "".join(pattern.format(int.from_bytes(data[n : n + 2])) for n in range(0, len(data), 2))


def _wrapped(data: bytes) -> bytes:
    coded = base64.b64encode(data)
    return b"\n".join(coded[n : n + 16] for n in range(0, len(coded), 16))


ENCODERS: dict[str, Encoder] = {
    "json": _of_text(lambda text: json.dumps(text)[1:-1]),
    "json-unicode": _of_text(lambda text: json.dumps(text, ensure_ascii=False)[1:-1]),
    "json-slash": _of_text(lambda text: json.dumps(text)[1:-1].replace("/", "\\/")),
    "json-nested": _of_text(lambda text: json.dumps(json.dumps({"a": json.dumps([text])}))),
    "json-every": _of_text(lambda text: _json_units(text, "\\u{:04x}")),
    "json-every-upper": _of_text(lambda text: _json_units(text, "\\u{:04X}")),
    "url": lambda data: quote(data, safe="").encode(),
    "form": lambda data: quote_plus(data).encode(),
    "url-every": lambda data: "".join(f"%{byte:02X}" for byte in data).encode(),
    "url-every-lower": lambda data: "".join(f"%{byte:02x}" for byte in data).encode(),
    "html": _of_text(html.escape),
    "html-text": _of_text(lambda text: html.escape(text, quote=False)),
    "html-decimal": _of_text(lambda text: "".join(f"&#{ord(character)};" for character in text)),
    "html-hex": _of_text(lambda text: "".join(f"&#x{ord(character):x};" for character in text)),
    "base64": base64.b64encode,
    "base64-offset-1": lambda data: base64.b64encode(b"u" + data + b"zz"),
    "base64-offset-2": lambda data: base64.b64encode(b"u:" + data),
    "base64url": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "base64-wrapped": _wrapped,
    "hex": lambda data: data.hex().encode(),
    "hex-upper": lambda data: data.hex().upper().encode(),
    "hex-colons": lambda data: data.hex(":").encode(),
    "hex-spaces": lambda data: data.hex(" ").encode(),
    "upper": _of_text(str.upper),
    "lower": _of_text(str.lower),
    "swapped": _of_text(str.swapcase),
    "utf-16": lambda data: data.decode().encode("utf-16-le"),
    "utf-16-be": lambda data: data.decode().encode("utf-16-be"),
}
CASES = {"upper", "lower", "swapped"}


def lost_layers(names: list[str]) -> int:
    """Return how many layers of Base64 lose their case, after which the secret cannot be restored."""
    layers = [n for n, name in enumerate(names) if name.startswith("base64")]
    return len(layers) if layers and any(name in CASES for name in names[layers[0] + 1 :]) else 0
