"""Rejected purges between two snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.rejected import attempts, unexpected_input_attempts
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


PER_PAGE = 7


def add_snapshot(builder: EvidenceBuilder, *guids: str, total: int | None = None) -> None:
    """Add a snapshot of the newest events in the scenario `refused`."""
    rows = [builder.event(guid) for guid in guids]
    data = {"pagination": {"total_results": len(rows) if total is None else total}, "resources": rows}
    builder.add_exchange(
        Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, path=f"{EVENTS_PATH}?per_page={PER_PAGE}", data=data
    )


def add_attempt(builder: EvidenceBuilder, status: int = 401) -> None:
    """Add a purge that the target should reject."""
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PURGE_PATH,
        status=status,
        tags={Tag.CREDENTIAL: "none"},
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "b"], ["b", "a"], None),
        (["a", "b"], ["new", "a", "b"], None),
        (["a", "b"], ["a"], "2 events before, 1 after"),
        (["a", "b"], [], "2 events before, 0 after"),
        (["a", "b"], ["a", "new"], "1 of the newest 2 events are gone, one of them b"),
    ],
)
def test_loss_is_described(before: list[str], after: list[str], words: str | None, builder: EvidenceBuilder) -> None:
    """Events that are missing in the second snapshot are a loss; new events and another order are not."""
    add_snapshot(builder, *before)
    add_attempt(builder)
    add_snapshot(builder, *after)
    (found,) = attempts(builder.judgment_view, Step.CREDENTIAL)
    assert (found.describe_loss() or "").startswith(words or "")
    assert bool(found.describe_loss()) == bool(words)


def test_displaced_events_are_no_loss(builder: EvidenceBuilder) -> None:
    """Events that newer events displaced from a full page are not lost."""
    guids = [str(n) for n in range(PER_PAGE)]
    add_snapshot(builder, *guids, total=500)
    add_attempt(builder)
    add_snapshot(builder, "new", *guids[:-1], total=501)
    assert attempts(builder.judgment_view, Step.CREDENTIAL)[0].describe_loss() is None


def test_attempt_needs_both_snapshots(builder: EvidenceBuilder) -> None:
    """An attempt with an unreadable or empty snapshot is excluded."""
    add_attempt(builder)
    add_snapshot(builder)
    add_attempt(builder)
    add_snapshot(builder, "a")
    add_attempt(builder)
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, status=503)
    add_attempt(builder)
    add_snapshot(builder, "a")
    add_attempt(builder)
    assert attempts(builder.judgment_view, Step.CREDENTIAL) == []


@pytest.mark.parametrize(("back", "counts"), [((), True), (("b",), True), (("a", "b"), False)])
def test_reappearing_events_are_no_loss(back: tuple[str, ...], *, counts: bool, builder: EvidenceBuilder) -> None:
    """An event that a later snapshot shows again was not lost."""
    add_snapshot(builder, "a", "b")
    add_attempt(builder)
    add_snapshot(builder)
    add_attempt(builder)
    add_snapshot(builder, *back)
    assert any(a.describe_loss() for a in attempts(builder.judgment_view, Step.CREDENTIAL)) is counts


def test_unexpected_body_uses_nearest_snapshots(builder: EvidenceBuilder) -> None:
    """A purge with an unexpected body is judged between the nearest snapshots."""
    builder.add_snapshot(Scenario.UNEXPECTED_INPUT, Place(Step.NOT_JSON, phase=Phase.BEFORE), [builder.event("a")])
    builder.add_exchange(Scenario.UNEXPECTED_INPUT, Step.NOT_JSON, method="POST", path=PURGE_PATH, status=400)
    builder.add_snapshot(Scenario.UNEXPECTED_INPUT, Place(Step.NOT_JSON, phase=Phase.AFTER), [])
    (found,) = unexpected_input_attempts(builder.judgment_view)
    assert (found.request.status, found.describe_loss()) == (400, "1 events before, 0 after")
