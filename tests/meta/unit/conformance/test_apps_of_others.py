"""Judgment PURGE-06: which changes of other clients' apps are attributed to purges, and which to their owners."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.judgments import outcome_of
from meta.support.story import app_row, event_row, process_row
from purge_conformance.analysis.other_apps import changes_with_purges, find_other_apps
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meta.support.story import EvidenceBuilder

Row = dict[str, Any]
Foundation = dict[str, str]  # app -> state
PURGES = 12
PAUSE_EXCHANGES = 30  # one each second; a purge with its snapshots takes seven
OTHERS = {"a": "STARTED", "b": "STARTED", "c": "STARTED", "d": "STOPPED"}


def build(
    builder: EvidenceBuilder,
    foundations: Sequence[tuple[Foundation, Foundation]],
    *,
    own: bool = False,
    row: Callable[[str, str], Row] = app_row,
    events_after: Callable[[int], list[Row]] = lambda _: [],
) -> None:
    """Add purges; each member has the apps before and after one."""
    if own:
        builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "own"})
    for index, sides in enumerate(foundations, 1):
        place = Place(Step.GENERATED_PURGE, index)
        for phase, apps in zip(Phase, sides, strict=True):
            rows = [row(guid, state) for guid, state in apps.items()] + [app_row("own")] * own
            processes = [process_row(guid, guid) for guid in apps]
            events = events_after(index) if phase is Phase.AFTER else []
            builder.add_snapshot(Scenario.GENERATED, place.at(phase), events, rows, processes)
            if phase is Phase.BEFORE:
                builder.add_purge(Scenario.GENERATED, place)
        for _ in range(PAUSE_EXCHANGES):
            builder.add_exchange(Scenario.LISTS, Step.GET, data={})


def steps(*states: Foundation) -> list[tuple[Foundation, Foundation]]:
    """Return purges with which the foundation goes from each state to the next one, and those that change nothing."""
    pairs = [*pairwise(states)]
    return pairs + [(states[-1], states[-1])] * (PURGES - len(pairs))


def restart_events(index: int) -> list[Row]:
    """Return the events of a restart of the app a."""
    changes = [("STARTED", "STOPPED"), ("STOPPED", "STARTED")]
    return [{**event_row(f"{now}-{index}", "a"), "state": {"previous": was, "current": now}} for was, now in changes]


def without(*guids: str) -> Foundation:
    """Return the foundation without some apps."""
    return {guid: state for guid, state in OTHERS.items() if guid not in guids}


@pytest.mark.parametrize("own", [True, False], ids=["drive", "observe"])
@pytest.mark.parametrize(
    "foundations",
    [
        steps(OTHERS, dict.fromkeys(OTHERS, "STOPPED")),
        steps(OTHERS, without("a", "b", "c", "d")),
        steps(OTHERS, without("a"), without("a", "b"), without("a", "b", "c")),
        [(OTHERS, OTHERS), *steps(OTHERS, *[{**OTHERS, "a": f"STATE {number}"} for number in range(9)])],
    ],
    ids=["all-stopped", "all-deleted", "one-deleted-each-time", "not-with-the-first"],
)
def test_change_with_purges_fails(
    foundations: list[tuple[Foundation, Foundation]],
    own: bool,  # noqa: FBT001 -- a parameter of the test
    builder: EvidenceBuilder,
) -> None:
    """Changes that come with several purges, or all at once with the first one, are the purges'."""
    build(builder, foundations, own=own)
    assert outcome_of(builder, "PURGE-06") == "failed"


def test_renamed_app_fails(builder: EvidenceBuilder) -> None:
    """A name that changes with each purge is changed by the purge."""
    renamed = steps(*[{"a": f"name {number}"} for number in range(PURGES)])
    build(builder, renamed, row=lambda guid, name: {**app_row(guid), "name": name})
    assert outcome_of(builder, "PURGE-06") == "failed"


@pytest.mark.parametrize("member", ["updated_at", "metadata"])
def test_member_that_changes_with_each_purge_fails(member: str, builder: EvidenceBuilder) -> None:
    """Whatever is listed of an app, a value that changes with each purge, and never between, is the purge's."""
    changed = steps(*[{"a": f"value {number}"} for number in range(PURGES)])
    build(builder, changed, row=lambda guid, value: {**app_row(guid), member: {"labels": {"x": value}}})
    assert outcome_of(builder, "PURGE-06") == "failed"


@pytest.mark.parametrize(
    ("restarted", "outcome"),
    [(range(1, 4), "failed"), (range(1, 3), "passed"), (range(1, PURGES + 1), "failed")],
    ids=["with-three-purges", "with-two-by-chance", "with-each"],
)
def test_restart_recorded_with_purges(restarted: range, outcome: str, builder: EvidenceBuilder) -> None:
    """Events of a restart after each of several purges, and after nothing else, show that these restart the app."""
    build(builder, steps(OTHERS), events_after=lambda index: restart_events(index) if index in restarted else [])
    assert outcome_of(builder, "PURGE-06") == outcome


def test_events_that_a_purge_seeds_are_no_restart(builder: EvidenceBuilder) -> None:
    """A second event of each app, which shows STOPPED, is a wrong seed: the app is started."""
    build(builder, steps(OTHERS), events_after=lambda index: restart_events(index)[:1] * 2)
    assert not [*changes_with_purges(builder.evidence)]


@pytest.mark.parametrize(
    ("foundations", "outcome"),
    [
        (steps(OTHERS), "passed"),
        (steps(OTHERS, {**OTHERS, "a": "STOPPED"}), "passed"),
        (steps(OTHERS, {**OTHERS, "a": "STOPPED"}, {**OTHERS, "a": "STOPPED", "b": "STOPPED"}), "passed"),
        ([*steps(OTHERS), (OTHERS, without("a", "b"))], "passed"),
        ([(OTHERS, without("a")), *steps(without("a", "b"), without("a", "b", "c"))], "inconclusive"),
        ([(OTHERS, OTHERS), *steps(without("a"))], "inconclusive"),
    ],
    ids=["quiet", "one-change-by-chance", "two-by-chance", "several-at-a-later-purge", "also-between", "only-between"],
)
def test_change_by_owner_passes(
    foundations: list[tuple[Foundation, Foundation]], outcome: str, builder: EvidenceBuilder
) -> None:
    """Changes that meet a purge by chance, or that come between purges as well, are their owners'."""
    build(builder, foundations)
    assert outcome_of(builder, "PURGE-06") == outcome


def test_own_apps_are_judged_beside_busy_others(builder: EvidenceBuilder) -> None:
    """Where others change their apps between purges, the suite's own apps are judged alone."""
    build(builder, [(OTHERS, without("a")), *steps(without("a", "b"))], own=True)
    assert outcome_of(builder, "PURGE-06") == "passed"


def test_short_quiet_period_proves_nothing(builder: EvidenceBuilder) -> None:
    """All apps change with the only purge, and the time without a purge is not ten times as long."""
    build(builder, [(OTHERS, dict.fromkeys(OTHERS, "STOPPED"))])
    assert not [*find_other_apps(builder.evidence).findings()]


def test_app_that_is_listed_again_was_not_deleted(builder: EvidenceBuilder) -> None:
    """An app that is missing from one list only is no change."""
    build(builder, [(OTHERS, without("a", "b")), *steps(OTHERS)])
    assert not [*find_other_apps(builder.evidence).findings()]
