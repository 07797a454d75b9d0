"""Reads during concurrent purges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis import concurrent_reads as meanwhile
from purge_conformance.evidence.steps import YES, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


AT_ONCE = {Tag.CONCURRENT: YES}
SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD = {**SEEDED, "guid": "old"}


def test_concurrent_reads_are_counted(builder: EvidenceBuilder) -> None:
    """Concurrent reads are counted by kind: nothing, the list before or after, a part, a duplicate event."""
    new = {**SEEDED, "guid": "n"}
    builder.add_list("parallel", "first.before.events", [OLD, SEEDED])
    for rows in ([], [], [OLD, SEEDED], [SEEDED, new], [SEEDED], [new, new], [OLD, new]):
        builder.add_page("parallel", "first.reads", rows).tags.update(AT_ONCE)
    builder.add_exchange("parallel", "first", method="POST", tags=AT_ONCE)
    builder.add_exchange("parallel", "first.reads", status=503, tags=AT_ONCE)
    builder.add_list("parallel", "first.after.events", [SEEDED, new])
    assert meanwhile.summarize_concurrent_reads(builder.evidence) == (
        "nothing 2x, a partial or mixed list 2x, the old list 1x, the new list 1x, an event twice 1x, status 503 1x"
    )
