"""Judgment UP-ROLE-04: what lists show to the roles that may not get events."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.outcomes import NotExercised, RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.view import JudgmentView

ROLE_TAGS = {Tag.CREDENTIAL: CredentialKind.VALID}
judge = importlib.import_module("purge_conformance.conformance.test_role_lists").test_lists_show_no_event_to_others


def build(  # noqa: PLR0913 -- what the evidence varies in
    builder: EvidenceBuilder,
    query: str = "",
    guids: tuple[str, ...] = (),
    *,
    total: int | None = None,
    role: str = "org_user",
    get_status: int = 404,
    exists: bool = True,
) -> JudgmentView:
    """Return evidence in which the admin's list shows an event, and that of a role shows these events."""
    builder.add_page(Scenario.READS, Step.LIST, [builder.event("e")] if exists else [])
    builder.add_exchange(
        Scenario.READS, Step.GET, path=f"{EVENTS_PATH}/e", status=get_status, role=role, tags=ROLE_TAGS, data={}
    )
    rows = [builder.event(guid) for guid in guids]
    builder.add_exchange(
        Scenario.READS,
        Step.FILTERED_LIST if query else Step.LIST,
        path=f"{EVENTS_PATH}?{query}",
        role=role,
        tags=ROLE_TAGS,
        data={"pagination": {"total_results": len(rows) if total is None else total}, "resources": rows},
    )
    return builder.judgment_view


@pytest.mark.parametrize("query", ["", "guids=e", "after_guid=a", "created_ats%5Blte%5D=2026-07-01T12:00:00Z"])
def test_listed_event_fails(query: str, builder: EvidenceBuilder) -> None:
    """An event in the list of such a role fails, whatever the query is."""
    with pytest.raises(RequirementViolated, match="no event in the list of org_user"):
        judge(build(builder, query, ("e",)))


def test_total_alone_fails(builder: EvidenceBuilder) -> None:
    """The number of all events tells such a role how many exist."""
    with pytest.raises(RequirementViolated, match="total_results 0"):
        judge(build(builder, total=7))


def test_total_says_nothing_where_totals_are_wrong(builder: EvidenceBuilder) -> None:
    """Where the total of the admin's list is wrong as well, LIST-02 is violated, and not the rule for other roles."""
    data = {"pagination": {"total_results": 8}, "resources": [builder.event("e")]}
    builder.add_exchange(Scenario.LISTS, Step.OPENING, path=EVENTS_PATH, data=data)
    judge(build(builder, total=7))


@pytest.mark.parametrize(
    ("query", "case"),
    [
        ("", "unfiltered"),
        ("guids=e,f", "guids"),
        ("guids=e", "one-guid"),
        ("after_guid=a", "after-guid"),
        ("order_by=x&per_page=1", "order"),
        ("order_by=x", "order-alone"),
        ("created_ats=x", "created-at"),
        ("created_ats[gt]=x", "created-later"),
        ("created_ats[gte]=x", "created-not-earlier"),
        ("created_ats[lt]=x", "created-earlier"),
        ("per_page=200", "large-page"),
        ("per_page=1&page=3", "later-page"),
    ],
)
def test_empty_list_passes(query: str, case: str, builder: EvidenceBuilder) -> None:
    """An empty list passes, and counts as a trial of its case."""
    view = build(builder, query)
    judge(view)
    assert len(view.cases[case]) == 1


@pytest.mark.parametrize("more", [{"role": "global_auditor"}, {"get_status": 200}, {"exists": False}])
def test_readers_are_left_out(more: dict[str, Any], builder: EvidenceBuilder) -> None:
    """A role that may get events may list them; and where no event exists, nothing can be shown."""
    with pytest.raises(NotExercised):
        judge(build(builder, "guids=e", ("e",), **more))
