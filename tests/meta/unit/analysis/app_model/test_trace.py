"""A history against the model: incorrect lists disagree, allowed ones agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.app_model.expectations import DisagreementKind
from purge_conformance.analysis.app_model.state import Step as SequenceStep
from purge_conformance.analysis.app_model.trace import ExecutedStep, SequenceTrace
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence import steps
from purge_conformance.evidence.listing import build_listing
from purge_conformance.evidence.steps import Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.records import Exchange

Row = dict[str, Any]
AT = "2026-07-01T12:00:00Z"
LATER = "2026-07-01T12:00:09Z"


def seeded_event(app: str = "A", **more: object) -> Row:
    """Return the seeded event of an app."""
    return {"guid": app, "created_at": AT, "app": {"guid": app}, "task": {"guid": None}, **more}


def recorded_event(guid: str, app: str = "A", created_at: str = LATER) -> Row:
    """Return a recorded event."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


def action_place(position: int) -> Place:
    """Return the place of an action of the first sequence."""
    return Place(Step.ACTION, sequence=1, position=position)


def add_listed(builder: EvidenceBuilder, position: int, rows: list[Row]) -> Exchange:
    """Add the list after an action of the first sequence."""
    place = Place(Step.LIST_AFTER_ACTION, 0, sequence=1, position=position)
    return builder.add_page(Scenario.SEQUENCES, place, rows)


def executed_steps(
    builder: EvidenceBuilder,
    *parts: tuple[str, list[Row]],
    processes: int = 1,
    **last: Any,  # noqa: ANN401 -- members of ExecutedStep
) -> SequenceTrace:
    """Return the history of steps, each with the list after it; `last` describes the last step."""
    history = SequenceTrace(processes)
    for position, (words, rows) in enumerate(steps, 1):
        step = SequenceStep.parse(words)
        refused = words.startswith("purge as")
        answer = builder.add_exchange(
            Scenario.SEQUENCES,
            action_place(position),
            status=401 if refused else 200,
            data={"guid": step.argument.upper()},
        )
        listing = build_listing([add_listed(builder, position, rows)], reached_end=True)
        guid = step.argument.upper() if words.startswith("create") else None
        history = history.with_step(
            ExecutedStep(position, step, answer, listing, created_guid=guid, **(last if position == len(steps) else {}))
        )
    return history


BEGIN: tuple[tuple[str, list[Row]], ...] = (
    ("create a", []),
    ("start a", [recorded_event("s")]),
    ("purge", [seeded_event()]),
)
LEGAL: dict[str, tuple[tuple[str, list[Row]], ...]] = {
    "stop is recorded": (("stop a", [seeded_event(), recorded_event("t")]), ("purge", [])),
    "several events of one change": (("stop a", [seeded_event(), recorded_event("t"), recorded_event("u")]),),
    "start of the started is recorded": (("start a", [seeded_event(), recorded_event("t")]),),
    "start of the started is not": (("start a", [seeded_event()]),),
    "scaling of the stopped is recorded": (
        ("stop a", [seeded_event(), recorded_event("t")]),
        ("scale a instances=3", [seeded_event(), recorded_event("t"), recorded_event("u")]),
    ),
    "scaling to the same size is not": (("scale a instances=1", [seeded_event()]),),
    "stop of what has no instance is not": (
        ("scale a instances=0", [seeded_event(), recorded_event("t")]),
        ("stop a", [seeded_event(), recorded_event("t")]),
    ),
    "deletion takes the events along": (("delete a", []), ("purge", [])),
    "deletion records a stop": (("delete a", [seeded_event(), recorded_event("t")]), ("purge", [])),
    "others do what they like": (
        ("purge as none", [seeded_event(), seeded_event("X"), recorded_event("x", "X")]),
        ("purge", [seeded_event()]),
    ),
}


@pytest.mark.parametrize("steps", LEGAL.values(), ids=LEGAL)
def test_legal_history_agrees(steps: tuple[tuple[str, list[Row]], ...], builder: EvidenceBuilder) -> None:
    """Documented and unspecified behaviour agrees."""
    assert executed_steps(builder, *BEGIN, *steps).disagreement is None


WRONG: dict[str, tuple[DisagreementKind, tuple[tuple[str, list[Row]], ...]]] = {
    "started app not seeded": (DisagreementKind.WRONG_SEED, (("purge", []),)),
    "stopped app seeded": (
        DisagreementKind.WRONG_SEED,
        (("stop a", [seeded_event(), recorded_event("t")]), ("purge", [seeded_event()])),
    ),
    "deleted app seeded": (DisagreementKind.WRONG_SEED, (("delete a", [seeded_event()]), ("purge", [seeded_event()]))),
    "other guid": (DisagreementKind.WRONG_SEED, (("purge", [recorded_event("t")]),)),
    "seeded twice": (DisagreementKind.WRONG_SEED, (("purge", [seeded_event(), recorded_event("t")]),)),
    "recorded event kept": (
        DisagreementKind.EVENT_SURVIVED,
        (("stop a", [seeded_event(), recorded_event("t")]), ("purge", [recorded_event("t")])),
    ),
    "event of a deleted app kept": (
        DisagreementKind.EVENT_SURVIVED,
        (("delete a", [seeded_event(), recorded_event("t")]), ("purge", [recorded_event("t")])),
    ),
    "stop not recorded": (DisagreementKind.CHANGE_UNRECORDED, (("stop a", [seeded_event()]),)),
    "second change not recorded": (
        DisagreementKind.CHANGE_UNRECORDED,
        (("stop a", [seeded_event(), recorded_event("t")]), ("start a", [seeded_event(), recorded_event("t")])),
    ),
    "seeded event gone": (DisagreementKind.EVENT_LOST, (("stop a", [recorded_event("t")]),)),
    "recorded event gone": (
        DisagreementKind.EVENT_LOST,
        (("stop a", [seeded_event(), recorded_event("t")]), ("purge as none", [seeded_event()])),
    ),
    "seeded anew without a purge": (
        DisagreementKind.EVENT_LOST,
        (("purge as none", [seeded_event(created_at=LATER)]),),
    ),
    "seeded event rewritten": (
        DisagreementKind.SEED_REWRITTEN,
        (("stop a", [seeded_event(state="STOPPED"), recorded_event("t")]),),
    ),
    "event of nothing": (
        DisagreementKind.UNEXPECTED_EVENT,
        (("purge as none", [seeded_event(), recorded_event("t")]),),
    ),
}


@pytest.mark.parametrize(("kind", "steps"), WRONG.values(), ids=WRONG)
def test_wrong_history_disagrees(
    kind: DisagreementKind, steps: tuple[tuple[str, list[Row]], ...], builder: EvidenceBuilder
) -> None:
    """Each incorrect list disagrees at the last step, with its kind."""
    disagreement = executed_steps(builder, *BEGIN, *steps).disagreement
    assert disagreement
    assert (disagreement.kind, disagreement.position, str(disagreement.step)) == (
        kind,
        len(BEGIN) + len(steps),
        steps[-1][0],
    )


def test_each_process_may_be_seeded(builder: EvidenceBuilder) -> None:
    """With two processes per app, two seeded events agree, and seeded events may stay."""
    two = [seeded_event(), recorded_event("w", created_at=AT)]
    begin = (BEGIN[0], ("start a", [recorded_event("s"), recorded_event("t")]), ("purge", two), ("purge", two))
    assert executed_steps(builder, *begin, processes=2).disagreement is None
    disagreement = executed_steps(builder, *begin, processes=1).disagreement
    assert disagreement
    assert disagreement.kind is DisagreementKind.WRONG_SEED


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [
        ("purge", 500, DisagreementKind.PURGE_FAILED),
        ("purge", 409, DisagreementKind.PURGE_FAILED),
        ("purge as none", 200, DisagreementKind.PURGE_NOT_REJECTED),
    ],
)
def test_wrong_answer_disagrees(words: str, status: int, kind: DisagreementKind, builder: EvidenceBuilder) -> None:
    """A purge that fails disagrees, and so does one that should be rejected and is not."""
    taken = ExecutedStep(
        1, SequenceStep.parse(words), builder.add_exchange(Scenario.SEQUENCES, action_place(1), status=status)
    )
    disagreement = SequenceTrace().with_step(taken).disagreement
    assert disagreement
    assert disagreement.kind is kind


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_unanswered_step_ends_sequence(status: int | None, builder: EvidenceBuilder) -> None:
    """After a step without a response the state is unknown: the sequence ends, and nothing disagrees."""
    history = SequenceTrace().with_step(
        ExecutedStep(
            1, SequenceStep.parse("purge"), builder.add_exchange(Scenario.SEQUENCES, action_place(1), status=status)
        )
    )
    assert (history.disagreement, history.is_finished, bool(history.abort_reason)) == (None, True, True)


def test_rejected_change_is_ignored(builder: EvidenceBuilder) -> None:
    """A rejected start changes nothing in the model."""
    history = executed_steps(builder, *BEGIN[:1])
    taken = ExecutedStep(
        2, SequenceStep.parse("start a"), builder.add_exchange(Scenario.SEQUENCES, action_place(2), status=422, data={})
    )
    assert history.with_step(taken).model == history.model


def test_unfinished_deletion_is_excluded(builder: EvidenceBuilder) -> None:
    """An app whose deletion did not finish is excluded."""
    history = executed_steps(builder, *BEGIN, ("delete a", [seeded_event()]), is_confirmed=False)
    listing = build_listing([add_listed(builder, 5, [seeded_event(), recorded_event("t")])], reached_end=True)
    assert (
        history.with_step(
            ExecutedStep(
                5, SequenceStep.parse("purge"), builder.add_exchange(Scenario.SEQUENCES, action_place(5)), listing
            )
        ).disagreement
        is None
    )


@pytest.mark.parametrize(
    ("rows", "others"), [([seeded_event(created_at=LATER)], True), ([recorded_event("x", "X")], False)]
)
def test_foreign_purge_is_suspected(rows: list[Row], others: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- expected
    """If no recorded event is left, of any app, another client may have purged."""
    recorded = [recorded_event("t"), recorded_event("x", "X")]
    disagreement = executed_steps(
        builder, *BEGIN, ("stop a", [seeded_event(), *recorded]), ("purge as none", rows)
    ).disagreement
    assert disagreement
    assert disagreement.suggests_foreign_purge is others


@pytest.mark.parametrize("rows", [[], [recorded_event("t", created_at=AT)]], ids=["left-out", "shown"])
def test_same_second_is_undecided(rows: list[Row], builder: EvidenceBuilder) -> None:
    """An event of the same second as a seeded event may come before or after it."""
    history = executed_steps(builder, *BEGIN, ("stop a", [seeded_event(), recorded_event("t", created_at=AT)]))
    page = builder.add_page(Scenario.SEQUENCES, action_place(5), rows, after_guid="A")
    taken = ExecutedStep(
        5, SequenceStep.parse("read by after_guid"), page, walks=(build_listing([page], reached_end=True),)
    )
    assert history.with_step(taken).disagreement is None


@pytest.mark.parametrize(
    ("query", "rows", "agrees"),
    [
        ({"guids": "A"}, [seeded_event()], True),
        ({"guids": "A"}, [], False),
        ({"guids": "A"}, [seeded_event(), recorded_event("t")], False),
        ({"guids": "A"}, [seeded_event(), recorded_event("x", "X")], True),
        ({"after_guid": "A"}, [recorded_event("t")], True),
        ({"after_guid": "A"}, [seeded_event(), recorded_event("t")], False),
        ({"after_guid": "A"}, [], False),
        ({"created_ats[gte]": LATER}, [recorded_event("t")], True),
        ({"created_ats[gte]": LATER}, [seeded_event(), recorded_event("t")], False),
        ({"order_by": "-created_at"}, [recorded_event("t"), seeded_event()], True),
        ({"order_by": "-created_at"}, [seeded_event(), recorded_event("t")], False),
        ({"per_page": 9}, [seeded_event()], False),
    ],
)
def test_filtered_read_matches_list(
    query: dict[str, Any],
    rows: list[Row],
    agrees: bool,  # noqa: FBT001 -- expected
    builder: EvidenceBuilder,
) -> None:
    """A read shows the suite's events that match its parameters, as in the complete list; others do not count."""
    history = executed_steps(builder, *BEGIN, ("stop a", [seeded_event(), recorded_event("t")]))
    page = builder.add_page(Scenario.SEQUENCES, action_place(5), rows, **query)
    taken = ExecutedStep(5, SequenceStep.parse("read by guids"), page, walks=(build_listing([page], reached_end=True),))
    assert (history.with_step(taken).disagreement is None) is agrees


def test_rejected_read_disagrees(builder: EvidenceBuilder) -> None:
    """A read without a list in its response disagrees."""
    history = executed_steps(builder, *BEGIN)
    page = builder.add_exchange(Scenario.SEQUENCES, action_place(4), path=f"{EVENTS_PATH}?guids=A", status=500)
    disagreement = history.with_step(
        ExecutedStep(4, SequenceStep.parse("read by guids"), page, walks=(build_listing([page], reached_end=True),))
    ).disagreement
    assert disagreement
    assert disagreement.kind is DisagreementKind.WRONG_READ
