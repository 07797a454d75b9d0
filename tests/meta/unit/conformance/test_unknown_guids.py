"""Judgments of the GET of an unknown guid."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

judged = importlib.import_module("purge_conformance.conformance.test_get")


def add_unknown_get(builder: EvidenceBuilder, status: int, *listed: str) -> EvidenceBuilder:
    """Add a GET of an app's guid after a list, with this status."""
    builder.add_snapshot(Scenario.APP_CHANGES, Step.CLOSING, events=[builder.event(guid, "app") for guid in listed])
    builder.add_exchange(
        Scenario.READS, Step.GET_UNKNOWN, path=f"{EVENTS_PATH}/app", status=status, data={"guid": "app"}
    )
    return builder


def test_unlisted_event_must_be_missing(builder: EvidenceBuilder) -> None:
    """The GET of an unlisted event must not find it."""
    with pytest.raises(RequirementViolated):
        judged.test_unknown_guid_answers_404(add_unknown_get(builder, 200, "other").judgment_view)


@pytest.mark.parametrize(("status", "listed"), [(404, "other"), (200, "app")])
def test_listed_event_may_be_returned(status: int, listed: str, builder: EvidenceBuilder) -> None:
    """A 404 is right; and a listed event may be returned, whatever caused it."""
    judged.test_unknown_guid_answers_404(add_unknown_get(builder, status, listed).judgment_view)
