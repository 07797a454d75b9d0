"""Where `expected` and `got` differ, part by part, if both say the same kind of thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

MIN_SIMILARITY = 0.5  # of two texts that say the same kind of thing; below it a difference does not help
MAX_PARTS = 400
_PARTS = re.compile(r"\s+|[^\s,;:{}\[\]]+|[,;:{}\[\]]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; `differs` if the other text does not have it."""

    text: str
    differs: bool


def describe_difference(expected: str, got: str) -> str:
    """Return what differs as text, for example `-"STARTED" +"STOPPED"`; empty where `find_difference` returns None."""
    sides = find_difference(expected, got) or ()
    words = [[piece.text.strip() for piece in side if piece.differs and piece.text.strip(" ,;:")] for side in sides]
    return " ".join(f"{sign}{word}" for sign, side in zip("-+", words, strict=False) for word in side)


def find_difference(expected: str, got: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    """Return both texts in pieces, those marked that differ; None if they have little in common, or nothing differs."""
    first, second = _PARTS.findall(expected), _PARTS.findall(got)
    if not (1 < len(first) <= MAX_PARTS and 1 < len(second) <= MAX_PARTS) or expected == got:
        return None
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.ratio() < MIN_SIMILARITY:
        return None
    old: list[Piece] = []
    new: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        old += [Piece("".join(first[a:b]), kind != "equal")] if a < b else []
        new += [Piece("".join(second[c:d]), kind != "equal")] if c < d else []
    return tuple(old), tuple(new)
