"""Reads of the list with parameters, beside apps whose events are deleted with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.app_model.reads import build_query, read_differences
from purge_conformance.evidence.listing import build_listing
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_anchor_is_listed(builder: EvidenceBuilder) -> None:
    """The event after which a list is read is one that exists: that of a deleted app may be deleted, too."""
    deleted, seed = builder.event("deleted", "deleted"), builder.event("a", "a")
    assert build_query("after_guid", [seed], ["a"], [deleted, seed]) == {"after_guid": "a"}
    assert build_query("after_guid", [], ["a"], [deleted]) == {"guids": "a"}


@pytest.mark.parametrize(("after", "differences"), [(["a"], 1), ([], 0)])
def test_refusal_is_expected_if_the_anchor_disappears(
    after: list[str], differences: int, builder: EvidenceBuilder
) -> None:
    """A list after an event that is deleted meanwhile may be refused."""
    rows = [builder.event("a", "a")]
    lists = [
        build_listing([builder.add_page(Scenario.SEQUENCES, Step.LIST_AFTER_ACTION, found)], reached_end=True)
        for found in (rows, [builder.event(guid, "a") for guid in after])
    ]
    refused = builder.add_exchange(
        Scenario.SEQUENCES, Step.ACTION, path="/v3/app_usage_events?after_guid=a", status=422, data={}
    )
    walk = build_listing([refused], reached_end=True)
    assert len([*read_differences(walk, (lists[0], lists[1]), ["a"], rows)]) == differences
