"""Events that a rejected purge destroys later, as opposed to events that are gone anyway."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.outcomes import AttributableViolation, Inconclusive, RequirementViolated
from purge_conformance.analysis.rejected import delayed_losses
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import WAITS, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

judgments = importlib.import_module("purge_conformance.conformance.test_refused")
PLACES = [Place(step, n) for n in range(WAITS) for step in (Step.WAIT_AFTER_READS, Step.WAIT_AFTER_REJECTED)]


def add_waits(builder: EvidenceBuilder, *gone: bool) -> EvidenceBuilder:
    """Add waits, alternately after reads and after a rejected purge, and whether an event was gone after each."""
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.CREDENTIAL, method="POST", path=PURGE_PATH, status=403)
    for place, is_gone in zip(PLACES, gone, strict=False):
        rows = [builder.event("old", "a"), builder.event("a", "a")]
        rejected = place.step is Step.WAIT_AFTER_REJECTED
        request: dict[str, Any] = {"method": "POST", "path": PURGE_PATH, "status": 403} if rejected else {}
        builder.add_page(Scenario.REJECTED_PURGES, place.at(Phase.BEFORE), rows)
        builder.add_exchange(Scenario.REJECTED_PURGES, place, **request)
        builder.add_page(Scenario.REJECTED_PURGES, place.at(Phase.AFTER), rows[1:] if is_gone else rows)
    return builder


def test_rejected_purge_destroys_later(builder: EvidenceBuilder) -> None:
    """If events are gone after every rejected purge and never otherwise, the rejected purge destroyed them."""
    seen = add_waits(builder, *(False, True) * WAITS).judgment_view
    assert [purge.describe_loss() for purge in delayed_losses(seen)] == ["2 events before, 1 after"] * WAITS
    with pytest.raises(AttributableViolation):
        judgments.test_no_delayed_destruction(seen)


@pytest.mark.parametrize(
    "gone",
    [
        (False, False),
        (False, True) * (WAITS - 1),
        (False, True) * (WAITS - 1) + (True,),
        (True, True) * WAITS,
    ],
)
def test_unrelated_loss_is_ignored(gone: tuple[bool, ...], builder: EvidenceBuilder) -> None:
    """Events that are gone only once, or after no purge too, may have been purged by another client."""
    assert delayed_losses(add_waits(builder, *gone).judgment_view) == []


def add_purge_and_rejection(builder: EvidenceBuilder, *left: str) -> EvidenceBuilder:
    """Add a purge that kept an event, and a rejected purge after which these events are left."""
    apps, old, seed = [builder.app("a")], builder.event("old", "a"), builder.event("a", "a")
    builder.add_snapshot(Scenario.PURGE, BEFORE, [old], apps)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [old, seed], apps)
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, [old, seed])
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PURGE_PATH,
        status=401,
        tags={Tag.CREDENTIAL: "none"},
    )
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, [row for row in (old, seed) if row["guid"] in left])
    return builder


def test_late_loss_is_ambiguous(builder: EvidenceBuilder) -> None:
    """An event that a purge kept and that is gone after a rejected purge is inconclusive."""
    with pytest.raises(Inconclusive, match="only after its answer"):
        judgments.test_unauthenticated_purge_destroys_nothing(add_purge_and_rejection(builder, "a").judgment_view)


def test_further_loss_accuses_rejected_purge(builder: EvidenceBuilder) -> None:
    """If an event is gone that no purge should destroy, the rejected purge destroyed it."""
    with pytest.raises(RequirementViolated):
        judgments.test_unauthenticated_purge_destroys_nothing(add_purge_and_rejection(builder, "old").judgment_view)
