r"""Finds what a text says once it is decoded: the views in which a secret is searched.

A view is the text itself, or the text after one to `MAX_DEPTH` decodings in any order: escapes of JSON (`\u0065`), of
URLs (`%65`) and of HTML (`&#101;`), hexadecimal and Base64. What is no such code is decoded as well, into nonsense;
that is harmless, since a view is only searched.
"""

from __future__ import annotations

import binascii
import html
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DEPTH = 3
MAX_JSON_DEPTH = 8  # JSON in a string of JSON, in a string of JSON ...
BYTES_PER_BYTE, FREE_BYTES = 24, 1024 * 1024  # what all views of a part may have: so many times its own, and more
WINDOW = 32 * 1024  # bytes around an escape in which an encoded secret with that escape is
PART = 16 * WINDOW  # bytes of a long text that are decoded at once; the next part begins two windows before its end
SEPARATOR = b"\x01"  # between the parts of a view

_ESCAPE = re.compile(r"[\\%]u([0-9a-f]{4})|\\u\{([0-9a-f]{1,6})\}|\\x([0-9a-f]{2})|\\(.)", re.IGNORECASE | re.DOTALL)
_ESCAPES = re.compile(rb"\\|%[uU]")
_URL_ESCAPES, _HTML_ESCAPES = re.compile(b"%"), re.compile(b"&")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ENTITY = re.compile(r"&(?:#\w{1,9}|\w{1,32}(?=;)|lt|gt|amp|quot|LT|GT|AMP|QUOT);?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")
_HEX_SHAPE = bytes.maketrans(b"0123456789ABCDEFabcdef,-\t\r\n+", b"h" * 22 + b"::    ")
_HEX_RUNS = {b"h" * 16: re.compile(b"h{16,}")} | {  # what every run of hexadecimal digits has -> the run
    (b"hh" + between) * 7: re.compile(b"(?:hh%s){7,}hh" % between) for between in (b":", b" ", b": ")
}
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_ASCII = bytes({*b"\t\r\n", *range(0x20, 0x7F)})
_READABLE_SHAPES = {  # whether only ASCII is readable -> a table that makes each readable byte `r`
    is_ascii: bytes(ord("r") if c in _ASCII or (c >= 0x80 and not is_ascii) else 0 for c in range(256))  # noqa: PLR2004 -- beyond ASCII
    for is_ascii in (True, False)
}
_MIN_READABLE = 8  # bytes; no secret that is searched for is shorter
_READABLE = {
    True: re.compile(rb"[\t\n\r -~]{8,}"),
    False: re.compile(
        rb"(?:[\t\n\r -~]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){5,}"
    ),
}


def has_codes(data: bytes) -> bool:
    """Return whether a text has what may be an escape or a run of hexadecimal digits; Base64 may be anywhere."""
    if any(sign in data for sign in (b"\\", b"%", b"&", b"\0")):
        return True
    shape = data.translate(_HEX_SHAPE)
    return any(part in shape for part in _HEX_RUNS)


class TooManyViews(Exception):
    """A text has more views than can be searched in a reasonable time."""


def views(data: bytes, *, only_ascii: bool) -> Iterator[bytes]:
    """Yield the parts of a text, encoded as UTF-8, and each of their decoded forms once.

    Args:
        data: the text.
        only_ascii: whether what is searched has only ASCII characters.

    Raises:
        TooManyViews: there are more.
    """
    for start in range(0, max(1, len(data) - 2 * WINDOW), PART - 2 * WINDOW):
        part = data[start : start + PART]
        decoder = _Decoder(FREE_BYTES + BYTES_PER_BYTE * len(part), only_ascii=only_ascii)
        yield from decoder.views(part, MAX_DEPTH, MAX_JSON_DEPTH)


class _Decoder:
    def __init__(self, budget: int, *, only_ascii: bool) -> None:
        self._budget = budget
        self._only_ascii = only_ascii
        self._seen: set[int] = set()

    def views(self, data: bytes, depth: int, json_depth: int) -> Iterator[bytes]:
        if not data or hash(data) in self._seen:
            return
        self._seen.add(hash(data))
        self._budget -= len(data)
        if self._budget < 0:
            raise TooManyViews
        yield data
        if _ESCAPES.search(data):
            yield from self.views(_unescape(data), depth if json_depth else depth - 1, max(json_depth - 1, 0))
        if depth:
            for decode in _DECODERS:
                yield from self.views(decode(data), depth - 1, json_depth)
            for decode_text in (_decode_hex, _decode_base64):
                yield from self.views(decode_text(data, only_ascii=self._only_ascii), depth - 1, json_depth)


def _near(data: bytes, escapes: re.Pattern[bytes]) -> bytes:
    """Return the parts of a long text in which its escapes are: decoding changes nothing else in it."""
    if len(data) <= 2 * WINDOW:
        return data
    spans: list[list[int]] = []
    for match in escapes.finditer(data):
        start, end = max(0, match.start() - WINDOW), match.end() + WINDOW
        if spans and start <= spans[-1][1]:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return SEPARATOR.join(data[start:end] for start, end in spans)


def _unescape(data: bytes) -> bytes:
    return _through_text(_near(data, _ESCAPES), lambda text: _ESCAPE.sub(_character, text))


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return _CONTROLS.get(match[4].lower(), match[4])
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else match[0]  # noqa: PLR2004 -- the last code point


def _decode_url(data: bytes) -> bytes:
    return unquote_to_bytes(_near(data, _URL_ESCAPES)) if b"%" in data else b""


def _decode_html(data: bytes) -> bytes:
    near = _near(data, _HTML_ESCAPES) if b"&" in data else b""
    return _through_text(near, lambda text: _ENTITY.sub(_unescape_entity, text))


def _unescape_entity(match: re.Match[str]) -> str:
    """Return the character of an entity; a name in capitals counts, since a text may have been capitalized."""
    found = html.unescape(match[0])
    if found == "\ufffd":
        return ""  # a zero, of UTF-16
    return found if found != match[0] else html.unescape(match[0].lower())


def _through_text(data: bytes, decode: Callable[[str], str]) -> bytes:
    before = data.decode("utf-8", "surrogateescape")
    text = decode(before)
    if text == before:
        return data
    if _SURROGATE.search(text):  # two of them are one character
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.encode()


def _decode_hex(data: bytes, *, only_ascii: bool) -> bytes:
    """Return what the text says as hexadecimal digits; if only ASCII is searched, what is readable: no digest is."""
    shape = data.translate(_HEX_SHAPE)
    spans = [match.span() for part, run in _HEX_RUNS.items() if part in shape for match in run.finditer(shape)]
    digits = [bytes(filter(_HEX_DIGITS.__contains__, data[start:end])).decode() for start, end in spans]
    both = [run[start:] for run in digits for start in (0, 1)]  # a run may begin with a digit that is none of it
    decoded = [bytes.fromhex(run[: len(run) // 2 * 2]) for run in both]
    if only_ascii:
        decoded = [part for text in decoded for part in _READABLE[True].findall(text.translate(None, b"\0"))]
    return SEPARATOR.join(decoded)


def _decode_base64(data: bytes, *, only_ascii: bool) -> bytes:
    """Return what is readable in the text as Base64, from each of its first four characters on."""
    stream = data.translate(_TO_STANDARD, _NOT_BASE64) + b"AAA"  # so that no last characters are cut off
    found: list[bytes] = []
    for start in range(4):
        end = start + (len(stream) - start) // 4 * 4
        decoded = binascii.a2b_base64(stream[start:end]).translate(None, b"\0")
        if b"r" * _MIN_READABLE in decoded.translate(_READABLE_SHAPES[only_ascii]):
            found += _READABLE[only_ascii].findall(decoded)
    return SEPARATOR.join(found)


def _without_zeros(data: bytes) -> bytes:
    """Return UTF-16 of ASCII characters as ASCII."""
    return data.translate(None, b"\0") if b"\0" in data else b""


_DECODERS = (_decode_url, _decode_html, _without_zeros)
