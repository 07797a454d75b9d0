"""Which requirements are judged: of the run's own profiles and selection, or of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.engine.scope import requirements_in, scope_of, scope_to_judge
from purge_conformance.errors import BadData, BadSetting

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
