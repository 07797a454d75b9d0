"""Judgments of concurrent purges."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import YES, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


judged = importlib.import_module("purge_conformance.conformance.test_parallel")
CONCURRENT_TAGS = {Tag.CONCURRENT: YES}
Row = dict[str, object]
SEEDED: Row = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD: Row = {**SEEDED, "guid": "old"}


def add_purges(
    builder: EvidenceBuilder, *statuses: int | None, alone: list[Row] | None = None, after: list[Row] | None = None
) -> None:
    """Add one purge alone, and a round of purges with these statuses, of a started app and a stopped one.

    Args:
        builder: the evidence.
        statuses: of the concurrent purges.
        alone: events after the purge alone; by default the seeded event.
        after: events after the concurrent purges; by default the seeded event.
    """
    place, seeded = Place(Step.CONCURRENT, 1), [SEEDED]
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, Place(Step.ALONE, phase=Phase.BEFORE), [OLD], apps)
    builder.add_exchange(Scenario.CONCURRENT_PURGES, Step.ALONE, method="POST", path=PURGE_PATH)
    builder.add_snapshot(
        Scenario.CONCURRENT_PURGES, Place(Step.ALONE, phase=Phase.AFTER), seeded if alone is None else alone, apps
    )
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, place.at(Phase.BEFORE), [OLD, SEEDED], apps)
    for status in statuses:
        builder.add_exchange(
            Scenario.CONCURRENT_PURGES,
            place,
            method="POST",
            path=PURGE_PATH,
            status=status,
            tags=CONCURRENT_TAGS,
        )
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, place.at(Phase.AFTER), seeded if after is None else after, apps)


@pytest.mark.parametrize("statuses", [(200, 200), (500, 200, 500), (200, 409), (503, 200), (200, 422, 429)])
def test_one_success_suffices(builder: EvidenceBuilder, statuses: tuple[int, ...]) -> None:
    """A round with one successful purge is judged by its final list, whatever the other statuses are."""
    add_purges(builder, *statuses)
    judged.test_concurrent_purges_destroy_events(builder.judgment_view)
    judged.test_concurrent_purges_seed_apps(builder.judgment_view)
    judged.test_concurrent_purges_seed_once(builder.judgment_view)
    judged.test_concurrent_purges_seed_only_apps(builder.judgment_view)


@pytest.mark.parametrize("statuses", [(409, 503), (500, 500), (200, None)])
def test_round_without_success_is_inconclusive(builder: EvidenceBuilder, statuses: tuple[int | None, ...]) -> None:
    """A round without a successful purge, or with an unanswered one, is inconclusive."""
    add_purges(builder, *statuses, after=[])
    with pytest.raises(Inconclusive):
        judged.test_concurrent_purges_seed_apps(builder.judgment_view)


def test_incorrect_baseline_is_inconclusive(builder: EvidenceBuilder) -> None:
    """If a purge alone is incorrect, concurrent purges are not judged."""
    add_purges(builder, 200, alone=[])
    with pytest.raises(Inconclusive, match="isolated purges already fail"):
        judged.test_concurrent_purges_seed_apps(builder.judgment_view)


def test_missing_purges_are_not_exercised(builder: EvidenceBuilder) -> None:
    """Without a purge nothing is judged."""
    with pytest.raises(NotExercised):
        judged.test_concurrent_purges_destroy_events(builder.judgment_view)
