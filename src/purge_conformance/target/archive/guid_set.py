"""A set of guids that takes 16 bytes for each, so that a million of them take tens of megabytes."""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_BYTES = 16
BUCKETS = 1 << 14
_DIGITS = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_UUID = b"00000000-0000-0000-0000-000000000000"


class GuidSet:
    """The guids that were added; a UUID in its usual form is kept as its bytes, any other text as a digest."""

    def __init__(self) -> None:
        """Start empty."""
        self._buckets: defaultdict[int, bytearray] = defaultdict(bytearray)  # each has whole keys, one after the other
        self._size = 0

    def __len__(self) -> int:
        """Return the number of guids."""
        return self._size

    def add(self, guid: str) -> bool:
        """Add a guid, and return whether it was not there."""
        return not self._add(_keys([guid]))

    def add_all(self, guids: Sequence[str]) -> bool:
        """Add guids, and return whether none of them was there or is given twice; else none is added."""
        keys = _keys(guids)
        known = self._add(keys)
        if not known:
            return True
        for key in keys[: known - 1]:
            del self._buckets[hash(key) % BUCKETS][-KEY_BYTES:]
        self._size -= known - 1
        return False

    def _add(self, keys: Sequence[bytes]) -> int:
        """Add keys up to the first one that is there, and return its number, from 1; 0 if all were added."""
        buckets = self._buckets
        for number, key in enumerate(keys):
            bucket = buckets[hash(key) % BUCKETS]
            if key in bucket and _holds(bucket, key):
                self._size += number
                return number + 1
            bucket += key
        self._size += len(keys)
        return 0


def _holds(bucket: bytearray, key: bytes) -> bool:
    """Return whether a bucket has a key, and not only the end of one and the beginning of the next."""
    place = bucket.find(key)
    while place > 0 and place % KEY_BYTES:
        place = bucket.find(key, place + 1)
    return place >= 0


def _keys(guids: Sequence[str]) -> list[bytes]:
    text = "\n".join(guids).encode("utf-8", "surrogatepass")
    if text.translate(_DIGITS) != b"\n".join([_UUID] * len(guids)):
        return [_key(guid.encode("utf-8", "surrogatepass")) for guid in guids]
    packed = bytes.fromhex(text.replace(b"-", b"").decode())  # it ignores line feeds
    return [packed[start : start + KEY_BYTES] for start in range(0, len(packed), KEY_BYTES)]


def _key(guid: bytes) -> bytes:
    is_uuid = guid.translate(_DIGITS) == _UUID
    return bytes.fromhex(guid.replace(b"-", b"").decode()) if is_uuid else blake2b(guid, digest_size=KEY_BYTES).digest()
