"""Prerequisites: the judgments that the engine runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.engine import prerequisites
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}


@pytest.mark.parametrize(
    ("error", "is_crash"),
    [
        (None, False),
        (RequirementViolated((Finding("200", "500"),)), False),
        (Inconclusive("why", Cause.NETWORK), False),
        (KeyError("guid"), True),
        (AssertionError("bare"), True),
    ],
)
def test_end_of_judgment_is_returned(
    error: Exception | None,
    is_crash: bool,  # noqa: FBT001 -- pytest
    builder: EvidenceBuilder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine gets the exception of a judgment, and knows which exceptions are crashes."""

    def judgment(_: object) -> None:
        if error:
            raise error

    monkeypatch.setattr(prerequisites, "_judgments", lambda: {"PURGE-01": judgment})
    assert prerequisites.judge("PURGE-01", builder.judgment_view) is error
    assert prerequisites.has_crashed(error) is is_crash
    assert prerequisites.judge("RACE-01", builder.judgment_view) is None


def test_own_judgments_are_found(builder: EvidenceBuilder) -> None:
    """The engine finds the suite's own judgments and runs them."""
    builder.add_purge(Scenario.PURGE, status=500)
    assert isinstance(prerequisites.judge("PURGE-01", builder.judgment_view), RequirementViolated)
    assert isinstance(prerequisites.judge("PURGE-02", builder.judgment_view), NotExercised)


def test_prerequisites_are_simple() -> None:
    """Requirements that others rest on or assume are MUSTs of the core profile that a run can judge."""
    named = {name for r in REQUIREMENTS.values() for name in (*r.all_prerequisites(), *r.assumes)}
    unusable = {
        name for name in named if REQUIREMENTS[name].profile is not Profile.CORE or REQUIREMENTS[name].not_judged
    }
    assert unusable == set()
    rested_on = {name for r in REQUIREMENTS.values() for name in r.all_prerequisites()}
    assert {name for name in rested_on if REQUIREMENTS[name].level is not Level.MUST} == set()
