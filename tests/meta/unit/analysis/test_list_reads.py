"""List reads between two complete lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


def add_list_reads(builder: EvidenceBuilder, opening: list[str], closing: list[str]) -> None:
    """Add two reads of the whole list."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [builder.event(guid) for guid in opening])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [builder.event(guid) for guid in closing])


def test_new_events_are_excluded(builder: EvidenceBuilder) -> None:
    """Events that foreign clients cause during the reads are excluded."""
    add_list_reads(builder, ["a", "b"], ["a", "b", "new"])
    found = require_list_read(builder.judgment_view)
    assert found.new_guids == {"new"}
    assert found.known_guids([builder.event("a"), builder.event("new")]) == {"a"}


def test_reading_during_a_purge_is_inconclusive(builder: EvidenceBuilder) -> None:
    """Events that disappear during the reads show a foreign purge: a race."""
    add_list_reads(builder, ["a", "b"], ["a"])
    with pytest.raises(Inconclusive, match="another client purged") as caught:
        require_list_read(builder.judgment_view)
    assert caught.value.cause is Cause.RACE


def test_reading_of_nothing_is_not_exercised(builder: EvidenceBuilder) -> None:
    """An empty list shows nothing."""
    add_list_reads(builder, [], [])
    with pytest.raises(NotExercised):
        require_list_read(builder.judgment_view)
