"""Purges that take effect after their answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.late_effects import (
    describe_late_destruction,
    describe_late_seed,
    longest_delay,
    may_be_late,
    require_no_delay,
)
from purge_conformance.analysis.outcomes import PrerequisiteFailed
from purge_conformance.analysis.purge_series import observed_purges
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def add_late_purge(builder: EvidenceBuilder, *, is_purged_again: bool = False) -> None:
    """Add a purge whose effect is not in the list after it, but in the next one."""
    old, apps = [builder.event("old", "app")], [builder.app("app")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, old, apps)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, old, apps)
    if is_purged_again:
        builder.add_purge(Scenario.SECOND_PURGE)
    builder.add_list(Scenario.LISTS, Step.OPENING, [builder.event("app", "app", "2026-07-01T12:00:09Z")])


def test_delay_is_stated(builder: EvidenceBuilder) -> None:
    """It is stated how long an event stayed, and when the seeded one was there, in seconds after the answer."""
    add_late_purge(builder)
    (purge,) = observed_purges(builder.judgment_view)
    row = purge.surviving_events["old"]
    words = "; it was still listed 2.5 s after the purge's answer, and no longer 3.5 s after it"
    assert describe_late_destruction(builder.evidence, purge, row) == words
    assert describe_late_seed(builder.evidence, purge, "app") == "; it was listed 3.5 s after the purge's answer"
    assert longest_delay(builder.evidence) == 3.5


def test_effect_of_next_purge_is_no_delay(builder: EvidenceBuilder) -> None:
    """If another purge lies in between, nothing shows that the first one is late."""
    add_late_purge(builder, is_purged_again=True)
    purge = observed_purges(builder.judgment_view)[0]
    assert describe_late_destruction(builder.evidence, purge, purge.surviving_events["old"]) == ""
    assert describe_late_seed(builder.evidence, purge, "app") == ""
    assert longest_delay(builder.evidence) == 0


def test_late_seed_is_a_delay(builder: EvidenceBuilder) -> None:
    """A purge that destroys at once and seeds later is late by the time until its event is listed."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, [builder.event("old", "app")], [builder.app("app")])
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [], [builder.app("app")])
    assert longest_delay(builder.evidence) == 0
    builder.add_list(Scenario.LISTS, Step.OPENING, [builder.event("app", "app", "2026-07-01T12:00:09Z")])
    assert longest_delay(builder.evidence) == 3.5


def test_each_purge_may_be_as_late(builder: EvidenceBuilder) -> None:
    """Where one purge was late, each may be; but not long after it."""
    add_late_purge(builder)
    builder.add_purge(Scenario.SECOND_PURGE)
    soon = builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, [])
    later = builder.add_exchange(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, sent_at=soon.sent_at + 60)
    assert may_be_late(builder.evidence, soon)
    assert not may_be_late(builder.evidence, builder.exchanges[0])
    with pytest.raises(PrerequisiteFailed):
        require_no_delay(builder.evidence)
    assert not may_be_late(builder.evidence, later)


def test_purge_in_time_is_never_late(builder: EvidenceBuilder) -> None:
    """Where no purge was late, what disappears after one is not its effect."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, [builder.event("old", "app")], [builder.app("app")])
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [builder.event("app", "app")], [builder.app("app")])
    assert not may_be_late(builder.evidence, builder.exchanges[-1])
    require_no_delay(builder.evidence)
