"""Bypass attempts: found by their responses and effects, and ignored if purges are unprotected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.analysis.rejected import attempts, successful_bypasses
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def add_snapshot(builder: EvidenceBuilder, scenario: Scenario, *guids: str) -> None:
    """Add a list of the newest events."""
    rows = [builder.event(guid, "a") for guid in guids]
    builder.add_exchange(
        scenario, Step.NEWEST_PAGE, data={"pagination": {"total_results": len(rows)}, "resources": rows}
    )


def add_purge_attempts(
    builder: EvidenceBuilder, *, plain: int = 401, spelt: tuple[int, ...] = (404, 404), left: tuple[str, ...] = ("old",)
) -> None:
    """Add a plain purge without a token, then purges on alternative paths, with snapshots around them."""
    add_snapshot(builder, Scenario.REJECTED_PURGES, "old")
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PURGE_PATH,
        status=plain,
        role="none",
        tags={Tag.CREDENTIAL: "none"},
    )
    add_snapshot(builder, Scenario.REJECTED_PURGES, "old")
    add_snapshot(builder, Scenario.AUTH_BYPASS, "old")
    for number, status in enumerate(spelt):
        builder.add_exchange(
            Scenario.AUTH_BYPASS,
            Step.SPELLING,
            method="POST",
            path=PURGE_PATH + "/" * (number + 1),
            status=status,
            role="none",
        )
    add_snapshot(builder, Scenario.AUTH_BYPASS, *left)


@pytest.mark.parametrize("spelt", [(401, 404), (308, 400), (405, 500)])
def test_rejection_is_no_bypass(spelt: tuple[int, ...], builder: EvidenceBuilder) -> None:
    """A rejected or redirected purge on an alternative path is no bypass."""
    add_purge_attempts(builder, spelt=spelt)
    assert successful_bypasses(builder.judgment_view, Step.SPELLING) == []


def test_success_is_a_bypass(builder: EvidenceBuilder) -> None:
    """A purge that succeeds is a bypass; the rejected ones beside it are not, whichever events are gone."""
    add_purge_attempts(builder, spelt=(404, 200), left=())
    assert [x.path for x, _ in successful_bypasses(builder.judgment_view, Step.SPELLING)] == [f"{PURGE_PATH}//"]


def test_lost_events_are_a_bypass(builder: EvidenceBuilder) -> None:
    """If events are gone and every attempt was rejected, each attempt of that kind may be the cause."""
    add_purge_attempts(builder, left=())
    assert [
        (x.status, words.startswith("1 events before, 0 after"))
        for x, words in successful_bypasses(builder.judgment_view, Step.SPELLING)
    ] == [
        (404, True),
        (404, True),
    ]


def test_unprotected_purge_has_no_bypass(builder: EvidenceBuilder) -> None:
    """If a plain purge without a token succeeds, no attempt counts as a bypass."""
    add_purge_attempts(builder, plain=200, spelt=(200,))
    with pytest.raises(Inconclusive, match="without a bypass"):
        successful_bypasses(builder.judgment_view, Step.SPELLING)


def test_seeded_event_is_detected(builder: EvidenceBuilder) -> None:
    """A new event with the guid of its app comes from a purge; one with another guid does not."""
    add_snapshot(builder, Scenario.REJECTED_PURGES, "old")
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PURGE_PATH,
        status=403,
        tags={Tag.CREDENTIAL: "valid"},
    )
    add_snapshot(builder, Scenario.REJECTED_PURGES, "old", "a", "new")
    (attempt,) = attempts(builder.judgment_view, Step.CREDENTIAL)
    assert attempt.new_seed_guids() == ["a"]


def test_catch_all_success_proves_nothing(builder: EvidenceBuilder) -> None:
    """If every unknown path succeeds, another success is no purge unless events are gone."""
    add_purge_attempts(builder, spelt=(200,))
    builder.add_exchange(
        Scenario.REJECTED_PURGES, Step.UNKNOWN_ROUTE, method="POST", path=f"{PURGE_PATH}/no_such_route", status=200
    )
    assert successful_bypasses(builder.judgment_view, Step.SPELLING) == []
