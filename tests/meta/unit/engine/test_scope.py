"""Which requirements are judged: of the run's own profiles and selection, or of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.story import whole_view
from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import NotExercised, RequirementViolated
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.engine.scope import requirements_in, scope_of, scope_to_judge
from purge_conformance.engine.session import start_judging
from purge_conformance.errors import BadData, BadSetting
from purge_conformance.report.model import Finding, Outcome

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

EVERY = catalogue.requirements()
CORE = {r.id for r in EVERY if r.profile is Profile.CORE}
OBSERVED = {r.id for r in EVERY if r.observed}


@pytest.mark.parametrize(
    ("profiles", "ids"),
    [
        (["core"], CORE),
        (["upstream"], {r.id for r in EVERY}),
        (["upstream", "core"], {r.id for r in EVERY}),
        (["observe-only"], CORE & OBSERVED),
        (["observe-only", "core"], CORE & OBSERVED),
        (["observe-only", "upstream"], OBSERVED),
        (["upstream", "observe-only"], OBSERVED),
    ],
)
def test_profiles_combine(profiles: list[str], ids: set[str]) -> None:
    """Upstream includes core, and observe-only restricts what the others have; the whole of it is counted."""
    scope = scope_of(profiles)
    assert set(requirements_in(scope)) == ids
    whole = CORE if "upstream" not in profiles else {r.id for r in EVERY}
    assert scope.musts == sum(r.level is Level.MUST and r.id in whole for r in EVERY)
    assert scope.is_partial == ("observe-only" in profiles)


def test_scope_follows_header(builder: EvidenceBuilder) -> None:
    """By default the run's own profiles and globs are judged; others replace them."""
    assert set(requirements_in(scope_to_judge(builder.evidence))) == CORE
    scope = scope_to_judge(builder.evidence, ["upstream"], ["UP-SEED-0*"])
    assert set(requirements_in(scope)) == {f"UP-SEED-0{n}" for n in range(1, 5)}
    with pytest.raises(BadSetting):
        requirements_in(scope_to_judge(builder.evidence, [], ["NO-SUCH"]))


def test_damaged_header_is_rejected(builder: EvidenceBuilder) -> None:
    """A header without a selection is bad data."""
    builder.evidence.header.settings.pop("select")
    try:
        with pytest.raises(BadData, match="Restore"):
            scope_to_judge(builder.evidence)
    finally:
        builder.evidence.header.settings["select"] = []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome.INCONCLUSIVE),
        (NotExercised("No list was read."), Outcome.INCONCLUSIVE),
        (RequirementViolated((Finding("200", "500"),)), Outcome.FAILED),
    ],
)
def test_wider_scope_than_the_run(error: Exception | None, outcome: Outcome, builder: EvidenceBuilder) -> None:
    """What a run of a selection did not collect is open for other requirements; a failure that it shows stays one."""
    settings = {"select": ["AUTH-01"], "unselected_scenarios": ["app-changes", "lists", "race"]}
    builder.evidence.header.settings.update(settings)
    try:
        run_builder = start_judging(builder.evidence, select=["LIST-08", "AUTH-01"])
        result = run_builder.record("LIST-08", error, None, 0.1)
        own = run_builder.record("AUTH-01", None, whole_view(builder, "AUTH-01"), 0.1)
    finally:
        builder.evidence.header.settings["select"] = []
        del builder.evidence.header.settings["unselected_scenarios"]
    assert (result.outcome, own.outcome) == (outcome, Outcome.PASSED)
    if outcome is Outcome.INCONCLUSIVE:
        assert "selection AUTH-01, and none of: app-changes, lists." in result.reason
        assert result.next_step == "Run again with --select LIST-08, or without a selection."
