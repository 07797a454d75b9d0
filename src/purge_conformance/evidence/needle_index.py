"""An index of the texts that show a secret, so that a long text is searched for all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.evidence.needles import BLOCK, MIN_SECRET_LENGTH, blocks, blocks_of_needle

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 2 * BLOCK - 1  # bytes of a needle that has a whole block, wherever it begins


class NeedleIndex:
    """Finds which of its needles are in a text.

    Attributes:
        needles: needle -> the name of its secret, in the order in which they were added.
    """

    def __init__(self) -> None:
        """Start without a needle."""
        self.needles: dict[bytes, str] = {}
        self._short: list[bytes] = []
        self._by_block: dict[int, list[bytes]] = {}  # block -> the needles that may be in a text with that block
        self._blocks: set[int] = set()  # the same blocks; a set is searched faster

    def add(self, needle: bytes, name: str) -> None:
        """Add a needle, unless it is there, or is too short to be searched for."""
        if len(needle) < MIN_SECRET_LENGTH or needle in self.needles:
            return
        self.needles[needle] = name
        if len(needle) < LONG:
            self._short.append(needle)
            return
        for block in blocks_of_needle(needle):
            self._by_block.setdefault(block, []).append(needle)
            self._blocks.add(block)

    def found(self, text: bytes) -> Iterator[bytes]:
        """Yield the needles that are in a text."""
        yield from (needle for needle in self._short if needle in text)
        if not self._blocks.isdisjoint(blocks(text)):
            candidates = {
                needle for block in self._blocks.intersection(blocks(text)) for needle in self._by_block[block]
            }
            yield from (needle for needle in candidates if needle in text)
