"""What `--repeat` tries again: what is sent then, and how a time that differs from the others is judged."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.assertions import Inconclusive, JudgmentView, RequirementViolated
from purge_conformance.analysis.purge_series import require_observed_purges
from purge_conformance.analysis.rejected import unauthorized_purges
from purge_conformance.catalogue.api import PURGE_PATH, is_purge
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import REQUESTS_PER_REPEAT, Limits, Settings, Target, limits_for
from purge_conformance.engine import collect
from purge_conformance.engine import reference_process as embedded
from purge_conformance.engine.plan import COSTS, REPETITION_COST
from purge_conformance.evidence.records import base_name, repetition_name
from purge_conformance.report.model import Tally

if TYPE_CHECKING:
    from conftest import Story

    from purge_conformance.evidence.records import Evidence

Row = dict[str, Any]
TIMES = 3
OLD: Row = {"guid": "old", "created_at": "2026-07-01T11:00:00Z", "app": {"guid": "a"}}
SEEDED: Row = {"guid": "a", "created_at": "2026-07-01T12:00:09Z", "app": {"guid": "a"}}


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What a run saw that tried three times what destroys."""
    with embedded.server() as (url, tokens):
        hook = parse_hook(embedded.hook_url(url))
        settings = Settings(Target(url), tokens, repeat=TIMES, limits=limits_for(TIMES), hook=hook)
        return collect.collect(settings, tmp_path_factory.mktemp("repeated") / "out", lambda *_: None)


def purges(evidence: Evidence) -> Counter[str]:
    """Count the purges of each experiment by an admin."""
    return Counter(x.experiment for x in evidence.exchanges if is_purge(x.method, x.path) and x.role == "admin")


def test_plain_purges_are_watched(repeated: Evidence) -> None:
    """Each time there is one more watched purge, one right after it, and one that is refused for each role."""
    sent = [x for x in repeated.of("repeat") if is_purge(x.method, x.path)]
    refused = repeated.of("repeat", "credential")
    plain = [trial for trial in require_observed_purges(JudgmentView(repeated)) if trial.request.experiment == "repeat"]
    assert [trial.request for trial in plain] == [x for x in sent if x.role == "admin"]
    assert [trial.is_repeat for trial in plain] == [False, True] * (TIMES - 1)
    assert len(refused) == (TIMES - 1) * len({x.role for x in refused})
    assert [
        a.describe_loss() for a in unauthorized_purges(JudgmentView(repeated)) if a.request.experiment == "repeat"
    ] == [None] * len(refused)


@pytest.mark.parametrize("name", ["odd", "provoked", "parallel", "race"])
def test_all_that_destroys_is_repeated(name: str, repeated: Evidence) -> None:
    """Each time the same purges are sent, under a name of their own, and nothing is cut short."""
    names = (name, repetition_name(name, 2), repetition_name(name, 3))
    sent = purges(repeated)
    assert repeated.repetitions(name) == names
    assert len({sent[each] for each in names}) == 1
    assert sent[name] >= 3
    assert [note for note in repeated.notes if note.name in {"stopped", "lost", "crashed"}] == []


def test_each_scaling_is_a_change(repeated: Evidence) -> None:
    """No app is scaled to the size that it has, however often it was scaled before."""
    sizes: dict[str, int] = {}
    scalings = [
        x for name in repeated.repetitions("race") for x in repeated.of(name) if x.path.endswith("/actions/scale")
    ]
    for x in scalings:
        size = json.loads(x.request_body or "{}")["instances"]
        assert sizes.get(x.path) != size
        sizes[x.path] = size
    assert max(sizes.values()) < 40


def test_sequences_are_played_again(repeated: Evidence) -> None:
    """The same sequences are played each time."""
    plays = [repeated.note("sequences", f"sequence {number}") for number in range(1, 2 * TIMES + 1)]
    assert plays == plays[:2] * TIMES
    assert repeated.note("sequences", f"sequence {len(plays) + 1}") is None


def test_repetitions_are_within_bounds(repeated: Evidence) -> None:
    """What one more time takes, at most, is what the bounds grow by."""
    names = ("odd", "provoked", "parallel", "race", "sequences")
    requests = REPETITION_COST.requests + sum(COSTS[name].requests for name in names)
    assert requests <= REQUESTS_PER_REPEAT
    assert REPETITION_COST.purges + sum(COSTS[name].purges for name in names) <= Limits().max_purges
    sent = Counter(base_name(x.experiment) for x in repeated.exchanges)
    most = {name: TIMES * COSTS[name].requests for name in names} | {"repeat": (TIMES - 1) * REPETITION_COST.requests}
    assert {name for name in most if sent[name] > most[name]} == set()


def test_unrepeated_run_has_one_time(story: Story) -> None:
    """What was run but once has its own name alone, and so has what never was."""
    story.purge("parallel")
    assert (story.evidence.repetitions("parallel"), story.evidence.repetitions("race")) == (("parallel",), ("race",))
    assert [base_name(name) for name in ("race", "race 2", "race 13")] == ["race"] * 3


def repeat(story: Story, experiment: str, *, wrong: str = "", rows: tuple[Row, ...] = ()) -> None:
    """Add all of an experiment once more, with these events in place of those of one step."""
    shift, name = len(story.exchanges), repetition_name(experiment, 2)
    page = json.dumps({"pagination": {"total_results": len(rows), "next": None}, "resources": rows}).encode()
    story.exchanges += [
        replace(
            x,
            n=x.n + shift,
            sent_at=x.sent_at + shift,
            experiment=name,
            body=page if x.step == wrong else x.body,
        )
        for x in story.exchanges
        if x.experiment == experiment
    ]
    for note in [note for note in story.notes if note.experiment == experiment]:
        story.note(name, note.name, note.value)


def in_parallel(story: Story) -> None:
    """Add a purge by itself, and a round of two at once, of a started app."""
    apps = [story.app("a")]
    story.look("parallel", "alone.before", [OLD], apps)
    story.say("parallel", "alone", method="POST", path=PURGE_PATH)
    story.look("parallel", "alone.after", [SEEDED], apps)
    story.look("parallel", "first.before", [OLD, SEEDED], apps)
    for _ in range(2):
        story.say("parallel", "first", method="POST", path=PURGE_PATH, tags={"at_once": "first"})
    story.look("parallel", "first.after", [SEEDED], apps)


def in_a_race(story: Story) -> None:
    """Add a quiet round, and one with a start beside the purge, which leaves a started app alone."""
    apps = [story.app("a"), story.app("b", "STOPPED")]
    told = {"guid": "e", "created_at": SEEDED["created_at"], "app": {"guid": "b"}, "state": {"current": "STARTED"}}
    story.note("foundation", "apps", {"steady": "b", "empty": "a"})
    story.look("race", "start", [SEEDED], apps)
    story.say("race", "quiet", method="POST", path=PURGE_PATH)
    story.look("race", "quiet", [SEEDED], apps)
    story.say("race", "first", method="POST", path=PURGE_PATH, elapsed=3.0)
    story.say("race", "first.change", method="POST", path="/v3/apps/b/actions/start")
    story.look("race", "first", [SEEDED, told], [apps[0], story.app("b")])


def with_odd_bodies(story: Story) -> None:
    """Add an odd purge that is ignored, after a plain one."""
    apps = [story.app("a")]
    story.look("purge", "before", [OLD], apps)
    story.purge("purge")
    story.look("purge", "after", [SEEDED], apps)
    story.look("odd", "no-json.before", [OLD], apps)
    story.say("odd", "no-json", method="POST", path=PURGE_PATH, request_body="odd")
    story.look("odd", "no-json.after", [SEEDED], apps)


STORIES = {"parallel": in_parallel, "race": in_a_race, "odd": with_odd_bodies}


@pytest.mark.parametrize(
    ("where", "judgment", "wrong", "rows"),
    [
        ("parallel", "parallel.test_no_event_survives", "first.after.events", (OLD,)),
        ("parallel", "parallel.test_no_app_missing", "first.after.events", ()),
        (
            "parallel",
            "parallel.test_no_app_twice",
            "first.after.events",
            (SEEDED, {**SEEDED, "guid": "x"}),
        ),
        ("race", "race.test_still_apps_are_purged", "first.events", ()),
        ("race", "race.test_some_order_explains", "first.events", ()),
        ("odd", "requests.test_ignored_oddity_purges_whole", "no-json.after.events", (OLD,)),
    ],
)
def test_outcome_that_changes_is_flaky(
    where: str, judgment: str, wrong: str, rows: tuple[Row, ...], story: Story
) -> None:
    """What passes the first time and fails the second is failed as flaky, with an exchange of each."""
    module, _, name = judgment.partition(".")
    judge = getattr(importlib.import_module(f"purge_conformance.conformance.test_{module}"), name)
    STORIES[where](story)
    judge(story.seen)
    repeat(story, where, wrong=wrong, rows=rows)
    seen = story.seen
    with pytest.raises(RequirementViolated) as caught:
        judge(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)
    finding = caught.value.findings[0]
    shown = {x.n: x.experiment for x in story.exchanges}
    assert (shown[finding.exchange or 0], shown[finding.passing or 0]) == (repetition_name(where, 2), where)


def test_odd_status_that_changes_is_flaky(story: Story) -> None:
    """An odd purge that is answered otherwise the second time is failed as flaky."""
    judge = importlib.import_module("purge_conformance.conformance.test_requests").test_odd_purge_answered
    with_odd_bodies(story)
    repeat(story, "odd")
    story.exchanges[:] = [replace(x, status=418) if x.experiment == "odd 2" else x for x in story.exchanges]
    seen = story.seen
    with pytest.raises(RequirementViolated):
        judge(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)


def test_one_wrong_quiet_round_leaves_the_race_open(story: Story) -> None:
    """Where a purge without haste is wrong but once, what is wrong in haste is not put down to haste."""
    in_a_race(story)
    repeat(story, "race", wrong="quiet.events", rows=(OLD,))
    judge = importlib.import_module("purge_conformance.conformance.test_race").test_still_apps_are_purged
    with pytest.raises(Inconclusive):
        judge(story.seen)


@pytest.mark.parametrize(
    ("where", "judgment", "look"),
    [
        ("parallel", "parallel.test_no_app_missing", "first.after.apps"),
        ("race", "race.test_still_apps_are_purged", "first.apps"),
        ("odd", "requests.test_ignored_oddity_purges_whole", "no-json.after.apps"),
    ],
)
def test_unreadable_repetition_is_left_out(where: str, judgment: str, look: str, story: Story) -> None:
    """A repetition whose lists could not be read is no trial; the others are judged."""
    module, _, name = judgment.partition(".")
    judge = getattr(importlib.import_module(f"purge_conformance.conformance.test_{module}"), name)
    STORIES[where](story)
    repeat(story, where)
    lost = repetition_name(where, 2)
    story.exchanges[:] = [
        replace(x, status=None, body=b"") if (x.experiment, x.step) == (lost, look) else x for x in story.exchanges
    ]
    judge(story.seen)
