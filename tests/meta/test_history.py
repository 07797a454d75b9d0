"""Holding a target against the model: what disagrees, and what is legal and does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.app_model.expectations import DisagreementKind
from purge_conformance.analysis.app_model.state import Step
from purge_conformance.analysis.app_model.trace import ExecutedStep, SequenceTrace
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.listing import build_listing

if TYPE_CHECKING:
    from conftest import Story

Row = dict[str, Any]
AT = "2026-07-01T12:00:00Z"
LATER = "2026-07-01T12:00:09Z"


def seed(app: str = "A", **more: object) -> Row:
    """Return the seeded event of an app."""
    return {"guid": app, "created_at": AT, "app": {"guid": app}, "task": {"guid": None}, **more}


def record(guid: str, app: str = "A", created_at: str = LATER) -> Row:
    """Return an event that was recorded."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


def played(story: Story, *steps: tuple[str, list[Row]], processes: int = 1, **last: Any) -> SequenceTrace:  # noqa: ANN401 -- of a Taken
    """Return the history of steps in words, each with the list after it; `last` is told of the last step."""
    history = SequenceTrace(processes)
    for place, (words, rows) in enumerate(steps, 1):
        step = Step.parse(words)
        refused = words.startswith("purge as")
        answer = story.say("sequences", words, status=401 if refused else 200, data={"guid": step.argument.upper()})
        look = build_listing([story.page("sequences", "look", rows)], reached_end=True)
        guid = step.argument.upper() if words.startswith("create") else None
        history = history.with_step(
            ExecutedStep(place, step, answer, look, created_guid=guid, **(last if place == len(steps) else {}))
        )
    return history


BEGIN: tuple[tuple[str, list[Row]], ...] = (("create a", []), ("start a", [record("s")]), ("purge", [seed()]))
LEGAL: dict[str, tuple[tuple[str, list[Row]], ...]] = {
    "stop is recorded": (("stop a", [seed(), record("t")]), ("purge", [])),
    "several events of one change": (("stop a", [seed(), record("t"), record("u")]),),
    "start of the started is recorded": (("start a", [seed(), record("t")]),),
    "start of the started is not": (("start a", [seed()]),),
    "scaling of the stopped is recorded": (
        ("stop a", [seed(), record("t")]),
        ("scale a instances=3", [seed(), record("t"), record("u")]),
    ),
    "scaling to the same size is not": (("scale a instances=1", [seed()]),),
    "stop of what has no instance is not": (
        ("scale a instances=0", [seed(), record("t")]),
        ("stop a", [seed(), record("t")]),
    ),
    "deletion takes the events along": (("delete a", []), ("purge", [])),
    "deletion records a stop": (("delete a", [seed(), record("t")]), ("purge", [])),
    "others do what they like": (("purge as none", [seed(), seed("X"), record("x", "X")]), ("purge", [seed()])),
}


@pytest.mark.parametrize("steps", LEGAL.values(), ids=LEGAL)
def test_legal_agrees(steps: tuple[tuple[str, list[Row]], ...], story: Story) -> None:
    """What the documentation asks for, and what it is silent about, agrees."""
    assert played(story, *BEGIN, *steps).disagreement is None


WRONG: dict[str, tuple[DisagreementKind, tuple[tuple[str, list[Row]], ...]]] = {
    "started app not seeded": (DisagreementKind.WRONG_SEED, (("purge", []),)),
    "stopped app seeded": (DisagreementKind.WRONG_SEED, (("stop a", [seed(), record("t")]), ("purge", [seed()]))),
    "deleted app seeded": (DisagreementKind.WRONG_SEED, (("delete a", [seed()]), ("purge", [seed()]))),
    "other guid": (DisagreementKind.WRONG_SEED, (("purge", [record("t")]),)),
    "seeded twice": (DisagreementKind.WRONG_SEED, (("purge", [seed(), record("t")]),)),
    "recorded event kept": (
        DisagreementKind.EVENT_SURVIVED,
        (("stop a", [seed(), record("t")]), ("purge", [record("t")])),
    ),
    "event of a deleted app kept": (
        DisagreementKind.EVENT_SURVIVED,
        (("delete a", [seed(), record("t")]), ("purge", [record("t")])),
    ),
    "stop not recorded": (DisagreementKind.CHANGE_UNRECORDED, (("stop a", [seed()]),)),
    "second change not recorded": (
        DisagreementKind.CHANGE_UNRECORDED,
        (("stop a", [seed(), record("t")]), ("start a", [seed(), record("t")])),
    ),
    "seeded event gone": (DisagreementKind.EVENT_LOST, (("stop a", [record("t")]),)),
    "recorded event gone": (
        DisagreementKind.EVENT_LOST,
        (("stop a", [seed(), record("t")]), ("purge as none", [seed()])),
    ),
    "seeded anew without a purge": (DisagreementKind.EVENT_LOST, (("purge as none", [seed(created_at=LATER)]),)),
    "seeded event rewritten": (DisagreementKind.SEED_REWRITTEN, (("stop a", [seed(state="STOPPED"), record("t")]),)),
    "event of nothing": (DisagreementKind.UNEXPECTED_EVENT, (("purge as none", [seed(), record("t")]),)),
}


@pytest.mark.parametrize(("kind", "steps"), WRONG.values(), ids=WRONG)
def test_wrong_disagrees(kind: DisagreementKind, steps: tuple[tuple[str, list[Row]], ...], story: Story) -> None:
    """Each way in which the list can be wrong disagrees, at the last step, and is told by its kind."""
    found = played(story, *BEGIN, *steps).disagreement
    assert found
    assert (found.kind, found.position, str(found.step)) == (kind, len(BEGIN) + len(steps), steps[-1][0])


def test_each_process_may_be_seeded(story: Story) -> None:
    """Where apps have two processes, two events are no event too many, and what was seeded may stay."""
    two = [seed(), record("w", created_at=AT)]
    begin = (BEGIN[0], ("start a", [record("s"), record("t")]), ("purge", two), ("purge", two))
    assert played(story, *begin, processes=2).disagreement is None
    found = played(story, *begin, processes=1).disagreement
    assert found
    assert found.kind is DisagreementKind.WRONG_SEED


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [
        ("purge", 500, DisagreementKind.PURGE_FAILED),
        ("purge", 409, DisagreementKind.PURGE_FAILED),
        ("purge as none", 200, DisagreementKind.PURGE_NOT_REJECTED),
    ],
)
def test_wrong_answer_disagrees(words: str, status: int, kind: DisagreementKind, story: Story) -> None:
    """A purge that fails disagrees, and so does one that is not refused."""
    taken = ExecutedStep(1, Step.parse(words), story.say("sequences", words, status=status))
    found = SequenceTrace().with_step(taken).disagreement
    assert found
    assert found.kind is kind


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_unanswered_step_ends_it(status: int | None, story: Story) -> None:
    """After a step that had no answer nobody knows what was done: the sequence ends there, and nothing disagrees."""
    history = SequenceTrace().with_step(
        ExecutedStep(1, Step.parse("purge"), story.say("sequences", "purge", status=status))
    )
    assert (history.disagreement, history.is_finished, bool(history.abort_reason)) == (None, True, True)


def test_refused_change_is_none(story: Story) -> None:
    """A start that the target refuses changes nothing in the model."""
    history = played(story, *BEGIN[:1])
    taken = ExecutedStep(2, Step.parse("start a"), story.say("sequences", "start", status=422, data={}))
    assert history.with_step(taken).model == history.model


def test_unending_deletion_is_left_out(story: Story) -> None:
    """Nothing is said of an app whose deletion came to no end."""
    history = played(story, *BEGIN, ("delete a", [seed()]), settled=False)
    look = build_listing([story.page("sequences", "look", [seed(), record("t")])], reached_end=True)
    assert (
        history.with_step(ExecutedStep(5, Step.parse("purge"), story.say("sequences", "purge"), look)).disagreement
        is None
    )


@pytest.mark.parametrize(("rows", "others"), [([seed(created_at=LATER)], True), ([record("x", "X")], False)])
def test_purge_by_others_is_suspected(rows: list[Row], others: bool, story: Story) -> None:  # noqa: FBT001 -- expected
    """Where no recorded event is left, whosoever it was, somebody else may have purged."""
    recorded = [record("t"), record("x", "X")]
    found = played(story, *BEGIN, ("stop a", [seed(), *recorded]), ("purge as none", rows)).disagreement
    assert found
    assert found.suggests_foreign_purge is others


@pytest.mark.parametrize("rows", [[], [record("t", created_at=AT)]], ids=["left-out", "shown"])
def test_same_second_is_left_open(rows: list[Row], story: Story) -> None:
    """What was recorded in the second of a seeded event may come after it or not."""
    history = played(story, *BEGIN, ("stop a", [seed(), record("t", created_at=AT)]))
    page = story.page("sequences", "read", rows, after_guid="A")
    taken = ExecutedStep(5, Step.parse("read by after_guid"), page, walks=(build_listing([page], reached_end=True),))
    assert history.with_step(taken).disagreement is None


@pytest.mark.parametrize(
    ("query", "rows", "agrees"),
    [
        ({"guids": "A"}, [seed()], True),
        ({"guids": "A"}, [], False),
        ({"guids": "A"}, [seed(), record("t")], False),
        ({"guids": "A"}, [seed(), record("x", "X")], True),
        ({"after_guid": "A"}, [record("t")], True),
        ({"after_guid": "A"}, [seed(), record("t")], False),
        ({"after_guid": "A"}, [], False),
        ({"created_ats[gte]": LATER}, [record("t")], True),
        ({"created_ats[gte]": LATER}, [seed(), record("t")], False),
        ({"order_by": "-created_at"}, [record("t"), seed()], True),
        ({"order_by": "-created_at"}, [seed(), record("t")], False),
        ({"per_page": 9}, [seed()], False),
    ],
)
def test_read_is_held_against_the_list(query: dict[str, Any], rows: list[Row], agrees: bool, story: Story) -> None:  # noqa: FBT001 -- expected
    """A read shows the own events that its parameters ask for, as the whole list had them; others do not count."""
    history = played(story, *BEGIN, ("stop a", [seed(), record("t")]))
    page = story.page("sequences", "read", rows, **query)
    taken = ExecutedStep(5, Step.parse("read by guids"), page, walks=(build_listing([page], reached_end=True),))
    assert (history.with_step(taken).disagreement is None) is agrees


def test_refused_read_disagrees(story: Story) -> None:
    """A read that is not answered with a list disagrees."""
    history = played(story, *BEGIN)
    page = story.say("sequences", "read", path=f"{EVENTS_PATH}?guids=A", status=500)
    found = history.with_step(
        ExecutedStep(4, Step.parse("read by guids"), page, walks=(build_listing([page], reached_end=True),))
    ).disagreement
    assert found
    assert found.kind is DisagreementKind.WRONG_READ
