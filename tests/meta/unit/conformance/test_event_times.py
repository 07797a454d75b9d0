"""Judgments of event times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import add_purge, outcome_of
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}


def test_time_without_date_is_undecided(builder: EvidenceBuilder) -> None:
    """If the target's clock is unknown, a different time is not a failure."""
    add_purge(builder, [{**SEEDED, "created_at": "2026-07-01T09:00:00Z"}])
    assert outcome_of(builder, "SEED-06") == "not exercised"


@pytest.mark.parametrize(
    ("created_at", "end"),
    [
        ("2026-07-01T13:00:00Z", "passed"),
        ("2026-07-01T15:00:00+02:00", "passed"),
        ("2026-07-01T13:00:00.5Z", "passed"),
        ("2026-07-01T12:00:00Z", "failed"),
        ("2026-07-01T13:01:00Z", "failed"),
    ],
)
def test_time_follows_target_clock(created_at: str, end: str, builder: EvidenceBuilder) -> None:
    """With a Date header, a time is judged by the target's clock, at any offset."""
    date = (("Date", "Wed, 01 Jul 2026 13:00:01 GMT"),)
    builder.add_exchange(Scenario.PREFLIGHT, Step.EVENTS, response_headers=date)
    add_purge(builder, [{**SEEDED, "created_at": created_at}])
    assert outcome_of(builder, "SEED-06") == end
