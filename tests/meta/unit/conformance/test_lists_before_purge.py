"""Judgments of order and filters where all events have one time after the first purge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import JUDGMENTS, outcome_of
from purge_conformance.evidence.records import ListEnd
from purge_conformance.evidence.steps import Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder, Row

    Walks = dict[Step, list[str]]

EARLY = Scenario.LISTS_BEFORE_PURGE
TIMES = {"one": "2026-07-01T12:00:01Z", "two": "2026-07-01T12:00:02Z", "three": "2026-07-01T12:00:03Z"}
QUERIES = {
    Step.ASCENDING: {"order_by": "created_at"},
    Step.DESCENDING: {"order_by": "-created_at"},
    Step.FILTER_AFTER_GUID: {"after_guid": "two"},
    Step.FILTER_CREATED_ATS: {"created_ats[gt]": TIMES["one"], "created_ats[lt]": TIMES["three"]},
    Step.COMBINED_FILTERS: {"guids": "one,three", "created_ats[lt]": TIMES["three"], "order_by": "-created_at"},
}
CORRECT: Walks = {
    Step.ASCENDING: ["one", "two", "three"],
    Step.DESCENDING: ["three", "two", "one"],
    Step.FILTER_AFTER_GUID: ["three"],
    Step.FILTER_CREATED_ATS: ["two"],
    Step.COMBINED_FILTERS: ["one"],
}


def add_walk(builder: EvidenceBuilder, scenario: Scenario, step: Step, rows: list[Row]) -> None:
    """Add a list with the query of a step."""
    page = builder.add_page(scenario, Place(step, 0) if "FILTER" in step.name else step, rows, **QUERIES[step])
    builder.list_ends.append(ListEnd(scenario, page.place, complete=True))


def add_lists(builder: EvidenceBuilder, walks: Walks, *, closing: int = 3) -> None:
    """Add lists before the first purge, and after it those of seeded events, which have one time."""
    recorded = {guid: builder.event(guid, "app", at) for guid, at in TIMES.items()}
    builder.add_list(EARLY, Step.OPENING, list(recorded.values()))
    for step, guids in walks.items():
        add_walk(builder, EARLY, step, [recorded[guid] for guid in guids])
    builder.add_list(EARLY, Step.CLOSING, list(recorded.values())[:closing])
    builder.add_purge(Scenario.PURGE)
    seeds = [builder.event(app, app, "2026-07-01T12:00:30Z") for app in ("a", "b")]
    builder.add_list(Scenario.LISTS, Step.OPENING, seeds)
    for where, found, query in (
        (Step.ASCENDING, seeds, {"order_by": "created_at"}),
        (Step.DESCENDING, seeds, {"order_by": "-created_at"}),
        (Place(Step.FILTER_GUIDS, 0), seeds[:1], {"guids": "a"}),
        (Place(Step.FILTER_AFTER_GUID, 0), seeds[1:], {"after_guid": "a"}),
        (Place(Step.FILTER_CREATED_ATS, 0), seeds, {"created_ats": "2026-07-01T12:00:30Z"}),
    ):
        page = builder.add_page(Scenario.LISTS, where, found, **query)
        builder.list_ends.append(ListEnd(Scenario.LISTS, page.place, complete=True))
    builder.add_list(Scenario.LISTS, Step.CLOSING, seeds)


def test_cases_are_judged_before_the_first_purge(builder: EvidenceBuilder) -> None:
    """Correct lists are trials of the cases that need several times, or a recorded event."""
    add_lists(builder, CORRECT)
    expected = {
        "LIST-08": {"ascending", "descending"},
        "LIST-09": {"with-other-filters"},
        "LIST-10": {"two-operators", "with-other-filters"},
        "LIST-11": {"recorded-event"},
    }
    for name, cases in expected.items():
        view = builder.judgment_view
        JUDGMENTS[name](view)
        assert cases <= set(view.cases)


@pytest.mark.parametrize(
    ("step", "guids", "name"),
    [
        (Step.ASCENDING, ["two", "one", "three"], "LIST-08"),
        (Step.DESCENDING, ["one", "two", "three"], "LIST-08"),
        (Step.COMBINED_FILTERS, ["two", "one"], "LIST-09"),
        (Step.FILTER_CREATED_ATS, ["two", "three"], "LIST-10"),
        (Step.FILTER_AFTER_GUID, ["two", "three"], "LIST-11"),
    ],
)
def test_wrong_list_before_the_first_purge_fails(
    builder: EvidenceBuilder, step: Step, guids: list[str], name: str
) -> None:
    """A list that only the events before the first purge show to be wrong is a finding of its requirement alone."""
    add_lists(builder, CORRECT | {step: guids})
    failed = {each for each in ("LIST-08", "LIST-09", "LIST-10", "LIST-11") if outcome_of(builder, each) == "failed"}
    assert failed == {name}


def test_purge_by_others_meanwhile_leaves_the_later_lists(builder: EvidenceBuilder) -> None:
    """If events disappear while the early lists are read, the lists after the purge alone are judged."""
    add_lists(builder, CORRECT | {Step.ASCENDING: ["two", "one"]}, closing=2)
    assert outcome_of(builder, "LIST-08") == "not exercised"
    assert outcome_of(builder, "LIST-10") == "passed"


def test_lists_before_the_purge_suffice(builder: EvidenceBuilder) -> None:
    """If no event is listed after the purge, as no app is started, those before it are judged."""
    add_lists(builder, CORRECT)
    builder.exchanges = [x for x in builder.exchanges if x.scenario is not Scenario.LISTS]
    builder.add_list(Scenario.LISTS, Step.OPENING, [])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [])
    assert outcome_of(builder, "LIST-08") == "passed"
