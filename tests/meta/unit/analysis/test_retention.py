"""Deletions of the oldest events: those of a retention job, and those that requests of the suite explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.foreign_purges import require_found
from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.purge import require_purge
from purge_conformance.analysis.rejected import attempts
from purge_conformance.analysis.retention import deleted_guids, describe_deletions, find_deletions
from purge_conformance.catalogue.api import EVENTS_PATH, event_path
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]

NAMES = "abcdefgh"


def events(builder: EvidenceBuilder, names: str, at: str = "") -> list[Row]:
    """Return events of another client's app: each is a second younger than the one before it in the alphabet."""
    return [builder.event(name, "app", at or f"2026-07-01T12:00:0{NAMES.index(name)}Z") for name in names]


def add_reads(builder: EvidenceBuilder, *lists: Sequence[Row]) -> None:
    """Add reads of the whole list, one after the other."""
    for index, rows in enumerate(lists):
        builder.add_list(Scenario.APP_CHANGES, Place(Step.START, index), rows)


def add_rejected(builder: EvidenceBuilder, before: Sequence[Row], after: Sequence[Row], index: int = 0) -> None:
    """Add a purge that is rejected between two pages of the newest events."""
    where = Place(Step.CREDENTIAL, index)
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, before, order_by="-created_at", per_page=20)
    builder.add_purge(Scenario.REJECTED_PURGES, where, status=403, role="org_user", tags={Tag.CREDENTIAL: "valid"})
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, after, order_by="-created_at", per_page=20)


def test_job_is_found(builder: EvidenceBuilder) -> None:
    """What goes on regardless of requests is a job's, and the report says how much it deleted."""
    add_reads(builder, *(events(builder, names) for names in ("abcdef", "abcdef", "cdef", "cdefg", "defg")))
    assert deleted_guids(builder.evidence) == {"a", "b", "c"}
    assert describe_deletions(builder.evidence).startswith(
        "A retention job deleted the 3 oldest events during the run, between exchanges 2 and 5, and seeded nothing."
    )


def test_without_deletions_nothing_is_said(builder: EvidenceBuilder) -> None:
    """A run without deletions has no note about them."""
    add_reads(builder, events(builder, "ab"), events(builder, "abc"))
    assert describe_deletions(builder.evidence) == ""


def test_what_comes_with_each_attempt_is_the_attempts(builder: EvidenceBuilder) -> None:
    """If events disappear beside each rejected purge and at no other time, no job deletes them."""
    for index, (before, after) in enumerate((("abcdef", "bcdef"), ("bcdef", "cdef"), ("cdef", "def"))):
        add_rejected(builder, events(builder, before), events(builder, after), index)
    assert find_deletions(builder.evidence) == ()
    assert [bool(attempt.describe_loss()) for attempt in attempts(builder.judgment_view, Step.CREDENTIAL)] == [True] * 3


def test_attempts_beside_a_job_are_excused(builder: EvidenceBuilder) -> None:
    """An attempt beside which a job deleted events is not judged, the others are."""
    for index, (before, after) in enumerate((("abcdef", "abcdef"), ("abcdef", "bcdef"), ("bcdef", "bcdef"))):
        add_rejected(builder, events(builder, before), events(builder, after), index)
    add_reads(builder, events(builder, "bcdef"), events(builder, "cdef"), events(builder, "cdef"))
    assert deleted_guids(builder.evidence) == {"a", "b"}
    assert [bool(attempt.describe_loss()) for attempt in attempts(builder.judgment_view, Step.CREDENTIAL)] == [
        False
    ] * 2


def test_every_read_that_deletes_is_no_job(builder: EvidenceBuilder) -> None:
    """If each read shows one event fewer, the reads delete them."""
    add_reads(builder, *(events(builder, NAMES[index:]) for index in range(6)))
    assert find_deletions(builder.evidence) == ()


@pytest.mark.parametrize(
    ("lists", "is_job"),
    [
        (("abcd", "bcd"), True),
        (("abcd", "acd"), False),
        (("abcd", "abcd", "bcd", "bcd", "bd"), False),
    ],
    ids=["oldest", "another", "oldest and another"],
)
def test_only_oldest_events_are_a_jobs(lists: tuple[str, ...], builder: EvidenceBuilder, *, is_job: bool) -> None:
    """A job deletes the oldest events; once anything else disappears too, it is not clear that there is one."""
    add_reads(builder, *(events(builder, names) for names in lists))
    assert bool(find_deletions(builder.evidence)) == is_job


def test_single_deletion_among_equal_times_proves_nothing(builder: EvidenceBuilder) -> None:
    """If an event disappears once, and others have the same time, it may be any event."""
    same = "2026-07-01T12:00:00Z"
    add_reads(builder, events(builder, "abcd", same), events(builder, "bcd", same))
    assert find_deletions(builder.evidence) == ()


@pytest.mark.parametrize(("further", "is_job"), [(True, True), (False, False)])
def test_order_within_a_second_is_uncertain(further: bool, is_job: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- cases
    """An event may be recorded just before a purge seeds others in the same second, once in a while but not always."""
    same = "2026-07-01T12:00:00Z"
    seed, recorded = builder.event("app", "app", same), events(builder, "abc", same)
    lists = [[seed, *recorded]] * 2 + [[seed, *recorded[1:]]] * 2
    later = [
        [seed, *events(builder, "fgh")],
        [seed, *events(builder, "fgh")],
        events(builder, "fgh"),
        events(builder, "gh"),
    ]
    add_reads(builder, *lists, *(later if further else [[seed, *recorded[2:]]]))
    assert bool(find_deletions(builder.evidence)) == is_job


def test_exactly_the_seeds_of_a_purge_are_the_purges(builder: EvidenceBuilder) -> None:
    """If exactly what a purge seeded disappears, the purge is the reason, though these events are the oldest."""
    seeds = [builder.event(app, app, "2026-07-01T11:00:00Z") for app in ("one", "two")]
    add_reads(builder, [*seeds, *events(builder, "ab")], events(builder, "ab"))
    assert find_deletions(builder.evidence) == ()


def test_what_a_purge_left_is_the_purges(builder: EvidenceBuilder) -> None:
    """Events that were listed before a purge and disappear after it were destroyed late."""
    seed = builder.event("app", "app", "2026-07-01T12:00:09Z")
    builder.add_list(Scenario.PURGE, BEFORE.of(Part.EVENTS), events(builder, "ab"))
    builder.add_purge(Scenario.PURGE)
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), [*events(builder, "ab"), seed])
    add_reads(builder, [seed])
    assert find_deletions(builder.evidence) == ()


def test_seeded_events_show_a_purge(builder: EvidenceBuilder) -> None:
    """If events are seeded when others disappear, another client purged."""
    add_reads(builder, events(builder, "abc"), [*events(builder, "c"), builder.event("app", "app")])
    assert find_deletions(builder.evidence) == ()


def test_job_may_spare_the_suite(builder: EvidenceBuilder) -> None:
    """A job may delete only events of other clients' apps, though the suite's own are older."""
    own = builder.event("own", "mine", "2026-07-01T11:00:00Z")
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "mine"})
    add_reads(builder, [own, *events(builder, "abc")], [own, *events(builder, "bc")])
    assert deleted_guids(builder.evidence) == {"a"}


@pytest.mark.parametrize(("path", "is_job"), [("/v3/apps/app", False), (f"{EVENTS_PATH}/app", True)])
def test_events_of_deleted_apps_are_no_jobs(path: str, is_job: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- cases
    """The events of an app may be deleted with it; a seeded event has the guid of its app, but is none."""
    before, after = (Place(Step.LIST_AFTER_ACTION, 0, sequence=1, position=position) for position in (1, 2))
    builder.add_list(Scenario.SEQUENCES, before, events(builder, "abc"))
    builder.add_exchange(Scenario.SEQUENCES, Step.ACTION, method="DELETE", path=path, status=204)
    builder.add_list(Scenario.SEQUENCES, after, events(builder, "c"))
    assert bool(find_deletions(builder.evidence)) == is_job


def test_totals_show_a_job_where_pages_do_not(builder: EvidenceBuilder) -> None:
    """If a page shows only the newest events, a smaller total shows that older ones were deleted."""
    for total in (90, 90, 88, 88, 88):
        data = {"pagination": {"total_results": total, "next": {"href": "/"}}, "resources": events(builder, "hg")}
        path = f"{EVENTS_PATH}?order_by=-created_at&per_page=2"
        builder.add_exchange(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, path=path, data=data)
    add_reads(builder, *(events(builder, names) for names in ("abcd", "bcd", "bcd")))
    assert [deletion.count for deletion in find_deletions(builder.evidence)] == [2, 1]


def test_lists_are_judged_without_deleted_events(builder: EvidenceBuilder) -> None:
    """While the list is read in several ways, deleted events may be listed or not."""
    builder.add_list(Scenario.LISTS, Step.OPENING, events(builder, "abc"))
    builder.add_list(Scenario.LISTS, Step.CLOSING, events(builder, "bc"))
    read = require_list_read(builder.judgment_view)
    assert set(read.initial.by_guid) == {"b", "c"}
    assert read.new_guids == read.deleted_guids == {"a"}


def test_get_of_a_deleted_event_may_answer_404(builder: EvidenceBuilder) -> None:
    """An event that a job deletes after it was listed need not be found."""
    add_reads(builder, events(builder, "abc"))
    get = builder.add_exchange(Scenario.READS, Step.GET, path=event_path("a"), status=404)
    builder.add_list(Scenario.LISTS, Step.OPENING, events(builder, "bc"))
    require_found(builder.judgment_view, [get])


@pytest.mark.parametrize(("missing", "judged"), [("d", {"a", "b", "c"}), ("bcd", {"a", "b", "c", "d"})])
def test_seeds_that_a_job_deleted_are_not_missing(missing: str, judged: set[str], builder: EvidenceBuilder) -> None:
    """A purge is not judged for few apps whose seeded events a job may have deleted before they were listed."""
    seeds = [builder.event(app, app, "2026-07-01T11:00:00Z") for app in "abcd"]
    apps = [builder.app(app) for app in "abcd"]
    builder.add_snapshot(Scenario.PURGE, BEFORE, seeds, apps)
    builder.add_purge(Scenario.PURGE)
    later = [{**row, "created_at": "2026-07-01T12:00:02Z"} for row in seeds if row["guid"] not in missing]
    builder.add_snapshot(Scenario.PURGE, AFTER, later, apps)
    recorded = [builder.event(f"recorded-{n}", "a", f"2026-07-01T12:00:0{n}Z") for n in range(3, 7)]
    for index, rows in enumerate((recorded, recorded, recorded[1:], recorded[1:], recorded[2:])):
        builder.add_list(Scenario.APP_CHANGES, Place(Step.START, index, phase=Phase.AFTER), rows)
    assert set(require_purge(builder.judgment_view, Scenario.PURGE).apps) == judged
