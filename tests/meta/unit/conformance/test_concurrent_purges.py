"""Judgments of concurrent purges."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import YES, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


judged = importlib.import_module("purge_conformance.conformance.test_parallel")
AT_ONCE = {Tag.CONCURRENT: YES}
SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD = {**SEEDED, "guid": "old"}


def add_purges(builder: EvidenceBuilder, *statuses: int | None, after: list[dict[str, object]] | None = None) -> None:
    """Add one purge alone, and a round of purges with these statuses, of a started app and a stopped one."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    builder.add_snapshot("parallel", "alone.before", [OLD], apps)
    builder.add_exchange("parallel", "alone", method="POST", path=PURGE_PATH)
    builder.add_snapshot("parallel", "alone.after", [SEEDED], apps)
    builder.add_snapshot("parallel", "first.before", [OLD, SEEDED], apps)
    for status in statuses:
        builder.add_exchange("parallel", "first", method="POST", path=PURGE_PATH, status=status, tags=AT_ONCE)
    builder.add_snapshot("parallel", "first.after", [SEEDED] if after is None else after, apps)


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
    add_purges(builder, 200)
    builder.add_snapshot("parallel", "alone.after", [], [builder.app("a")])
    builder.exchanges[:] = [x for x in builder.exchanges if (x.step, x.n > 9) != ("alone.after.events", False)]
    with pytest.raises(Inconclusive, match="isolated purges already fail"):
        judged.test_concurrent_purges_seed_apps(builder.judgment_view)


def test_missing_purges_are_not_exercised(builder: EvidenceBuilder) -> None:
    """Without a purge nothing is judged."""
    with pytest.raises(NotExercised):
        judged.test_concurrent_purges_destroy_events(builder.judgment_view)
