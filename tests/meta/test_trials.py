"""Trials: every plain purge between two looks, whichever experiment sent it, and what each of them is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.assertions import Inconclusive
from purge_conformance.analysis.history import destroyed_guids, gets_of_destroyed_events
from purge_conformance.analysis.purge_series import (
    plain_purges,
    require_first_purges,
    require_observed_purges,
    require_plain_purges_correct,
)
from purge_conformance.catalogue.api import PURGE_PATH

if TYPE_CHECKING:
    from conftest import Story

    Row = dict[str, Any]


def act(story: Story, **more: Any) -> None:  # noqa: ANN401 -- of Story.say
    """Add the start of an app by the suite."""
    story.say("lifecycle", "start", method="POST", path="/v3/apps/a/actions/start", **more)


def look(story: Story, experiment: str, step: str, *events: str, a: str = "STARTED") -> None:
    """Add a look at events, seen with the app `a` and its process."""
    story.look(experiment, step, [story.event(guid, "a") for guid in events], [story.app("a", a)])


def watched(story: Story, experiment: str, before: list[str], after: list[str], **more: Any) -> None:  # noqa: ANN401
    """Add a purge between two looks."""
    look(story, experiment, "before", *before)
    story.purge(experiment, **more)
    look(story, experiment, "after", *after)


def test_every_watched_purge_is_a_trial(story: Story) -> None:
    """Every plain purge between two looks is a trial, whoever sent it, and so is one that shares its look."""
    watched(story, "purge", ["old"], ["a"])
    story.purge("again")
    look(story, "again", "after", "a")
    act(story)
    watched(story, "whatever", ["a", "new"], ["a", "new"])
    found = require_observed_purges(story.seen)
    assert [trial.request.experiment for trial in found] == ["purge", "again", "whatever"]
    assert [set(trial.surviving_events) for trial in found] == [set(), set(), {"new"}]


@pytest.mark.parametrize(
    "more",
    [
        {"status": 500},
        {"status": 401},
        {"status": None},
        {"role": "global_auditor"},
        {"request_body": "{}"},
        {"path": f"{PURGE_PATH}?a=b"},
        {"tags": {"superseded": "unavailable"}},
    ],
)
def test_other_purges_are_no_trials(more: Any, story: Story) -> None:  # noqa: ANN401 -- of Story.say
    """A purge that did not succeed, that somebody else sent, or that is no plain one is no trial."""
    watched(story, "purge", ["old"], ["a"])
    look(story, "odd", "before", "x")
    story.say("odd", "purge", method="POST", **{"path": PURGE_PATH, **more})
    look(story, "odd", "after", "x")
    assert [trial.request.experiment for trial in require_observed_purges(story.seen)] == ["purge"]


@pytest.mark.parametrize("disturbance", ["a purge", "a start after it", "a start at the same time"])
def test_disturbed_purge_is_no_trial(disturbance: str, story: Story) -> None:
    """A purge is no trial if another, or a change that did not end before it, lies between the same looks."""
    watched(story, "purge", ["old"], ["a"])
    look(story, "race", "before", "x")
    if disturbance == "a start at the same time":
        act(story, elapsed=5.0)
    story.purge("race")
    if disturbance == "a purge":
        story.purge("race")
    if disturbance == "a start after it":
        act(story)
    look(story, "race", "after", "a")
    assert len(require_observed_purges(story.seen)) == 1


def test_purge_right_after_another_is_told(story: Story) -> None:
    """A purge is one again if the suite did nothing since the last; a refused purge, and reading, is nothing."""
    watched(story, "purge", ["old"], ["a"])
    story.purge("refused", role="none", status=401)
    watched(story, "again", ["a"], ["a"])
    act(story)
    watched(story, "later", ["a", "new"], ["a"])
    assert [trial.is_repeat for trial in require_observed_purges(story.seen)] == [False, True, False]
    assert [trial.request.experiment for trial in require_first_purges(story.seen)] == ["purge", "later"]
    assert [is_again for _, is_again in plain_purges(story.seen)] == [False, True, False]


def test_purges_at_once_are_left_out(story: Story) -> None:
    """Of purges that were under way at the same time none is judged by its status."""
    story.purge("parallel", tags={"at_once": "first"})
    story.purge("late")
    assert [request.experiment for request, _ in plain_purges(story.seen)] == ["late"]


def test_app_that_was_otherwise_is_unsettled(story: Story) -> None:
    """An app is settled as long as no earlier look of the run showed it in another state."""
    watched(story, "purge", ["old"], ["a"])
    look(story, "lifecycle", "end", "a", a="STOPPED")
    act(story)
    watched(story, "changed", ["a", "new"], ["a"])
    first, later = require_observed_purges(story.seen)
    assert (first.state_changed_earlier, set(first.constant_apps)) == (set(), {"a"})
    assert (later.state_changed_earlier, later.constant_apps, later.started_apps) == ({"a"}, {}, ["a"])


def test_unwatched_purge_says_why(story: Story) -> None:
    """Where no purge could be seen, the reason is that of the first."""
    watched(story, "purge", ["old"], ["a"], status=500)
    with pytest.raises(Inconclusive, match="did not succeed: 500"):
        require_observed_purges(story.seen)


def test_looks_are_judged(story: Story) -> None:
    """A judgment that asks for the trials has looked at the purges and at the lists around them."""
    watched(story, "purge", ["old"], ["a"])
    seen = story.seen
    require_observed_purges(seen)
    assert {x.n for x in story.exchanges if x.step in {"purge", "after.events", "before.events"}} <= set(
        seen.read_exchanges
    )


@pytest.mark.parametrize(("after", "whole"), [(["a"], True), (["a", "new"], False), ([], False), (["x"], False)])
def test_broken_trial_is_named_elsewhere(after: list[str], *, whole: bool, story: Story) -> None:
    """What is wrong in special circumstances can be put down to them only while plain purges are whole."""
    watched(story, "purge", ["old"], ["a"])
    act(story)
    watched(story, "changed", ["a", "new"], after)
    if whole:
        require_plain_purges_correct(story.seen)
    else:
        with pytest.raises(Inconclusive, match="PURGE-03 and SEED"):
            require_plain_purges_correct(story.seen)


def test_destroyed_event_is_asked_for(story: Story) -> None:
    """A get of an event that a purge destroyed counts where the same experiment sent it, and before the next purge."""
    watched(story, "purge", ["old"], ["a"])
    gets = [story.say("purge", "destroyed", path="/v3/app_usage_events/old", status=200, data={"guid": "old"})]
    story.say("purge", "seeded", path="/v3/app_usage_events/a", data={"guid": "a"})
    story.say("late", "destroyed", path="/v3/app_usage_events/old", status=404)
    story.purge("again")
    story.say("purge", "destroyed", path="/v3/app_usage_events/old", status=404)
    assert list(gets_of_destroyed_events(story.seen)) == gets
    assert destroyed_guids(story.seen) == {}
