"""No response crashes a judgment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import JUDGMENTS, add_purge, outcome_of
from meta.support.story import AFTER
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.records import ListEnd
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step, Tag, place_of

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.steps import Where

SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"resources": 1}', b'{"resources": [null, 1, {}]}', b"9" * 5000]
)
@pytest.mark.parametrize("name", JUDGMENTS)
def test_malformed_response_never_crashes(name: str, body: bytes, builder: EvidenceBuilder) -> None:
    """A judgment of any response has an outcome and never crashes."""
    add_purge(builder, [SEEDED])
    builder.exchanges[:] = []
    for scenario, steps in STEPS.items():
        for where, (method, path) in steps.items():
            builder.add_exchange(scenario, where, method=method, path=path, body=body, tags=TAGS)
            if path == LIST[1]:
                builder.list_ends.append(ListEnd(scenario, place_of(where), complete=True))
    outcome_of(builder, name)


LIST = ("GET", f"{EVENTS_PATH}?per_page=2&page=1&guids=a&after_guid=None&order_by=created_at")
TAGS = {
    Tag.CREDENTIAL: "none",
    Tag.AUTH: "none",
    Tag.MODE: "positive",
    Tag.GENERATION: "coverage",
    Tag.ABOUT: "x",
}
STEPS: dict[Scenario, dict[Where, tuple[str, str]]] = {
    Scenario.PURGE: {
        Step.PURGE: ("POST", PURGE_PATH),
        Step.GET_DESTROYED: ("GET", f"{EVENTS_PATH}/old"),
        Step.GET_SEEDED: ("GET", f"{EVENTS_PATH}/a"),
        AFTER.of(Part.EVENTS): LIST,
    },
    Scenario.SECOND_PURGE: {Step.PURGE: ("POST", PURGE_PATH), AFTER.of(Part.EVENTS): LIST},
    Scenario.READS: {
        Step.LIST: LIST,
        Step.GET: ("GET", f"{EVENTS_PATH}/a"),
        Step.GET_UNKNOWN: ("GET", f"{EVENTS_PATH}/no"),
    },
    Scenario.REJECTED_PURGES: {
        Step.NEWEST_PAGE: LIST,
        Step.CREDENTIAL: ("POST", PURGE_PATH),
        Step.METHOD: ("GET", PURGE_PATH),
        Step.UNKNOWN_ROUTE: ("POST", f"{PURGE_PATH}/x"),
    },
    Scenario.AUTH_BYPASS: {
        Step.NEWEST_PAGE: LIST,
        Step.SPELLING: ("POST", f"{PURGE_PATH}/"),
        Step.FORGED_TOKEN: ("POST", PURGE_PATH),
        Step.TOKEN_IN_URL: ("POST", PURGE_PATH),
    },
    Scenario.LISTS: {
        Step.OPENING: LIST,
        Step.SAME_PAGE_TWICE: LIST,
        Place(Step.WALK, 4): LIST,
        Place(Step.FILTER_GUIDS, 0): LIST,
        Place(Step.FILTER_AFTER_GUID, 0): LIST,
        Step.GET: ("GET", f"{EVENTS_PATH}/a"),
        Step.CLOSING: LIST,
    },
    Scenario.UNEXPECTED_INPUT: {
        Place(Step.NOT_JSON, phase=Phase.BEFORE, part=Part.EVENTS): LIST,
        Step.NOT_JSON: ("POST", PURGE_PATH),
        Place(Step.NOT_JSON, phase=Phase.AFTER, part=Part.EVENTS): LIST,
    },
    Scenario.GENERATED: {Step.GENERATED_LIST: LIST, Step.GENERATED_GET: ("GET", f"{EVENTS_PATH}/%5B")},
}
