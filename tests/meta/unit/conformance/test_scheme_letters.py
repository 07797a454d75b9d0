"""Judgment AUTH-08: the scheme of a credential may be written in any letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import JUDGMENTS, outcome_of
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def add_reads(builder: EvidenceBuilder, scheme: str, status: int) -> None:
    """Add a plain list, and one with another header and with the scheme written so, answered with a status."""
    builder.add_list(Scenario.READS, Step.LIST, [builder.event("old", "a")])
    headers = (("Range", "bytes=0-99"), ("Authorization", f"{scheme} $ADMIN_TOKEN"))
    builder.add_exchange(
        Scenario.READS, Step.OTHER_HEADERS, path=EVENTS_PATH, status=status, request_headers=headers, data={}
    )


@pytest.mark.parametrize(
    ("scheme", "status", "outcome"),
    [
        ("Bearer", 401, "failed"),
        ("BEARER", 401, "failed"),
        ("Bearer", 200, "passed"),
        ("Bearer", 206, "passed"),  # for the other header
        ("bearer", 401, "passed"),  # the letters are not the cause
    ],
)
def test_scheme_in_other_letters_authenticates(
    scheme: str, status: int, outcome: str, builder: EvidenceBuilder
) -> None:
    """A 401 to a read whose scheme has other letters than those of other reads is a finding."""
    add_reads(builder, scheme, status)
    assert outcome_of(builder, "AUTH-08") == outcome


@pytest.mark.parametrize(("scheme", "is_counted"), [("Bearer", True), ("bearer", False)])
def test_other_letters_are_a_case(*, scheme: str, is_counted: bool, builder: EvidenceBuilder) -> None:
    """Only a read with other letters is a trial of the case: older evidence has none."""
    add_reads(builder, scheme, 200)
    view = builder.judgment_view
    JUDGMENTS["AUTH-08"](view)
    assert ("other-letters" in view.cases) is is_counted
