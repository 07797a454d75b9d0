"""Replaces the smallest part of a text that has a secret: a string of JSON, a word, or all of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_UNITS = 2_000  # units that are replaced one by one; a text with more of them is left out
TOO_DEEP = b"[left out: it has too many encodings to search it for secrets]"

_JSON_UNIT = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s"\[\]{},:]+', re.DOTALL)
_WORD = re.compile(rb"[^\s]+")


class TooManyUnits(Exception):
    """A text has more units with a secret than are replaced one by one."""


def left_out(names: Iterable[str]) -> bytes:
    """Return what stands in place of a text with an encoded secret; LEAK-01 recognizes the names in it."""
    return f"[left out: it contains {' and '.join(f'${name}' for name in sorted(names))} in an encoded form]".encode()


@dataclass(frozen=True, slots=True)
class Units:
    """Replaces the units of a text.

    Attributes:
        find: returns the names of the secrets in a text, however it is encoded.
        contains: returns whether there is one.
        replace: replaces the secrets in a text that are not encoded, or only as usual.
    """

    find: Callable[[bytes], set[str]]
    contains: Callable[[bytes], bool]
    replace: Callable[[bytes], bytes]

    def without_secrets(self, data: bytes) -> bytes:
        """Return a text without secrets. JSON remains JSON, and what has no secret remains as it is.

        Raises:
            TooManyViews: as `find`.
        """
        replaced = self.replace(data)
        if _is_json(data):
            if _is_json(replaced) and not self.contains(replaced):
                return replaced
            replaced = self._by_unit(_JSON_UNIT, data, self._json_unit)
        elif self.contains(replaced):
            replaced = self._by_unit(_WORD, replaced, self._whole)
        names = self.find(replaced)
        return left_out(names) if names else replaced

    def whole(self, data: bytes) -> bytes:
        """Return a text without secrets; if one is encoded, nothing of the text remains."""
        replaced = self.replace(data)
        names = self.find(replaced)
        return left_out(names) if names else replaced

    def _whole(self, unit: bytes) -> bytes:
        return self.whole(unit)

    def _json_unit(self, unit: bytes) -> bytes:
        return b'"' + self.whole(unit.strip(b'"')) + b'"'

    def _by_unit(self, pattern: re.Pattern[bytes], data: bytes, replace: Callable[[bytes], bytes]) -> bytes:
        spans = [match.span() for match in pattern.finditer(data)]
        try:
            hits = self._with_secret(data, spans)
        except TooManyUnits:
            return data
        parts, position = [], 0
        for start, end in hits:
            parts += [data[position:start], replace(data[start:end])]
            position = end
        return b"".join([*parts, data[position:]])

    def _with_secret(self, data: bytes, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the units with a secret, found by halving.

        Raises:
            TooManyUnits: there are too many of them.
        """
        hits, pending = [], [spans]
        while pending:
            group = pending.pop()
            if not group or not self.contains(data[group[0][0] : group[-1][1]]):
                continue
            if len(group) == 1:
                hits.append(group[0])
                if len(hits) > MAX_UNITS:
                    raise TooManyUnits
                continue
            middle = len(group) // 2
            pending += [group[middle:], group[:middle]]
        return hits


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
