"""Judgments of repetitions: an outcome that changes is flaky."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import YES, App, Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.report.model import Tally

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


Row = dict[str, Any]
OLD: Row = {"guid": "old", "created_at": "2026-07-01T11:00:00Z", "app": {"guid": "a"}}
SEEDED: Row = {"guid": "a", "created_at": "2026-07-01T12:00:09Z", "app": {"guid": "a"}}


def add_repetition(
    builder: EvidenceBuilder, scenario: Scenario, *, wrong: Place | None = None, rows: tuple[Row, ...] = ()
) -> None:
    """Add a repetition of a scenario, with other events at one place."""
    shift = len(builder.exchanges)
    page = json.dumps({"pagination": {"total_results": len(rows), "next": None}, "resources": rows}).encode()
    builder.exchanges += [
        replace(
            x,
            n=x.n + shift,
            sent_at=x.sent_at + shift,
            round=2,
            body=page if x.place == wrong else x.body,
        )
        for x in builder.exchanges
        if x.scenario is scenario
    ]
    builder.notes += [replace(note, round=2) for note in builder.notes if note.scenario is scenario]
    builder.list_ends += [replace(end, round=2) for end in builder.list_ends if end.scenario is scenario]


def add_concurrent_purges(builder: EvidenceBuilder) -> None:
    """Add a purge alone, and a round of two concurrent ones, of a started app."""
    apps = [builder.app("a")]
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, Place(Step.ALONE, phase=Phase.BEFORE), [OLD], apps)
    builder.add_exchange(Scenario.CONCURRENT_PURGES, Step.ALONE, method="POST", path=PURGE_PATH)
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, Place(Step.ALONE, phase=Phase.AFTER), [SEEDED], apps)
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1, phase=Phase.BEFORE), [OLD, SEEDED], apps)
    for _ in range(2):
        builder.add_exchange(
            Scenario.CONCURRENT_PURGES,
            Place(Step.CONCURRENT, 1),
            method="POST",
            path=PURGE_PATH,
            tags={Tag.CONCURRENT: YES},
        )
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1, phase=Phase.AFTER), [SEEDED], apps)


def add_race(builder: EvidenceBuilder) -> None:
    """Add a sequential round, and one with a start during the purge, which leaves a started app."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    recorded = {"guid": "e", "created_at": SEEDED["created_at"], "app": {"guid": "b"}, "state": {"current": "STARTED"}}
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "b", App.WITHOUT_INSTANCES: "a"})
    builder.add_snapshot(Scenario.RACE, Step.OPENING, [SEEDED], apps)
    builder.add_exchange(Scenario.RACE, Step.SEQUENTIAL, method="POST", path=PURGE_PATH)
    builder.add_snapshot(Scenario.RACE, Place(Step.SEQUENTIAL, phase=Phase.AFTER), [SEEDED], apps)
    builder.add_exchange(Scenario.RACE, Place(Step.CONCURRENT, 1), method="POST", path=PURGE_PATH, elapsed=3.0)
    builder.add_exchange(
        Scenario.RACE, Place(Step.CONCURRENT_CHANGE, 1), method="POST", path="/v3/apps/b/actions/start"
    )
    builder.add_snapshot(
        Scenario.RACE, Place(Step.CONCURRENT, 1, phase=Phase.AFTER), [SEEDED, recorded], [apps[0], builder.app("b")]
    )


def add_unexpected_bodies(builder: EvidenceBuilder) -> None:
    """Add a purge with an unexpected body, which is ignored, after a plain one."""
    apps = [builder.app("a")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, [OLD], apps)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [SEEDED], apps)
    builder.add_snapshot(Scenario.UNEXPECTED_INPUT, Place(Step.NOT_JSON, phase=Phase.BEFORE), [OLD], apps)
    builder.add_exchange(Scenario.UNEXPECTED_INPUT, Step.NOT_JSON, method="POST", path=PURGE_PATH, request_body="odd")
    builder.add_snapshot(Scenario.UNEXPECTED_INPUT, Place(Step.NOT_JSON, phase=Phase.AFTER), [SEEDED], apps)


STORIES = {
    Scenario.CONCURRENT_PURGES: add_concurrent_purges,
    Scenario.RACE: add_race,
    Scenario.UNEXPECTED_INPUT: add_unexpected_bodies,
}
AFTER_CONCURRENT = Place(Step.CONCURRENT, 1, Phase.AFTER)  # of the concurrent purges, and of the race
AFTER_BODY = Place(Step.NOT_JSON, phase=Phase.AFTER)


@pytest.mark.parametrize(
    ("scenario", "judgment", "wrong", "rows"),
    [
        (
            Scenario.CONCURRENT_PURGES,
            "parallel.test_concurrent_purges_destroy_events",
            AFTER_CONCURRENT.of(Part.EVENTS),
            (OLD,),
        ),
        (Scenario.CONCURRENT_PURGES, "parallel.test_concurrent_purges_seed_apps", AFTER_CONCURRENT.of(Part.EVENTS), ()),
        (
            Scenario.CONCURRENT_PURGES,
            "parallel.test_concurrent_purges_seed_once",
            AFTER_CONCURRENT.of(Part.EVENTS),
            (SEEDED, {**SEEDED, "guid": "x"}),
        ),
        (Scenario.RACE, "race.test_unchanged_apps_are_seeded", AFTER_CONCURRENT.of(Part.EVENTS), ()),
        (Scenario.RACE, "race.test_changed_apps_are_linearizable", AFTER_CONCURRENT.of(Part.EVENTS), ()),
        (
            Scenario.UNEXPECTED_INPUT,
            "requests.test_ignored_input_purge_is_complete",
            AFTER_BODY.of(Part.EVENTS),
            (OLD,),
        ),
    ],
)
def test_changing_outcome_is_flaky(
    scenario: Scenario, judgment: str, wrong: Place, rows: tuple[Row, ...], builder: EvidenceBuilder
) -> None:
    """A pass that fails in the repetition is failed as flaky, with an exchange of each."""
    module, _, name = judgment.partition(".")
    judge = getattr(importlib.import_module(f"purge_conformance.conformance.test_{module}"), name)
    STORIES[scenario](builder)
    judge(builder.judgment_view)
    add_repetition(builder, scenario, wrong=wrong, rows=rows)
    seen = builder.judgment_view
    with pytest.raises(RequirementViolated) as caught:
        judge(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)
    finding = caught.value.findings[0]
    shown = {x.n: (x.scenario, x.round) for x in builder.exchanges}
    assert shown[finding.exchange or 0] == (scenario, 2)
    assert shown[finding.passing_exchange or 0] == (scenario, 1)


def test_changing_status_is_flaky(builder: EvidenceBuilder) -> None:
    """A changed status of a purge with an unexpected body is failed as flaky."""
    judge = importlib.import_module("purge_conformance.conformance.test_requests").test_unexpected_input_is_handled
    add_unexpected_bodies(builder)
    add_repetition(builder, Scenario.UNEXPECTED_INPUT)
    builder.exchanges[:] = [replace(x, status=418) if x.round == 2 else x for x in builder.exchanges]
    seen = builder.judgment_view
    with pytest.raises(RequirementViolated):
        judge(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)


def test_sequential_error_leaves_race_inconclusive(builder: EvidenceBuilder) -> None:
    """If one sequential round is incorrect, an error of the race is not attributed to concurrency."""
    add_race(builder)
    add_repetition(
        builder, Scenario.RACE, wrong=Place(Step.SEQUENTIAL, phase=Phase.AFTER, part=Part.EVENTS), rows=(OLD,)
    )
    judge = importlib.import_module("purge_conformance.conformance.test_race").test_unchanged_apps_are_seeded
    with pytest.raises(Inconclusive):
        judge(builder.judgment_view)


@pytest.mark.parametrize(
    ("scenario", "judgment", "lost"),
    [
        (Scenario.CONCURRENT_PURGES, "parallel.test_concurrent_purges_seed_apps", AFTER_CONCURRENT.of(Part.APPS)),
        (Scenario.RACE, "race.test_unchanged_apps_are_seeded", AFTER_CONCURRENT.of(Part.APPS)),
        (Scenario.UNEXPECTED_INPUT, "requests.test_ignored_input_purge_is_complete", AFTER_BODY.of(Part.APPS)),
    ],
)
def test_unreadable_repetition_is_excluded(
    scenario: Scenario, judgment: str, lost: Place, builder: EvidenceBuilder
) -> None:
    """A repetition with unreadable lists is no trial; the others are judged."""
    module, _, name = judgment.partition(".")
    judge = getattr(importlib.import_module(f"purge_conformance.conformance.test_{module}"), name)
    STORIES[scenario](builder)
    add_repetition(builder, scenario)
    builder.exchanges[:] = [
        replace(x, status=None, body=b"") if (x.round, x.place) == (2, lost) else x for x in builder.exchanges
    ]
    judge(builder.judgment_view)
