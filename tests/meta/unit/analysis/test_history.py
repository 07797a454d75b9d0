"""The history of the events in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.event_lists import complete_listings, has_purge_between
from purge_conformance.analysis.history import (
    destroyed_guids,
    require_proven_admin,
    seed_observations,
    target_clock_offset,
)
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.clock import Offset
from purge_conformance.evidence.records import ListEnd
from purge_conformance.evidence.steps import YES, App, Part, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


CONCURRENT_TAGS = {Tag.CONCURRENT: YES}
SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}


def test_sequences_exclude_concurrent_lists(builder: EvidenceBuilder) -> None:
    """A list read during purges is no step of a sequence; concurrent purges always count as one between."""
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), [SEEDED])
    first = builder.exchanges[-1]
    builder.add_exchange(Scenario.PURGE, Step.PURGE, method="POST", path=PURGE_PATH)
    builder.add_exchange(
        Scenario.CONCURRENT_PURGES,
        Place(Step.CONCURRENT, 1),
        method="POST",
        path=PURGE_PATH,
        status=500,
        tags=CONCURRENT_TAGS,
    )
    builder.add_list(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT_READ, 1), [SEEDED])
    builder.exchanges[-1].tags.update(CONCURRENT_TAGS)
    last = builder.add_exchange(Scenario.CONCURRENT_PURGES, Step.SETTLE, path=EVENTS_PATH)
    assert [found.exchanges[0].place for found in complete_listings(builder.judgment_view)] == [AFTER.of(Part.EVENTS)]
    assert list(seed_observations(builder.judgment_view)) == []
    builder.exchanges[:] = [x for x in builder.exchanges if x.status == 500]
    assert has_purge_between(builder.judgment_view, first, last)


@pytest.mark.parametrize(("role", "is_so"), [("admin", True), ("none", False)])
@pytest.mark.parametrize("status", [None, 504])
def test_unanswered_purge_may_have_succeeded(
    status: int | None, role: str, builder: EvidenceBuilder, *, is_so: bool
) -> None:
    """An unanswered purge by an admin may have succeeded; one by another role may not."""
    first = builder.add_page(Scenario.PURGE, BEFORE.of(Part.EVENTS), [])
    builder.add_exchange(Scenario.PURGE, Step.PURGE, method="POST", path=PURGE_PATH, status=status, role=role)
    assert (
        has_purge_between(builder.judgment_view, first, builder.add_page(Scenario.PURGE, AFTER.of(Part.EVENTS), []))
        is is_so
    )


def add_purge_between_snapshots(
    builder: EvidenceBuilder,
    *,
    before: list[Row],
    after: list[Row],
    status: int = 200,
    **more: Any,  # noqa: ANN401 -- of EvidenceBuilder.add_snapshot
) -> None:
    """Add a purge between two snapshots, with the apps and processes in `more`."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, before, **more)
    builder.add_purge(Scenario.PURGE, status=status)
    builder.add_snapshot(Scenario.PURGE, AFTER, after, **more)


@pytest.mark.parametrize(
    ("scope", "later", "status", "proven"),
    [(True, 403, 403, True), (False, 200, 401, True), (False, 403, 403, False), (False, 401, 500, True)],
)
def test_admin_rejection_needs_proof(
    later: int, status: int, builder: EvidenceBuilder, *, scope: bool, proven: bool
) -> None:
    """The rejection of an admin's purge counts only if the token has the scope, or another purge was not rejected."""
    builder.evidence.header.settings["admin_scope"] = scope
    builder.add_exchange(Scenario.FOUNDATION, Step.CREATE, method="POST", path="/v3/organizations", status=201)
    request = builder.add_purge(Scenario.PURGE, status=status)
    builder.add_purge(Scenario.PURGE, status=later)
    try:
        if proven:
            require_proven_admin(builder.judgment_view, request)
        else:
            with pytest.raises(Inconclusive, match="nothing proves"):
                require_proven_admin(builder.judgment_view, request)
    finally:
        builder.evidence.header.settings["admin_scope"] = True


def test_destroyed_event_is_known(builder: EvidenceBuilder) -> None:
    """A destroyed event is known with the exchange that shows it; a guid that may be seeded again is not."""
    before = [builder.event("old"), builder.event("a", "a"), builder.event("p", "a")]
    add_purge_between_snapshots(
        builder, before=before, after=[], apps=[builder.app("a")], processes=[builder.process("p", "a")]
    )
    assert destroyed_guids(builder.judgment_view) == {"old": len(builder.exchanges)}


def test_destroyed_event_needs_complete_lists(builder: EvidenceBuilder) -> None:
    """Without complete lists no event is known as destroyed."""
    add_purge_between_snapshots(builder, before=[builder.event("old")], after=[])
    builder.list_ends.append(ListEnd(Scenario.PURGE, AFTER.of(Part.EVENTS), complete=False))
    assert destroyed_guids(builder.judgment_view) == {}


def test_offset_is_from_dates(builder: EvidenceBuilder) -> None:
    """The clock offset of the target comes from its Date headers."""
    builder.add_exchange(Scenario.READS, Step.LIST, response_headers=(("Date", "Wed, 01 Jul 2026 12:00:01 GMT"),))
    assert target_clock_offset(builder.judgment_view) == (Offset(-0.5, 1), "its Date headers")


def test_offset_is_from_start(builder: EvidenceBuilder) -> None:
    """Without a Date the offset comes from the event of a recent start."""
    start = builder.add_exchange(
        Scenario.APP_CHANGES, Place(Step.START_APP, app=App.STOPPED), method="POST", path="/v3/apps/idle/actions/start"
    )
    builder.add_list(
        Scenario.APP_CHANGES, Place(Step.START, phase=Phase.AFTER), [builder.event("e", "idle", "2026-07-01T13:00:01Z")]
    )
    found = target_clock_offset(builder.judgment_view)
    assert found == (Offset(3599.5, 3601), "the event of a start that the suite just requested")
    assert start.n == 1


def test_offset_may_be_unknown(builder: EvidenceBuilder) -> None:
    """Without either the offset is unknown."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    assert target_clock_offset(builder.judgment_view) is None
