"""Lists and snapshots in the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.evidence.listing import (
    app_of_event,
    app_of_process,
    build_listing,
    dig,
    is_crash_event,
    is_page,
    resources,
    snapshot_at,
    stable_apps,
    total_results,
)
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

BEFORE, AFTER = Place(Step.PURGE).at(Phase.BEFORE), Place(Step.PURGE).at(Phase.AFTER)


@pytest.mark.parametrize(
    ("status", "data", "page"),
    [
        (200, {"resources": []}, True),
        (200, {"resources": [1, None, {}]}, True),
        (404, {"resources": []}, False),
        (None, {"resources": []}, False),
        (200, {"resources": {}}, False),
        (200, {"resources": None}, False),
        (200, {}, False),
        (200, [], False),
        (200, None, False),
    ],
)
def test_page_is_recognized(status: int | None, data: object, builder: EvidenceBuilder, *, page: bool) -> None:
    """A page is a 200 with a list of resources; anything else has no rows, and is no error."""
    found = builder.add_exchange(Scenario.READS, Step.LIST, status=status, data=data)
    assert is_page(found) is page
    assert all(isinstance(row, dict) for row in resources(found))
    assert page or resources(found) == ()


@pytest.mark.parametrize(
    ("pagination", "total"),
    [
        ({"total_results": 3}, 3),
        ({"total_results": True}, None),
        ({"total_results": "3"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_total_is_integer(pagination: object, total: int | None, builder: EvidenceBuilder) -> None:
    """The total is an integer or unknown."""
    assert (
        total_results(builder.add_exchange(Scenario.READS, Step.LIST, data={"resources": [], "pagination": pagination}))
        == total
    )


def test_listing_joins_pages(builder: EvidenceBuilder) -> None:
    """The rows of all pages are in order; a row of an earlier page is omitted, a duplicate on one page is not."""
    pages = [[builder.event("a"), builder.event("b"), builder.event("b")], [builder.event("b"), builder.event("c")]]
    found = build_listing([builder.add_page(Scenario.READS, Step.LIST, rows) for rows in pages], reached_end=True)
    assert [row["guid"] for row in found.rows] == ["a", "b", "b", "c"]
    assert (found.complete, found.total, set(found.by_guid)) == (True, 3, {"a", "b", "c"})


def test_listing_with_bad_page_is_incomplete(builder: EvidenceBuilder) -> None:
    """A list with an unreadable page, or without a page, is incomplete."""
    pages = [
        builder.add_page(Scenario.READS, Step.LIST, [builder.event("a")]),
        builder.add_exchange(Scenario.READS, Step.LIST, status=500),
    ]
    assert not build_listing(pages, reached_end=True).complete
    assert not build_listing(pages[:1], reached_end=False).complete
    assert not build_listing([], reached_end=True).complete


@pytest.mark.parametrize(
    ("event", "app"),
    [
        ({"app": {"guid": "a"}}, "a"),
        ({"app": {"guid": "a"}, "task": {"guid": None}}, "a"),
        ({"app": {"guid": "a"}, "task": {"guid": "t"}}, None),
        ({"app": {"guid": 7}}, None),
        ({"app": None}, None),
        ({"app": "a"}, None),
        ({}, None),
    ],
)
def test_seed_names_app(event: dict[str, Any], app: str | None) -> None:
    """The app of an event is its guid in the event; an event of a task is for no app."""
    assert app_of_event(event) == app


def test_nested_member_is_none() -> None:
    """A missing member is None."""
    assert dig({"a": {"b": 1}}, "a", "b") == 1
    assert dig({"a": None}, "a", "b") is None
    assert app_of_process({"relationships": {"app": {"data": None}}}) is None


def stable_apps_between(builder: EvidenceBuilder, *, before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """Return the stable apps of two snapshots."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, **before)
    builder.add_snapshot(Scenario.PURGE, AFTER, **after)
    first, second = (snapshot_at(builder.evidence, Scenario.PURGE, place) for place in (BEFORE, AFTER))
    return stable_apps(first, second)


def test_unchanged_apps_are_stable(builder: EvidenceBuilder) -> None:
    """An app that is the same in two snapshots is stable, in its state."""
    same = {"apps": [builder.app("a"), builder.app("b", "STOPPED")], "processes": [builder.process("a", "a")]}
    assert stable_apps_between(builder, before=same, after=same) == {"a": "STARTED", "b": "STOPPED"}


@pytest.mark.parametrize(
    ("apps", "processes"),
    [
        ([], [{}]),
        ([{"state": "STOPPED"}], [{}]),
        ([{"updated_at": "2026-07-01T11:59:59Z"}], [{}]),
        ([{}], [{"instances": 2}]),
        ([{}], [{"memory_in_mb": 128}]),
        ([{}], []),
        ([{}], [{}, {"guid": "other"}]),
    ],
    ids=["deleted", "stopped", "updated", "scaled", "resized", "process-gone", "process-new"],
)
def test_changed_apps_are_not_stable(
    apps: list[dict[str, Any]], processes: list[dict[str, Any]], builder: EvidenceBuilder
) -> None:
    """An app that a foreign client deletes, stops, restarts or scales is not stable."""
    app, process = builder.app("a"), builder.process("a", "a")
    after = {"apps": [app | row for row in apps], "processes": [process | row for row in processes]}
    assert stable_apps_between(builder, before={"apps": [app], "processes": [process]}, after=after) == {}


def test_suite_app_is_stable(builder: EvidenceBuilder) -> None:
    """An app of the suite is stable if its state is, whatever else the target updates."""
    app = builder.app("a")
    builder.add_snapshot(Scenario.PURGE, BEFORE, apps=[app])
    builder.add_snapshot(Scenario.PURGE, AFTER, apps=[app | {"updated_at": "2026-07-01T11:59:59Z"}])
    before, after = (snapshot_at(builder.evidence, Scenario.PURGE, place) for place in (BEFORE, AFTER))
    assert stable_apps(before, after, {"a"}) == {"a": "STARTED"}
    assert stable_apps(before, after) == {}


def test_new_app_is_not_stable(builder: EvidenceBuilder) -> None:
    """An app that is created between the snapshots is not stable."""
    assert stable_apps_between(builder, before={}, after={"apps": [builder.app("a")]}) == {}


def test_processes_are_counted(builder: EvidenceBuilder) -> None:
    """The processes of an app are counted, or unknown if the list is incomplete."""
    builder.add_snapshot(
        Scenario.PURGE,
        BEFORE,
        processes=[builder.process("a", "a"), builder.process("b", "a"), builder.process("c", "c")],
    )
    assert snapshot_at(builder.evidence, Scenario.PURGE, BEFORE).process_count("a") == 2
    assert snapshot_at(builder.evidence, Scenario.PURGE, AFTER).process_count("a") is None


@pytest.mark.parametrize(
    ("event", "is_crash"),
    [
        ({"state": {"current": "CRASHED", "previous": "STARTED"}}, True),
        ({"state": {"current": "app_crash"}}, True),
        ({"state": {"current": "STOPPED", "previous": "CRASHED"}}, False),
        ({"state": {"current": "BUILDPACK_SET"}}, False),
        ({"guid": "a"}, False),
    ],
    ids=["crashed", "in-other-words", "after-a-crash", "staged", "silent"],
)
def test_crash_follows_state(event: dict[str, Any], is_crash: bool) -> None:  # noqa: FBT001 -- a parameter of a test
    """An event is that of a crash if its current state says so."""
    assert is_crash_event(event) is is_crash
