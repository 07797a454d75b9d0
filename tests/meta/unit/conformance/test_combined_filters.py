"""A list with several filters: each filter is judged separately."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.evidence.records import ListEnd
from purge_conformance.evidence.steps import Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.view import JudgmentView

judged = importlib.import_module("purge_conformance.conformance.test_list_filters")
FILTERS: dict[str, Callable[[JudgmentView], None]] = {
    "guids": judged.test_guids_filter_is_exact,
    "created_ats": judged.test_created_ats_filter_is_exact,
    "order_by": judged.test_list_is_sorted,
}
TIMES = {"one": "2026-07-01T12:00:01Z", "two": "2026-07-01T12:00:02Z", "late": "2026-07-01T12:00:09Z"}


def filtered_lists(builder: EvidenceBuilder, *listed: str) -> JudgmentView:
    """Add correct lists with one filter each, and a list with all filters that shows these events."""
    rows = {guid: builder.event(guid, "app", at) for guid, at in {**TIMES, "other": TIMES["one"]}.items()}
    by_time = sorted(rows.values(), key=lambda row: row["created_at"])
    parameters = {"guids": ",".join(TIMES), "created_ats[lt]": TIMES["late"], "order_by": "-created_at"}
    builder.add_list(Scenario.LISTS, Step.OPENING, by_time)
    for where, found, query in (
        (Step.ASCENDING, by_time, {"order_by": "created_at"}),
        (Step.DESCENDING, by_time[::-1], {"order_by": "-created_at"}),
        (Place(Step.FILTER_GUIDS, 0), [rows["one"]], {"guids": "one"}),
        (Place(Step.FILTER_CREATED_ATS, 0), [rows["late"]], {"created_ats": TIMES["late"]}),
        (Place(Step.COMBINED_FILTERS, 0), [rows[guid] for guid in listed], parameters),
    ):
        page = builder.add_page(Scenario.LISTS, where, found, **query)
        builder.list_ends.append(ListEnd(Scenario.LISTS, page.place, complete=True))
    builder.add_list(Scenario.LISTS, Step.CLOSING, by_time)
    return builder.judgment_view


@pytest.mark.parametrize(
    ("listed", "broken"),
    [
        (("two", "one"), set()),
        (("two", "one", "other"), {"guids"}),
        (("late", "two", "one"), {"created_ats"}),
        (("one", "two"), {"order_by"}),
        (("late", "one", "two", "other"), {"guids", "created_ats", "order_by"}),
    ],
)
def test_each_filter_is_judged_separately(listed: tuple[str, ...], broken: set[str], builder: EvidenceBuilder) -> None:
    """An event that one filter excludes breaks the requirement of that filter alone."""
    seen, found = filtered_lists(builder, *listed), set()
    for name, test in FILTERS.items():
        try:
            test(seen)
        except RequirementViolated:
            found.add(name)
    assert found == broken
