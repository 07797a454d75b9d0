"""Searches the lines of long lists for secrets, without searching again what is known to have none.

The rows of a list differ in guids, times and numbers, and hardly in anything else. The shape of a text is the text with
a zero in place of each digit and of each letter from a to f. A text is not searched again if one of the same shape had
no secret, however encoded, and no secret has that shape, plain or in Base64. Escapes and runs of hexadecimal digits may
say anything within one shape: a text with these is known only by all of its characters.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from purge_conformance.evidence.decoding import has_codes
from purge_conformance.evidence.needle_index import NeedleIndex
from purge_conformance.evidence.needles import canonical, literal
from purge_conformance.evidence.url_passwords import may_show_password

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.redaction import Redactor

MAX_KNOWN = 200_000  # texts that are remembered, by their hashes
MAX_COMMON = 16  # secrets whose shapes are usual in the lines, and that are therefore searched for in each of them
SEPARATORS = (b', "', b',"')  # between two members of an object
_SHAPE = bytes.maketrans(b"0123456789abcdef", b"0" * 16)


class CleanLines:
    """Knows which texts have no secret."""

    def __init__(self, redactor: Redactor) -> None:
        """Know nothing; `redactor` has the secrets, and may learn more of them meanwhile."""
        self._redactor = redactor
        self._shapes = NeedleIndex()  # of the needles of the secrets
        self._needles_of: dict[bytes, list[bytes]] = {}  # shape -> the needles with that shape
        self._learned = 0  # how many needles of the redactor are in the index
        self._common: set[bytes] = set()  # needles whose shape is in known texts
        self._has_separator = False  # whether a needle has the signs between two members
        self._lines: set[int] = set()  # hashes of the shapes of lines
        self._parts: set[int] = set()  # hashes of the shapes of parts of lines, or of the parts themselves

    def contain_secret(self, lines: bytes) -> bool:
        """Return whether lines contain a secret, however encoded, or a password in a URL, or cannot be searched."""
        self._learn()
        if len(self._common) > MAX_COMMON:
            return self._search(lines)
        return self._contain_unknown(lines) or self._contain_common(lines)

    def _contain_unknown(self, lines: bytes) -> bool:
        hashes = [*map(hash, lines.translate(_SHAPE).split(b"\n"))]  # bytes know their hash: none is computed twice
        unknown = set(hashes) - self._lines
        if not unknown:
            return False
        every = lines.split(b"\n")
        new = {key: line for key, line in zip(hashes, every, strict=True) if key in unknown}  # one line of each shape
        coded = {key for key, line in new.items() if has_codes(line)}  # as all lines of its shape
        more = [line for key, line in zip(hashes, every, strict=True) if key in coded] if coded else []
        if self._search_parts(b"\n".join([*new.values(), *more])):
            return True
        _remember(self._lines, unknown - coded)
        return False

    def _search_parts(self, text: bytes) -> bool:
        if self._has_separator:
            return self._search(text)
        separator = next((each for each in SEPARATORS if each in text), b"\n")
        parts = text.split(separator)
        keys: Iterable[int] = map(hash, text.translate(_SHAPE).split(separator))
        if has_codes(text):
            keys = (hash(part) if has_codes(part) else key for part, key in zip(parts, keys, strict=True))
        new = {key: part for key, part in zip(keys, parts, strict=True) if key not in self._parts}
        if new and self._search(separator.join([b"", *new.values(), b""])):  # a secret may end with a comma
            return True
        _remember(self._parts, new.keys())
        return False

    def _search(self, text: bytes) -> bool:
        """Search a text that is not known; from now on, search all lines for the secrets that have its shape."""
        shape = canonical(text).translate(_SHAPE)
        self._common |= {needle for found in self._shapes.found(shape) for needle in self._needles_of[found]}
        return self._redactor.bytes_contain_secret(text) or may_show_password(text.decode("utf-8", "replace"))

    def _contain_common(self, lines: bytes) -> bool:
        """Search all lines for the secrets that have usual shapes, and for those that are short."""
        if self._common:
            text = canonical(lines)
            if any(needle in text for needle in self._common):
                return True
        if not (self._redactor.literals or self._redactor.patterns):
            return False
        lower = literal(lines)
        return any(each in lower for each in self._redactor.literals) or any(
            secret in lower and pattern.search(lines) for pattern, secret, _ in self._redactor.patterns
        )

    def _learn(self) -> None:
        """Learn the shapes of the secrets that are new; what is known was not searched for them."""
        needles = self._redactor.needles.needles
        if len(needles) == self._learned:
            return
        for needle, name in islice(list(needles.items()), self._learned, None):
            shape = needle.translate(_SHAPE)
            self._shapes.add(shape, name)
            self._needles_of.setdefault(shape, []).append(needle)
            self._has_separator = self._has_separator or SEPARATORS[1] in needle
            self._learned += 1
        self._lines.clear()
        self._parts.clear()


def _remember(known: set[int], keys: Iterable[int]) -> None:
    if len(known) > MAX_KNOWN:
        known.clear()
    known.update(keys)
