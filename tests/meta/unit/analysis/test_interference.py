"""Purges and changes by foreign clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.interference import count_changing_apps, find_foreign_purge
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.listing import APPS
from purge_conformance.evidence.steps import Part, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_foreign_purge_is_detected(builder: EvidenceBuilder) -> None:
    """If all events disappear and others are seeded while the suite only reads, a foreign client purged."""
    seed = builder.event("app", "app", "2026-07-01T12:00:00Z")
    builder.add_list(Scenario.LISTS, Step.OPENING, [seed, builder.event("recorded", "app")])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [seed | {"created_at": "2026-07-01T12:00:09Z"}])
    assert find_foreign_purge(builder.evidence) == (1, 2)


def test_late_seeds_are_no_foreign_purge(builder: EvidenceBuilder) -> None:
    """Events in an empty list belong to the purge before, and are late."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [builder.event("app", "app", "2026-07-01T12:00:00Z")])
    assert find_foreign_purge(builder.evidence) is None


def test_late_destruction_is_no_foreign_purge(builder: EvidenceBuilder) -> None:
    """Events that disappear late are destroyed by the suite's own purge."""
    seed, old = (
        builder.event("app", "app", "2026-07-01T12:00:02Z"),
        [builder.event("a", "app"), builder.event("b", "app")],
    )
    builder.add_list(Scenario.PURGE, BEFORE.of(Part.EVENTS), old)
    builder.add_purge(Scenario.PURGE)
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), [*old, seed])
    builder.add_list(Scenario.LISTS, Step.OPENING, [seed])
    assert find_foreign_purge(builder.evidence) is None


@pytest.mark.parametrize(("second", "is_purge"), [("12:00:00Z", False), ("12:00:09Z", True)])
def test_replaced_seeds_show_foreign_purge(second: str, builder: EvidenceBuilder, *, is_purge: bool) -> None:
    """If only seeded events exist, a foreign purge replaces all of them; one may be recorded again."""
    seeds = [builder.event(app, app, "2026-07-01T12:00:00Z") for app in ("one", "two")]
    builder.add_list(Scenario.LISTS, Step.OPENING, seeds)
    later = ("2026-07-01T12:00:09Z", f"2026-07-01T{second}")
    builder.add_list(
        Scenario.LISTS, Step.CLOSING, [seed | {"created_at": at} for seed, at in zip(seeds, later, strict=True)]
    )
    assert find_foreign_purge(builder.evidence) == ((1, 2) if is_purge else None)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_own_request_is_no_foreign_purge(method: str, builder: EvidenceBuilder) -> None:
    """A request of the suite, even a rejected one, may be the cause, so there is no foreign purge."""
    seed = builder.event("app", "app", "2026-07-01T12:00:00Z")
    builder.add_list(Scenario.LISTS, Step.OPENING, [seed, builder.event("recorded", "app")])
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.CREDENTIAL, method=method, path=PURGE_PATH, status=403)
    builder.add_list(Scenario.LISTS, Step.CLOSING, [seed | {"created_at": "2026-07-01T12:00:09Z"}])
    assert find_foreign_purge(builder.evidence) is None


def test_changing_apps_are_counted(builder: EvidenceBuilder) -> None:
    """Foreign apps that are created, deleted or changed are counted; the suite's own are not."""
    builder.add_exchange(Scenario.FOUNDATION, Step.CREATE, method="POST", path=APPS, status=201, data={"guid": "own"})
    still, moved, gone = builder.app("still"), builder.app("moved"), builder.app("gone")
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=[still, moved, gone, builder.app("own")])
    builder.add_snapshot(
        Scenario.PURGE, AFTER, apps=[still, moved | {"state": "STOPPED"}, builder.app("own", "STOPPED")]
    )
    assert count_changing_apps(builder.evidence) == (3, 2)
