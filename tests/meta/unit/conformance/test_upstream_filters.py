"""Judgments of the filters that Cloud Foundry's documentation excludes, and of a 502 with one error."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.error_format import has_errors
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.scenarios.listing import REFUSED_UPSTREAM_QUERIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.view import JudgmentView

judgments = importlib.import_module("purge_conformance.conformance.test_upstream_filters")
FILTERS = (
    judgments.test_fraction_of_a_second_is_rejected,
    judgments.test_several_times_with_operator_are_rejected,
    judgments.test_updated_ats_is_rejected,
)
ERROR = {"code": 10001, "title": "UnknownError", "detail": "An external service failed"}


def add_queries(builder: EvidenceBuilder, status: int) -> None:
    """Add each query that Cloud Foundry refuses, answered with a status."""
    for query in REFUSED_UPSTREAM_QUERIES:
        builder.add_exchange(Scenario.LISTS, Step.UNSPECIFIED_QUERY, path=f"{EVENTS_PATH}?{query}", status=status)


@pytest.mark.parametrize("judge", FILTERS)
@pytest.mark.parametrize("status", [200, 404, 500])
def test_accepted_filter_fails(judge: Callable[[JudgmentView], None], status: int, builder: EvidenceBuilder) -> None:
    """A filter that is accepted, or fails, is a finding."""
    add_queries(builder, status)
    with pytest.raises(RequirementViolated):
        judge(builder.judgment_view)


@pytest.mark.parametrize("judge", FILTERS)
@pytest.mark.parametrize("status", [400, 422])
def test_rejected_filter_passes(judge: Callable[[JudgmentView], None], status: int, builder: EvidenceBuilder) -> None:
    """A filter that is rejected passes, and each of its cases is counted."""
    add_queries(builder, status)
    view = builder.judgment_view
    judge(view)
    assert view.cases


@pytest.mark.parametrize(
    ("judge", "accepted"),
    [
        (FILTERS[0], "created_ats=2020-06-30T23:49:04Z,2020-06-30T23:49:05.5Z"),
        *((FILTERS[2], f"updated_ats%5B{operator}%5D=2020-06-30T23:49:04Z") for operator in ("lt", "gte", "lte")),
    ],
)
def test_one_accepted_filter_fails(
    judge: Callable[[JudgmentView], None], accepted: str, builder: EvidenceBuilder
) -> None:
    """A single filter that is accepted is a finding, also where all others are rejected."""
    for query in REFUSED_UPSTREAM_QUERIES:
        status = 200 if query == accepted else 422
        builder.add_exchange(Scenario.LISTS, Step.UNSPECIFIED_QUERY, path=f"{EVENTS_PATH}?{query}", status=status)
    with pytest.raises(RequirementViolated):
        judge(builder.judgment_view)


@pytest.mark.parametrize(("status", "is_finding"), [(422, False), (404, False), (400, False), (200, True)])
def test_purged_anchor_is_rejected(status: int, is_finding: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- a parameter of the test
    """A list after a purged event is rejected, also with 404."""
    path = f"{EVENTS_PATH}?after_guid=old&per_page=50"
    builder.add_exchange(Scenario.PURGE, Step.SEARCH_DESTROYED, path=path, status=status)
    if is_finding:
        with pytest.raises(RequirementViolated):
            judgments.test_purged_anchor_is_rejected(builder.judgment_view)
    else:
        judgments.test_purged_anchor_is_rejected(builder.judgment_view)


@pytest.mark.parametrize(("status", "is_documented"), [(502, True), (500, False)])
def test_bad_gateway_may_be_one_error(status: int, is_documented: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- a parameter of the test
    """A 502 may hold one error instead of a list; another status may not."""
    assert has_errors(builder.add_exchange(Scenario.LISTS, Step.LIST, status=status, data=ERROR)) == is_documented
