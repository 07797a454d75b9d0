"""A set of guids says of each whether it was there, as a set of texts does."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from purge_conformance.target.archive import guid_set
from purge_conformance.target.archive.guid_set import GuidSet

FEW = st.integers(0, 3).map(lambda number: str(UUID(int=number * 0x11111111_11111111_11111111_11111111)))
GUIDS = FEW | FEW.map(str.upper) | FEW.map(lambda guid: guid.replace("-", "")) | st.sampled_from(["a", "b\n", "\ud800"])


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.lists(GUIDS, max_size=5), max_size=6))
def test_set_of_guids(groups: list[list[str]]) -> None:
    """Guids are added all or none, and differ where their texts do."""
    guids, expected = GuidSet(), set[str]()
    for group in groups:
        are_new = len(set(group)) == len(group) and expected.isdisjoint(group)
        assert guids.add_all(group) == are_new
        expected |= set(group) if are_new else set()
        assert len(guids) == len(expected)
        for guid in group:
            assert guids.add(guid) == (guid not in expected)
            expected.add(guid)


def test_keys_side_by_side() -> None:
    """The end of one guid and the beginning of the next are not taken for a third one."""
    guids = GuidSet()
    key = bytes(range(1, 17))
    bucket = guids._buckets[hash(key) % guid_set.BUCKETS]  # noqa: SLF001 -- the texts that would be side by side by chance
    bucket += b"\xff" * 8 + key + b"\xff" * 8
    assert guids.add(str(UUID(bytes=key)))
    assert not guids.add(str(UUID(bytes=key)))
