"""Judgments of sequences on evidence."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import Inconclusive, RequirementViolated
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.catalogue.model import Profile
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Place, Scenario, Step
from purge_conformance.report.model import Cause, Finding, Outcome, Tally

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.view import JudgmentView


Row = dict[str, Any]
JUDGMENT = importlib.import_module("purge_conformance.conformance.test_sequences").test_list_matches_model


def finding_of(seen: JudgmentView) -> Finding:
    """Return the finding of the judgment."""
    with pytest.raises(RequirementViolated) as caught:
        JUDGMENT(seen)
    (finding,) = caught.value.findings
    return finding


def add_sequence(builder: EvidenceBuilder, number: int, *steps: tuple[str, list[Row]], shorter: bool = False) -> None:
    """Add a sequence with these steps, each with the list after it."""
    plan = notes.SequencePlan(number, tuple(words for words, _ in steps), processes=1, shorter=shorter)
    builder.add_note(Scenario.SEQUENCES, notes.SEQUENCE, plan)
    for position, (words, rows) in enumerate(steps, 1):
        refused = words.startswith("purge as")
        state = "STOPPED" if words.startswith("stop") else "STARTED"
        answered: dict[str, Any] = {"status": 401, "role": "none"} if refused else {}
        builder.add_exchange(
            Scenario.SEQUENCES,
            Place(Step.ACTION, sequence=number, position=position),
            method="POST",
            path=PURGE_PATH if words.startswith("purge") else "/v3/apps",
            data={} if words.startswith("purge") else {"guid": "A", "state": state},
            **answered,
        )
        place = Place(Step.LIST_AFTER_ACTION, 0, sequence=number, position=position)
        builder.add_list(Scenario.SEQUENCES, place, rows)


def event(guid: str, app: str, created_at: str = "2026-07-01T12:00:00Z") -> Row:
    """Return an event in a list."""
    return {"guid": guid, "created_at": created_at, "app": {"guid": app}, "task": {"guid": None}}


RIGHT: tuple[tuple[str, list[Row]], ...] = (
    ("create a", []),
    ("start a", [event("s", "A")]),
    ("purge", [event("A", "A")]),
)
WRONG: tuple[tuple[str, list[Row]], ...] = (*RIGHT[:2], ("purge", []))


def with_first_purge(builder: EvidenceBuilder, *, seeded: list[Row] | None = None) -> EvidenceBuilder:
    """Return evidence of an organization, a space and a purge, which is correct unless other events are seeded."""
    name = "purge-conformance-0a1b2c3d-a"
    for path in ("/v3/organizations", "/v3/spaces"):
        body = f'{{"name": "{name}"}}'
        builder.add_exchange(
            Scenario.FOUNDATION, Step.CREATE, method="POST", path=path, request_body=body, data={"guid": path[4:]}
        )
    builder.add_snapshot(Scenario.PURGE, BEFORE, [], [builder.app("b")])
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [event("b", "b")] if seeded is None else seeded, [builder.app("b")])
    return builder


def test_agreeing_sequence_passes(builder: EvidenceBuilder) -> None:
    """Sequences that agree with the model pass."""
    add_sequence(with_first_purge(builder), 1, *RIGHT)
    JUDGMENT(builder.judgment_view)


def test_creation_may_be_recorded(builder: EvidenceBuilder) -> None:
    """An event of a created, unchanged app agrees with the model until a purge."""
    made = [event("c", "A")]
    add_sequence(with_first_purge(builder), 1, *RIGHT)
    add_sequence(builder, 2, ("create a", made), ("purge as none", made), ("purge", []))
    JUDGMENT(builder.judgment_view)
    add_sequence(builder, 3, ("create a", made), ("purge", []), ("purge as none", [event("x", "A")]))
    assert "it did not change" in finding_of(builder.judgment_view).expected


def test_disagreeing_sequence_fails(builder: EvidenceBuilder) -> None:
    """A sequence that disagrees fails, and the finding shows the shortest one."""
    add_sequence(with_first_purge(builder), 1, RIGHT[0], ("purge as none", []), *WRONG[1:])
    add_sequence(builder, 2, *WRONG, shorter=True)
    assert "did not recur" not in finding_of(builder.judgment_view).got
    assert finding_of(builder.judgment_view).expected.startswith(
        "after step 3 of 3, purge: an event with the guid of a"
    )


def test_unrepeated_disagreement_is_reported(builder: EvidenceBuilder) -> None:
    """A disagreement that is not reproduced is reported with its own sequence, and with the doubt."""
    add_sequence(with_first_purge(builder), 1, *WRONG)
    add_sequence(builder, 2, *RIGHT, shorter=True)
    assert finding_of(builder.judgment_view).got == "none; it did not recur in 1 more sequences"


def test_single_disagreement_is_flaky(builder: EvidenceBuilder) -> None:
    """A repeated sequence that disagrees once is failed as flaky, with an exchange of each."""
    add_sequence(with_first_purge(builder), 1, *RIGHT)
    add_sequence(builder, 2, *WRONG)
    seen = builder.judgment_view
    finding = finding_of(seen)
    assert seen.tally == Tally(trials=2, failures=1, is_flaky=True)
    places = {x.n: x.place for x in builder.exchanges}
    assert (places[finding.exchange or 0], places[finding.passing_exchange or 0]) == (
        Place(Step.LIST_AFTER_ACTION, 0, sequence=2, position=3),
        Place(Step.ACTION, sequence=1, position=3),
    )


def test_simpler_requirement_is_named(builder: EvidenceBuilder) -> None:
    """If plain purges do not seed either, the engine names that requirement instead."""
    add_sequence(with_first_purge(builder, seeded=[]), 1, *WRONG)
    with pytest.raises(RequirementViolated) as caught:
        JUDGMENT(builder.judgment_view)
    assert caught.value.case == "listed-events"
    (model,) = catalogue.select_requirements([Profile.CORE], ["MODEL-01"])
    result = RunBuilder(builder.evidence, {model.id: model}).record(model.id, caught.value, None, 0)
    assert (result.outcome, "SEED-01" in result.reason) == (Outcome.INCONCLUSIVE, True)


def test_foreign_purge_is_a_race(builder: EvidenceBuilder) -> None:
    """If every recorded event disappears once, a foreign client purged."""
    lost = ("purge as none", [event("A", "A", "2026-07-01T12:00:09Z")])
    add_sequence(with_first_purge(builder), 1, *RIGHT, ("stop a", [event("A", "A"), event("t", "A")]), lost)
    with pytest.raises(Inconclusive) as caught:
        JUDGMENT(builder.judgment_view)
    assert caught.value.cause is Cause.RACE


STOPPED_BY_OTHERS = {**event("x", "A"), "state": {"previous": "STARTED", "current": "STOPPED"}}


@pytest.mark.parametrize(
    ("row", "again", "fails"),
    [
        (STOPPED_BY_OTHERS, None, False),
        (STOPPED_BY_OTHERS, "create c", False),  # after another step
        (STOPPED_BY_OTHERS, "create b", True),  # after the same step
        (event("x", "A"), None, True),  # no stop
    ],
)
def test_app_that_others_stopped_once_does_not_fail(
    row: Row, again: str | None, builder: EvidenceBuilder, *, fails: bool
) -> None:
    """A stop that the suite did not request is another client's, unless it comes after the same step again."""
    add_sequence(builder, 1, *RIGHT, ("create b", [event("A", "A"), row]))
    if again:
        add_sequence(builder, 2, *RIGHT, (again, [event("A", "A"), row]), shorter=True)
    with pytest.raises(RequirementViolated if fails else Inconclusive):
        JUDGMENT(with_first_purge(builder).judgment_view)
