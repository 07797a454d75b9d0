"""Reads during concurrent purges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.concurrent_reads import is_during_purge, summarize_concurrent_reads
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.rounds import CONCURRENT_ROUNDS
from purge_conformance.evidence.steps import YES, Part, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


CONCURRENT_TAGS = {Tag.CONCURRENT: YES}
SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD = {**SEEDED, "guid": "old"}


def test_concurrent_reads_are_counted(builder: EvidenceBuilder) -> None:
    """Concurrent reads are counted by kind: nothing, the list before or after, a part, a duplicate event."""
    new = {**SEEDED, "guid": "n"}
    builder.add_list(
        Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1, phase=Phase.BEFORE).of(Part.EVENTS), [OLD, SEEDED]
    )
    for rows in ([], [], [OLD, SEEDED], [SEEDED, new], [SEEDED], [new, new], [OLD, new]):
        builder.add_page(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT_READ, 1), rows).tags.update(CONCURRENT_TAGS)
    builder.add_exchange(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1), method="POST", path=PURGE_PATH)
    builder.add_exchange(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT_READ, 1), status=503, tags=CONCURRENT_TAGS)
    builder.add_list(
        Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1, phase=Phase.AFTER).of(Part.EVENTS), [SEEDED, new]
    )
    assert summarize_concurrent_reads(builder.evidence) == (
        "nothing 2x, a partial or mixed list 2x, the old list 1x, the new list 1x, an event twice 1x, status 503 1x"
    )


def test_every_round_is_counted(builder: EvidenceBuilder) -> None:
    """Each round that the scenario runs is counted, and compared with its own lists."""
    for index in CONCURRENT_ROUNDS:
        place, rows = Place(Step.CONCURRENT, index), [{**OLD, "guid": f"old-{index}"}]
        builder.add_list(Scenario.CONCURRENT_PURGES, place.at(Phase.BEFORE).of(Part.EVENTS), rows)
        builder.add_exchange(Scenario.CONCURRENT_PURGES, place, method="POST", path=PURGE_PATH, tags=CONCURRENT_TAGS)
        read = builder.add_page(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT_READ, index), rows)
        read.tags.update(CONCURRENT_TAGS)
    assert summarize_concurrent_reads(builder.evidence) == f"the old list {len(CONCURRENT_ROUNDS)}x"


def test_contradicted_total_is_reported(builder: EvidenceBuilder) -> None:
    """A read during a purge whose total differs from its rows is reported as that."""
    place = Place(Step.CONCURRENT, 1)
    builder.add_list(Scenario.CONCURRENT_PURGES, place.at(Phase.BEFORE).of(Part.EVENTS), [OLD])
    builder.add_exchange(Scenario.CONCURRENT_PURGES, place, method="POST", path=PURGE_PATH, tags=CONCURRENT_TAGS)
    page = {"pagination": {"total_results": 0, "next": None}, "resources": [OLD]}
    builder.add_exchange(
        Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT_READ, 1), data=page, tags=dict(CONCURRENT_TAGS)
    )
    assert summarize_concurrent_reads(builder.evidence) == "a total that its rows contradict 1x"


@pytest.mark.parametrize(
    ("status", "sent_at", "is_during"),
    [(200, 0.5, True), (200, 1.5, False), (504, 1.5, True), (None, 30, True), (504, 90, False)],
)
def test_reads_during_purge(status: int | None, sent_at: float, builder: EvidenceBuilder, *, is_during: bool) -> None:
    """A read overlaps with a purge by their times; a purge without a final answer may go on for a minute."""
    purge = builder.add_purge(Scenario.PURGE, status=status, sent_at=0.0, elapsed=1.0)
    read = builder.add_page(Scenario.PURGE, Step.SETTLE, [])
    assert is_during_purge(replace(read, sent_at=sent_at, elapsed=0.1), [purge]) is is_during
