"""Judgment BODY-02 beside an app of others whose seeded event has a guid that is neither its own nor a process's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import outcome_of
from meta.support.story import app_row, event_row
from purge_conformance.analysis.purge import find_reseeded_guids
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

FIRST, LATER = "2026-07-01T12:00:00Z", "2026-07-01T12:00:05Z"
APPS = [app_row("own"), app_row("of-others")]
RECORDED = event_row("recorded", "own")


def add_purge(builder: EvidenceBuilder, scenario: Scenario, step: Step, at: str, *, survivor: bool = False) -> None:
    """Add a purge that seeds both apps at this time; the event of the app of others has a guid that never changes."""
    seeds = [event_row("own", "own", at), event_row("odd", "of-others", at)]
    known = [RECORDED, *seeds] if scenario is not Scenario.PURGE else [RECORDED]
    builder.add_snapshot(scenario, Place(step, phase=Phase.BEFORE), known, APPS)
    builder.add_purge(scenario, step)
    builder.add_snapshot(scenario, Place(step, phase=Phase.AFTER), [*seeds, *[RECORDED] * survivor], APPS)


@pytest.mark.parametrize(("survivor", "outcome"), [(False, "passed"), (True, "failed")])
def test_event_that_is_seeded_twice_in_one_second_did_not_survive(
    outcome: str, builder: EvidenceBuilder, *, survivor: bool
) -> None:
    """An event that the run shows with several times was seeded each time; another one survived."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "own"})
    add_purge(builder, Scenario.PURGE, Step.PURGE, FIRST)
    add_purge(builder, Scenario.UNEXPECTED_INPUT, Step.JSON_OBJECT, LATER, survivor=survivor)
    assert find_reseeded_guids(builder.evidence) == {"own", "odd"}
    assert outcome_of(builder, "BODY-02") == outcome
