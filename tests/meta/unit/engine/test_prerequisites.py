"""Prerequisites: the judgments that the engine runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.engine import prerequisites
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, False),
        (RequirementViolated((Finding("200", "500"),)), True),
        (Inconclusive("why", Cause.NETWORK), False),
        (KeyError("guid"), False),
    ],
)
def test_only_a_violation_counts(
    error: Exception | None,
    expected: bool,  # noqa: FBT001 -- pytest
    builder: EvidenceBuilder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A judgment that cannot judge, or crashes, finds no violation."""

    def judgment(_: object) -> None:
        if error:
            raise error

    monkeypatch.setattr(prerequisites, "_judgments", lambda: {"PURGE-01": judgment})
    assert prerequisites.is_violated("PURGE-01", builder.evidence) is expected
    assert not prerequisites.is_violated("RACE-01", builder.evidence)


def test_own_judgments_are_found(builder: EvidenceBuilder) -> None:
    """The engine finds the suite's own judgments and runs them."""
    builder.add_purge(Scenario.PURGE, status=500)
    assert prerequisites.is_violated("PURGE-01", builder.evidence)
    assert not prerequisites.is_violated("PURGE-02", builder.evidence)


def test_prerequisites_are_simple() -> None:
    """Requirements that others rest on or assume are MUSTs of the core profile that a run can judge."""
    named = {name for r in REQUIREMENTS.values() for name in (*r.all_prerequisites(), *r.assumes)}
    unusable = {
        name for name in named if REQUIREMENTS[name].profile is not Profile.CORE or REQUIREMENTS[name].not_judged
    }
    assert unusable == set()
    rested_on = {name for r in REQUIREMENTS.values() for name in r.all_prerequisites()}
    assert {name for name in rested_on if REQUIREMENTS[name].level is not Level.MUST} == set()
