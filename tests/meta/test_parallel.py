"""Purges at the same time: what is judged of them, what is only measured, and what reads the run as one sequence."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis import concurrent_reads as meanwhile
from purge_conformance.analysis.assertions import Inconclusive, NotExercised
from purge_conformance.analysis.history import complete_listings, has_purge_between, seed_observations
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.records import read
from purge_conformance.scenarios import concurrent_purges as parallel

if TYPE_CHECKING:
    from conftest import Story, Whole

judged = importlib.import_module("purge_conformance.conformance.test_parallel")
AT_ONCE = {"at_once": "first"}
SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD = {**SEEDED, "guid": "old"}


def purges(story: Story, *statuses: int | None, after: list[dict[str, object]] | None = None) -> None:
    """Add a purge by itself, and a round of purges with these statuses, of a started app and a stopped one."""
    apps = [story.app("a"), story.app("b", "STOPPED")]
    story.look("parallel", "alone.before", [OLD], apps)
    story.say("parallel", "alone", method="POST", path=PURGE_PATH)
    story.look("parallel", "alone.after", [SEEDED], apps)
    story.look("parallel", "first.before", [OLD, SEEDED], apps)
    for status in statuses:
        story.say("parallel", "first", method="POST", path=PURGE_PATH, status=status, tags=AT_ONCE)
    story.look("parallel", "first.after", [SEEDED] if after is None else after, apps)


@pytest.mark.parametrize("statuses", [(200, 200), (500, 200, 500), (200, 409), (503, 200), (200, 422, 429)])
def test_one_success_is_enough(story: Story, statuses: tuple[int, ...]) -> None:
    """However the others are answered, a round with one success is judged by what is left."""
    purges(story, *statuses)
    judged.test_no_event_survives(story.seen)
    judged.test_no_app_missing(story.seen)
    judged.test_no_app_twice(story.seen)
    judged.test_nothing_else_populated(story.seen)


@pytest.mark.parametrize("statuses", [(409, 503), (500, 500), (200, None)])
def test_round_without_success_is_open(story: Story, statuses: tuple[int | None, ...]) -> None:
    """A round in which none succeeded, or one was not answered, says nothing."""
    purges(story, *statuses, after=[])
    with pytest.raises(Inconclusive):
        judged.test_no_app_missing(story.seen)


def test_unfaithful_purge_says_nothing(story: Story) -> None:
    """Where a purge by itself is wrong, several are not judged."""
    purges(story, 200)
    story.look("parallel", "alone.after", [], [story.app("a")])
    story.exchanges[:] = [x for x in story.exchanges if (x.step, x.n > 9) != ("alone.after.events", False)]
    with pytest.raises(Inconclusive, match="by itself"):
        judged.test_no_app_missing(story.seen)


def test_nothing_tried_is_not_exercised(story: Story) -> None:
    """Where no purge was tried nothing is judged."""
    with pytest.raises(NotExercised):
        judged.test_no_event_survives(story.seen)


def test_sights_are_counted(story: Story) -> None:
    """What readers saw is told by kind: nothing, the list of before or of afterwards, a part, an event twice."""
    new = {**SEEDED, "guid": "n"}
    story.walk("parallel", "first.before.events", [OLD, SEEDED])
    for rows in ([], [], [OLD, SEEDED], [SEEDED, new], [SEEDED], [new, new], [OLD, new]):
        story.page("parallel", "first.reads", rows).tags.update(AT_ONCE)
    story.say("parallel", "first.reads", status=503, tags=AT_ONCE)
    story.walk("parallel", "first.after.events", [SEEDED, new])
    assert meanwhile.summarize_concurrent_reads(story.evidence) == (
        "nothing 2x, a part, or a mixture 2x, the list of before 1x, the list of afterwards 1x, "
        "an event twice 1x, status 503 1x"
    )


def test_rounds_have_their_names() -> None:
    """The view looks for the rounds that the experiment runs."""
    assert meanwhile.ROUNDS == parallel.ROUNDS


def test_sequences_leave_out_what_was_at_once(story: Story) -> None:
    """A list that was read beside purges is no step of a sequence, and one of several purges is always one between."""
    story.walk("purge", "after.events", [SEEDED])
    first = story.exchanges[-1]
    story.say("purge", "purge", method="POST", path=PURGE_PATH)
    story.say("parallel", "first", method="POST", path=PURGE_PATH, status=500, tags=AT_ONCE)
    story.walk("parallel", "first.reads", [SEEDED])
    story.exchanges[-1].tags.update(AT_ONCE)
    last = story.say("parallel", "settle", path=EVENTS_PATH)
    assert [found.exchanges[0].step for found in complete_listings(story.seen)] == ["after.events"]
    assert list(seed_observations(story.seen)) == []
    story.exchanges[:] = [x for x in story.exchanges if x.status == 500]
    assert has_purge_between(story.seen, first, last)


@pytest.mark.parametrize(("role", "is_so"), [("admin", True), ("none", False)])
@pytest.mark.parametrize("status", [None, 504])
def test_unanswered_purge_may_be_done(status: int | None, role: str, is_so: bool, story: Story) -> None:  # noqa: FBT001
    """An admin's purge that the target did not answer may be done; nobody else's may."""
    first = story.page("e", "before", [])
    story.say("e", "purge", method="POST", path=PURGE_PATH, status=status, role=role)
    assert has_purge_between(story.seen, first, story.page("e", "after", [])) is is_so


def test_evidence_is_read_by_number(whole: Whole) -> None:
    """However the answers came, evidence is in the order of sending."""
    numbers = [x.n for x in read(whole.folder).exchanges]
    assert numbers == sorted(numbers)
