"""The forms of a secret: those that are replaced where they stand, and those that are only searched for."""

from __future__ import annotations

import base64
import html
import json
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_SECRET_LENGTH = 8  # a shorter text is replaced only where it stands as a credential
BLOCK = 8  # bytes that are compared at once
MIDDLE = 3 * BLOCK - 1  # bytes of a needle that are compared: wherever it begins, they contain two whole blocks
TRIM = 6  # characters at each end of Base64 that may be missing
MAX_NESTED = 3  # documents of JSON, each a string of the next
MAX_NEEDLE = 48  # characters of a long secret that are searched for in Base64; as many do not occur by chance
_IGNORED = b"\0 \t\r\n\v\f+\\"  # white space, also as forms encode it; what JSON escapes with; zeros of UTF-16
_LOWER_CASE = bytes(range(256)).lower()


def canonical(data: bytes) -> bytes:
    """Return the bytes in lower case, without white space, plus signs, backslashes and zeros."""
    return data.translate(_LOWER_CASE, _IGNORED)


def literal(data: bytes) -> bytes:
    """Return the bytes in lower case, with spaces in place of plus signs."""
    return data.lower().replace(b"+", b" ")


def plain_forms(secret: str) -> set[str]:
    """Return a secret unchanged and as usually encoded in a URL, a form, JSON and HTML: what is replaced in place."""
    json_text = json.dumps(secret)[1:-1]
    return {
        secret,
        *(quote(secret, safe=""), quote(secret), quote_plus(secret)),
        *(json_text, json_text.replace("/", r"\/"), html.escape(secret)),
    }


def plain_codes(secret: str) -> set[bytes]:
    """Return the bytes of a secret in each of a few character encodings, also with its case changed."""
    return {code for text in _cased(secret) for code in _bytes_of(text)}


def base64_needles(secret: str) -> set[bytes]:
    """Return what shows that a canonical text has the secret in Base64, alone or on top of another encoding.

    Without its case, Base64 cannot be decoded. Other encodings are found by decoding.
    """
    middle = max(0, (len(secret) - MAX_NEEDLE) // 2)
    part = secret[middle : middle + MAX_NEEDLE]
    codes = {code for text in _cased(part) for code in _bytes_of(text)} | {text.encode() for text in _encoded(part)}
    codes |= {form for code in _bytes_of(part) for form in _base64_forms(code)}
    forms = {canonical(form) for code in codes for form in _base64_forms(code)}
    return {form for form in forms if len(form) >= MIN_SECRET_LENGTH}


def blocks(data: bytes) -> memoryview:
    """Return the whole blocks of the bytes as numbers."""
    return memoryview(data)[: len(data) // BLOCK * BLOCK].cast("Q")


def blocks_of_needle(needle: bytes) -> set[int]:
    """Return the blocks of which one is in every text with the needle, which has at least 2 * `BLOCK` - 1 bytes."""
    start = max(0, (len(needle) - MIDDLE) // 2)
    middle = needle[start : start + MIDDLE]
    return {int.from_bytes(middle[n : n + BLOCK], sys.byteorder) for n in range(len(middle) - BLOCK + 1)}


def _cased(secret: str) -> set[str]:
    upper = secret.upper()  # of some letters it cannot be undone
    return {secret, secret.lower(), upper, upper.lower(), secret.swapcase()}


def _bytes_of(text: str) -> Iterator[bytes]:
    yield text.encode("utf-8", "surrogatepass")
    for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
        try:
            yield text.encode(encoding)
        except UnicodeEncodeError:
            continue


def _encoded(secret: str) -> Iterator[str]:
    """Yield the secret in each encoding, whose result may have been encoded in Base64."""
    data = secret.encode("utf-8", "surrogatepass")
    yield from plain_forms(secret)
    nested = secret
    for _ in range(MAX_NESTED):
        nested = json.dumps(nested)[1:-1]
        yield nested
    for digits in ("02x", "02X"):
        pairs = [format(byte, digits) for byte in data]
        units = [format(ord(character), f"04{digits[-1]}") for character in secret]
        points = [format(ord(character), digits[-1]) for character in secret]
        yield from (separator.join(pairs) for separator in ("", ":", " "))
        yield "".join(f"%{pair}" for pair in pairs)
        yield "".join(f"\\u{unit}" for unit in units)
        yield "".join(f"&#x{point};" for point in points)
    yield "".join(f"&#{ord(character)};" for character in secret)


def _base64_forms(data: bytes) -> Iterator[bytes]:
    """Yield the characters that bytes determine in Base64, at each of three offsets and in both alphabets."""
    for offset in range(3):
        coded = base64.b64encode(b"x" * offset + data)
        certain = coded[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        if len(certain) >= 4 * TRIM:
            certain = certain[TRIM:-TRIM]  # it is found without its ends, too
        yield certain
        yield certain.translate(bytes.maketrans(b"+/", b"-_"))
