"""Purges by foreign clients: what proves one, what rules one out, and what the suite's own purges explain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.foreign_purges import find_foreign_purge, require_found
from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.analysis.sightings import sightings
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.evidence.steps import Part, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]

EARLY, LATE = "2026-07-01T12:00:00Z", "2026-07-01T12:00:09Z"


def seed(builder: EvidenceBuilder, app: str, at: str = EARLY) -> Row:
    """Return the event that a purge seeded for an app."""
    return builder.event(app, app, at)


def add_partial_page(builder: EvidenceBuilder, scenario: Scenario, rows: list[Row], total: int) -> None:
    """Add a page of the newest events that does not show all of them."""
    data = {"pagination": {"total_results": total, "next": {"href": "/"}}, "resources": rows}
    builder.add_exchange(scenario, Step.NEWEST_PAGE, path=f"{EVENTS_PATH}?order_by=-created_at&per_page=20", data=data)


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


@pytest.mark.parametrize(("after_s", "is_purge"), [(0.5, False), (30.0, True)])
def test_second_destruction_is_no_foreign_purge(after_s: float, builder: EvidenceBuilder, *, is_purge: bool) -> None:
    """If nothing is seeded when all events disappear soon after a purge of the suite, no other client purged."""
    old, new = builder.event("old", "app"), [builder.event(name, "app") for name in ("one", "two")]
    seeded = seed(builder, "app", LATE)
    builder.add_list(Scenario.RACE, BEFORE.of(Part.EVENTS), [old])
    purge = builder.add_purge(Scenario.RACE)
    builder.add_list(Scenario.RACE, Step.OPENING, [seeded, *new])
    builder.add_list(Scenario.RACE, Step.CLOSING, [seeded])
    shift = purge.sent_at + purge.elapsed + after_s
    builder.exchanges[2:] = [replace(x, sent_at=shift + (x.n - 3) * 0.1) for x in builder.exchanges[2:]]
    assert find_foreign_purge(builder.evidence) == ((3, 4) if is_purge else None)


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


def test_empty_list_in_between_does_not_hide_purge(builder: EvidenceBuilder) -> None:
    """A purge in two steps leaves the list empty for a moment; the lists around it show the purge."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [seed(builder, "app"), builder.event("recorded", "app")])
    builder.add_list(Scenario.LISTS, Step.DEFAULT_PAGE, [])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [seed(builder, "app", LATE)])
    assert find_foreign_purge(builder.evidence) == (1, 3)


def test_replaced_seed_on_any_page_shows_purge(builder: EvidenceBuilder) -> None:
    """Pages that do not show all events prove a purge, too, by a seeded event that has a new time."""
    for at in (EARLY, EARLY, LATE):
        add_partial_page(builder, Scenario.REJECTED_PURGES, [seed(builder, "app", at)], total=50)
    assert find_foreign_purge(builder.evidence) == (2, 3)


def test_drifting_seed_times_are_no_purge(builder: EvidenceBuilder) -> None:
    """If seeded events change their time while a recorded one remains, a changed time proves nothing."""
    for at in (EARLY, LATE):
        rows = [seed(builder, "app", at), builder.event("recorded", "app")]
        add_partial_page(builder, Scenario.REJECTED_PURGES, rows, total=50)
    for at in ("2026-07-01T12:00:11Z", "2026-07-01T12:00:14Z"):
        add_partial_page(builder, Scenario.REJECTED_PURGES, [seed(builder, "app", at)], total=50)
    assert find_foreign_purge(builder.evidence) is None


def test_cached_seed_is_no_purge(builder: EvidenceBuilder) -> None:
    """A page that shows a seeded event with an earlier time is a cached one."""
    builder.add_purge(Scenario.PURGE)
    add_partial_page(builder, Scenario.REJECTED_PURGES, [seed(builder, "app")], total=50)
    builder.add_purge(Scenario.SECOND_PURGE)
    for at in (LATE, EARLY):
        add_partial_page(builder, Scenario.REJECTED_PURGES, [seed(builder, "app", at)], total=50)
    assert find_foreign_purge(builder.evidence) is None


def test_partly_reseeded_in_one_second(builder: EvidenceBuilder) -> None:
    """A purge that begins in the second of the one before gives only some seeded events a new time."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [seed(builder, "one"), seed(builder, "two")])
    at = "2026-07-01T12:00:01Z"
    builder.add_list(Scenario.LISTS, Step.CLOSING, [seed(builder, "one"), seed(builder, "two", at)])
    assert find_foreign_purge(builder.evidence) == (1, 2)


def test_late_seeds_of_own_purge_are_no_foreign_purge(builder: EvidenceBuilder) -> None:
    """A purge of the suite whose effect no read shows yet explains what changes later, also new seeded events."""
    old = [seed(builder, "app"), builder.event("old", "app")]
    builder.add_list(Scenario.PURGE, BEFORE.of(Part.EVENTS), old)
    builder.add_purge(Scenario.PURGE)
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), old)
    builder.add_list(Scenario.LISTS, Step.OPENING, [*old, builder.event("later", "app")])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [seed(builder, "app", LATE)])
    assert find_foreign_purge(builder.evidence) is None


def test_purge_after_own_purge_is_foreign(builder: EvidenceBuilder) -> None:
    """Once the effect of the suite's purge is visible, the next change is another client's."""
    builder.add_list(Scenario.PURGE, BEFORE.of(Part.EVENTS), [builder.event("old", "app")])
    builder.add_purge(Scenario.PURGE)
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), [seed(builder, "app")])
    builder.add_list(Scenario.LISTS, Step.OPENING, [seed(builder, "app"), builder.event("later", "app")])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [seed(builder, "app", LATE)])
    assert find_foreign_purge(builder.evidence) == (4, 5)


def test_seeds_of_processes_count_as_seeds(builder: EvidenceBuilder) -> None:
    """An event with the guid of a process is a seeded one: it does not survive a purge, but is seeded again."""
    processes = [builder.process("process", "app")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, [builder.event("process", "app")], processes=processes)
    builder.add_snapshot(Scenario.PURGE, AFTER, [builder.event("process", "app", LATE)], processes=processes)
    assert find_foreign_purge(builder.evidence) == (3, 6)
    assert not sightings(builder.evidence).rules_out_purge(3, 6)


def add_get(builder: EvidenceBuilder, guid: str, status: int) -> None:
    """Add a get of an event."""
    builder.add_exchange(Scenario.READS, Step.GET, path=event_path(guid), status=status)


@pytest.mark.parametrize(
    ("later", "error"), [(["gone", "other"], RequirementViolated), (["other"], RequirementViolated), ([], Inconclusive)]
)
def test_get_of_destroyed_event(later: list[str], error: type[Exception], builder: EvidenceBuilder) -> None:
    """A 404 of a listed event violates, unless no event from before is listed later: then others may have purged."""
    builder.add_page(Scenario.READS, Step.LIST, [builder.event(guid, "app") for guid in ("gone", "other")])
    add_get(builder, "gone", 404)
    builder.add_page(Scenario.LISTS, Step.OPENING, [builder.event(guid, "app") for guid in later])
    gets = builder.evidence.of(Scenario.READS, Step.GET)
    with pytest.raises(error):
        require_found(builder.judgment_view, gets)


def test_get_of_event_of_deleted_app(builder: EvidenceBuilder) -> None:
    """A 404 of a listed event is no violation if its app no longer exists: its events may be deleted with it."""
    rows = [builder.event("gone", "deleted-app"), builder.event("other", "app")]
    builder.add_page(Scenario.READS, Step.LIST, rows)
    add_get(builder, "gone", 404)
    builder.add_snapshot(Scenario.LISTS, Place(Step.OPENING), rows[1:], apps=[builder.app("app")])
    with pytest.raises(Inconclusive, match="Another client may have destroyed"):
        require_found(builder.judgment_view, builder.evidence.of(Scenario.READS, Step.GET))
