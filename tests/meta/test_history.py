"""Holding a target against the model: what disagrees, and what is legal and does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.app_model.expectations import Kind
from purge_conformance.analysis.app_model.state import Step
from purge_conformance.analysis.app_model.trace import History, Taken
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.listing import build_listing

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

Row = dict[str, Any]
AT = "2026-07-01T12:00:00Z"
LATER = "2026-07-01T12:00:09Z"


def seed(app: str = "A", **more: object) -> Row:
    """Return the seeded event of an app."""
    return {"guid": app, "created_at": AT, "app": {"guid": app}, "task": {"guid": None}, **more}


def record(guid: str, app: str = "A", created_at: str = LATER) -> Row:
    """Return an event that was recorded."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


def played(builder: EvidenceBuilder, *steps: tuple[str, list[Row]], processes: int = 1, **last: Any) -> History:  # noqa: ANN401 -- of a Taken
    """Return the history of steps in words, each with the list after it; `last` is told of the last step."""
    history = History(processes)
    for place, (words, rows) in enumerate(steps, 1):
        step = Step.parse(words)
        refused = words.startswith("purge as")
        answer = builder.add_exchange(
            "sequences", words, status=401 if refused else 200, data={"guid": step.what.upper()}
        )
        look = build_listing([builder.add_page("sequences", "look", rows)], reached_end=True)
        guid = step.what.upper() if words.startswith("create") else None
        history = history.then(Taken(place, step, answer, look, guid=guid, **(last if place == len(steps) else {})))
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
def test_legal_agrees(steps: tuple[tuple[str, list[Row]], ...], builder: EvidenceBuilder) -> None:
    """What the documentation asks for, and what it is silent about, agrees."""
    assert played(builder, *BEGIN, *steps).found is None


WRONG: dict[str, tuple[Kind, tuple[tuple[str, list[Row]], ...]]] = {
    "started app not seeded": (Kind.SEEDED, (("purge", []),)),
    "stopped app seeded": (Kind.SEEDED, (("stop a", [seed(), record("t")]), ("purge", [seed()]))),
    "deleted app seeded": (Kind.SEEDED, (("delete a", [seed()]), ("purge", [seed()]))),
    "other guid": (Kind.SEEDED, (("purge", [record("t")]),)),
    "seeded twice": (Kind.SEEDED, (("purge", [seed(), record("t")]),)),
    "recorded event kept": (Kind.KEPT, (("stop a", [seed(), record("t")]), ("purge", [record("t")]))),
    "event of a deleted app kept": (Kind.KEPT, (("delete a", [seed(), record("t")]), ("purge", [record("t")]))),
    "stop not recorded": (Kind.UNRECORDED, (("stop a", [seed()]),)),
    "second change not recorded": (
        Kind.UNRECORDED,
        (("stop a", [seed(), record("t")]), ("start a", [seed(), record("t")])),
    ),
    "seeded event gone": (Kind.LOST, (("stop a", [record("t")]),)),
    "recorded event gone": (Kind.LOST, (("stop a", [seed(), record("t")]), ("purge as none", [seed()]))),
    "seeded anew without a purge": (Kind.LOST, (("purge as none", [seed(created_at=LATER)]),)),
    "seeded event rewritten": (Kind.REWRITTEN, (("stop a", [seed(state="STOPPED"), record("t")]),)),
    "event of nothing": (Kind.INVENTED, (("purge as none", [seed(), record("t")]),)),
}


@pytest.mark.parametrize(("kind", "steps"), WRONG.values(), ids=WRONG)
def test_wrong_disagrees(kind: Kind, steps: tuple[tuple[str, list[Row]], ...], builder: EvidenceBuilder) -> None:
    """Each way in which the list can be wrong disagrees, at the last step, and is told by its kind."""
    found = played(builder, *BEGIN, *steps).found
    assert found
    assert (found.kind, found.place, str(found.step)) == (kind, len(BEGIN) + len(steps), steps[-1][0])


def test_each_process_may_be_seeded(builder: EvidenceBuilder) -> None:
    """Where apps have two processes, two events are no event too many, and what was seeded may stay."""
    two = [seed(), record("w", created_at=AT)]
    begin = (BEGIN[0], ("start a", [record("s"), record("t")]), ("purge", two), ("purge", two))
    assert played(builder, *begin, processes=2).found is None
    found = played(builder, *begin, processes=1).found
    assert found
    assert found.kind is Kind.SEEDED


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [("purge", 500, Kind.FAILED), ("purge", 409, Kind.FAILED), ("purge as none", 200, Kind.ACCEPTED)],
)
def test_wrong_answer_disagrees(words: str, status: int, kind: Kind, builder: EvidenceBuilder) -> None:
    """A purge that fails disagrees, and so does one that is not refused."""
    taken = Taken(1, Step.parse(words), builder.add_exchange("sequences", words, status=status))
    found = History().then(taken).found
    assert found
    assert found.kind is kind


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_unanswered_step_ends_it(status: int | None, builder: EvidenceBuilder) -> None:
    """After a step that had no answer nobody knows what was done: the sequence ends there, and nothing disagrees."""
    history = History().then(Taken(1, Step.parse("purge"), builder.add_exchange("sequences", "purge", status=status)))
    assert (history.found, history.ended, bool(history.lost)) == (None, True, True)


def test_refused_change_is_none(builder: EvidenceBuilder) -> None:
    """A start that the target refuses changes nothing in the model."""
    history = played(builder, *BEGIN[:1])
    taken = Taken(2, Step.parse("start a"), builder.add_exchange("sequences", "start", status=422, data={}))
    assert history.then(taken).world == history.world


def test_unending_deletion_is_left_out(builder: EvidenceBuilder) -> None:
    """Nothing is said of an app whose deletion came to no end."""
    history = played(builder, *BEGIN, ("delete a", [seed()]), settled=False)
    look = build_listing([builder.add_page("sequences", "look", [seed(), record("t")])], reached_end=True)
    assert history.then(Taken(5, Step.parse("purge"), builder.add_exchange("sequences", "purge"), look)).found is None


@pytest.mark.parametrize(("rows", "others"), [([seed(created_at=LATER)], True), ([record("x", "X")], False)])
def test_purge_by_others_is_suspected(rows: list[Row], others: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- expected
    """Where no recorded event is left, whosoever it was, somebody else may have purged."""
    recorded = [record("t"), record("x", "X")]
    found = played(builder, *BEGIN, ("stop a", [seed(), *recorded]), ("purge as none", rows)).found
    assert found
    assert found.others is others


@pytest.mark.parametrize("rows", [[], [record("t", created_at=AT)]], ids=["left-out", "shown"])
def test_same_second_is_left_open(rows: list[Row], builder: EvidenceBuilder) -> None:
    """What was recorded in the second of a seeded event may come after it or not."""
    history = played(builder, *BEGIN, ("stop a", [seed(), record("t", created_at=AT)]))
    page = builder.add_page("sequences", "read", rows, after_guid="A")
    taken = Taken(5, Step.parse("read by after_guid"), page, reads=(build_listing([page], reached_end=True),))
    assert history.then(taken).found is None


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
def test_read_is_held_against_the_list(
    query: dict[str, Any], rows: list[Row], agrees: bool, builder: EvidenceBuilder
) -> None:  # noqa: FBT001 -- expected
    """A read shows the own events that its parameters ask for, as the whole list had them; others do not count."""
    history = played(builder, *BEGIN, ("stop a", [seed(), record("t")]))
    page = builder.add_page("sequences", "read", rows, **query)
    taken = Taken(5, Step.parse("read by guids"), page, reads=(build_listing([page], reached_end=True),))
    assert (history.then(taken).found is None) is agrees


def test_refused_read_disagrees(builder: EvidenceBuilder) -> None:
    """A read that is not answered with a list disagrees."""
    history = played(builder, *BEGIN)
    page = builder.add_exchange("sequences", "read", path=f"{EVENTS_PATH}?guids=A", status=500)
    found = history.then(
        Taken(4, Step.parse("read by guids"), page, reads=(build_listing([page], reached_end=True),))
    ).found
    assert found
    assert found.kind is Kind.READ
