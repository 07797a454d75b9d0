"""Judgments of repetitions: an outcome that changes is flaky."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import YES, Part, Phase, Place, Scenario, Step, Tag
from purge_conformance.report.model import Tally

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


Row = dict[str, Any]
OLD: Row = {"guid": "old", "created_at": "2026-07-01T11:00:00Z", "app": {"guid": "a"}}
SEEDED: Row = {"guid": "a", "created_at": "2026-07-01T12:00:09Z", "app": {"guid": "a"}}


def add_repetition(
    builder: EvidenceBuilder, scenario: Scenario, *, wrong: Place | None = None, rows: tuple[Row, ...] = ()
) -> None:
    """Add a second round of a scenario, with other events at one place."""
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
    builder.list_ends += [replace(end, round=2) for end in builder.list_ends if end.scenario is scenario]


def add_concurrent_purges(builder: EvidenceBuilder) -> None:
    """Add a purge alone, and a round of two concurrent ones, of a started app."""
    apps = [builder.app("a")]
    builder.add_snapshot("parallel", "alone.before", [OLD], apps)
    builder.add_exchange("parallel", "alone", method="POST", path=PURGE_PATH)
    builder.add_snapshot("parallel", "alone.after", [SEEDED], apps)
    builder.add_snapshot("parallel", "first.before", [OLD, SEEDED], apps)
    for _ in range(2):
        builder.add_exchange("parallel", "first", method="POST", path=PURGE_PATH, tags={Tag.CONCURRENT: YES})
    builder.add_snapshot("parallel", "first.after", [SEEDED], apps)


def add_race(builder: EvidenceBuilder) -> None:
    """Add a sequential round, and one with a start during the purge, which leaves a started app."""
    apps = [builder.app("a"), builder.app("b", "STOPPED")]
    told = {"guid": "e", "created_at": SEEDED["created_at"], "app": {"guid": "b"}, "state": {"current": "STARTED"}}
    builder.add_note("foundation", "apps", {"steady": "b", "empty": "a"})
    builder.add_snapshot("race", "start", [SEEDED], apps)
    builder.add_exchange("race", "quiet", method="POST", path=PURGE_PATH)
    builder.add_snapshot("race", "quiet", [SEEDED], apps)
    builder.add_exchange("race", "first", method="POST", path=PURGE_PATH, elapsed=3.0)
    builder.add_exchange("race", "first.change", method="POST", path="/v3/apps/b/actions/start")
    builder.add_snapshot("race", "first", [SEEDED, told], [apps[0], builder.app("b")])


def add_unexpected_bodies(builder: EvidenceBuilder) -> None:
    """Add a purge with an unexpected body, which is ignored, after a plain one."""
    apps = [builder.app("a")]
    builder.add_snapshot("purge", "before", [OLD], apps)
    builder.add_purge("purge")
    builder.add_snapshot("purge", "after", [SEEDED], apps)
    builder.add_snapshot("odd", "no-json.before", [OLD], apps)
    builder.add_exchange("odd", "no-json", method="POST", path=PURGE_PATH, request_body="odd")
    builder.add_snapshot("odd", "no-json.after", [SEEDED], apps)


STORIES = {
    Scenario.CONCURRENT_PURGES: add_concurrent_purges,
    Scenario.RACE: add_race,
    Scenario.UNEXPECTED_INPUT: add_unexpected_bodies,
}
CONCURRENT = Place(Step.CONCURRENT, 1, Phase.AFTER)
NOT_JSON = Place(Step.NOT_JSON, phase=Phase.AFTER)


@pytest.mark.parametrize(
    ("where", "judgment", "wrong", "rows"),
    [
        (
            Scenario.CONCURRENT_PURGES,
            "parallel.test_concurrent_purges_destroy_events",
            CONCURRENT.of(Part.EVENTS),
            (OLD,),
        ),
        (Scenario.CONCURRENT_PURGES, "parallel.test_concurrent_purges_seed_apps", CONCURRENT.of(Part.EVENTS), ()),
        (
            Scenario.CONCURRENT_PURGES,
            "parallel.test_concurrent_purges_seed_once",
            CONCURRENT.of(Part.EVENTS),
            (SEEDED, {**SEEDED, "guid": "x"}),
        ),
        (Scenario.RACE, "race.test_unchanged_apps_are_seeded", CONCURRENT.of(Part.EVENTS), ()),
        (Scenario.RACE, "race.test_changed_apps_are_linearizable", CONCURRENT.of(Part.EVENTS), ()),
        (Scenario.UNEXPECTED_INPUT, "requests.test_ignored_input_purge_is_complete", NOT_JSON.of(Part.EVENTS), (OLD,)),
    ],
)
def test_changing_outcome_is_flaky(
    where: Scenario, judgment: str, wrong: Place, rows: tuple[Row, ...], builder: EvidenceBuilder
) -> None:
    """A pass that fails in the repetition is failed as flaky, with an exchange of each."""
    module, _, name = judgment.partition(".")
    judge = getattr(importlib.import_module(f"purge_conformance.conformance.test_{module}"), name)
    STORIES[where](builder)
    judge(builder.judgment_view)
    add_repetition(builder, where, wrong=wrong, rows=rows)
    seen = builder.judgment_view
    with pytest.raises(RequirementViolated) as caught:
        judge(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)
    finding = caught.value.findings[0]
    rounds = {x.n: x.round for x in builder.exchanges}
    assert (rounds[finding.exchange or 0], rounds[finding.passing_exchange or 0]) == (2, 1)


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
    sequential = Place(Step.SEQUENTIAL, phase=Phase.AFTER, part=Part.EVENTS)
    add_repetition(builder, Scenario.RACE, wrong=sequential, rows=(OLD,))
    judge = importlib.import_module("purge_conformance.conformance.test_race").test_unchanged_apps_are_seeded
    with pytest.raises(Inconclusive):
        judge(builder.judgment_view)


@pytest.mark.parametrize(
    ("where", "judgment", "look"),
    [
        (Scenario.CONCURRENT_PURGES, "parallel.test_concurrent_purges_seed_apps", CONCURRENT.of(Part.APPS)),
        (Scenario.RACE, "race.test_unchanged_apps_are_seeded", CONCURRENT.of(Part.APPS)),
        (Scenario.UNEXPECTED_INPUT, "requests.test_ignored_input_purge_is_complete", NOT_JSON.of(Part.APPS)),
    ],
)
def test_unreadable_repetition_is_excluded(
    where: Scenario, judgment: str, look: Place, builder: EvidenceBuilder
) -> None:
    """A repetition with unreadable lists is no trial; the others are judged."""
    module, _, name = judgment.partition(".")
    judge = getattr(importlib.import_module(f"purge_conformance.conformance.test_{module}"), name)
    STORIES[where](builder)
    add_repetition(builder, where)
    builder.exchanges[:] = [
        replace(x, status=None, body=b"") if (x.round, x.place) == (2, look) else x for x in builder.exchanges
    ]
    judge(builder.judgment_view)
