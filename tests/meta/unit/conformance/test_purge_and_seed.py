"""Judgments of purges: what breaks a requirement, and that changes by other clients do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meta.support.judgments import JUDGMENTS, add_purge, outcome_of
from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.steps import Part, Place, Scenario, Step, Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]

SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}
OLD = {**SEEDED, "guid": "old", "created_at": "2026-07-01T12:00:00Z"}
PROFILE = [
    "PURGE-01",
    "PURGE-02",
    "PURGE-03",
    "SEED-01",
    "SEED-02",
    "SEED-03",
    "SEED-04",
    "SEED-05",
    "SEED-07",
    "SEED-08",
]


@pytest.mark.parametrize("name", PROFILE)
def test_good_purge_passes(name: str, builder: EvidenceBuilder) -> None:
    """A purge that leaves one event for the one started app fulfils its requirements."""
    add_purge(builder, [SEEDED])
    assert outcome_of(builder, name) == "passed"


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("PURGE-03", [SEEDED, OLD]),
        ("SEED-01", []),
        ("SEED-02", [SEEDED, {**SEEDED, "guid": "x"}]),
        ("SEED-03", [SEEDED, {**SEEDED, "guid": "b", "app": {"guid": "b"}}]),
        ("SEED-04", [{**SEEDED, "guid": "x"}]),
        ("SEED-05", [{**SEEDED, "app": {"guid": "b"}}]),
        ("SEED-05", [{**SEEDED, "app": None}]),
        ("SEED-07", [{**SEEDED, "created_at": "yesterday"}]),
        ("SEED-07", [{**SEEDED, "created_at": None}]),
        ("SEED-08", [SEEDED, {**SEEDED, "guid": "gone", "app": {"guid": "gone"}}]),
    ],
)
def test_bad_purge_fails(name: str, after: list[Row], builder: EvidenceBuilder) -> None:
    """Each error in kept or populated events fails its requirement."""
    add_purge(builder, after)
    assert outcome_of(builder, name) == "failed"


@pytest.mark.parametrize(("after", "outcome"), [([SEEDED], "failed"), ([], "inconclusive")])
def test_seeding_after_rejected_purge(after: list[Row], outcome: str, builder: EvidenceBuilder) -> None:
    """A new event after a rejected purge was seeded by it, unless plain purges seed late as well."""
    add_purge(builder, after)
    recorded = builder.event("recorded", "a")
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, [recorded])
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PURGE_PATH,
        status=403,
        tags={Tag.CREDENTIAL: "valid"},
    )
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, [recorded, SEEDED])
    assert outcome_of(builder, "REFUSE-07") == outcome


LATER = "2026-07-01T12:00:07Z"  # three seconds after the purge, by others
NEW_APP = {"guid": "new", "state": "STARTED", "updated_at": LATER}
OTHERS = {
    "start": {**SEEDED, "guid": "e1", "created_at": LATER, "app": {"guid": "new"}},
    "task": {**SEEDED, "guid": "e2", "created_at": LATER, "task": {"guid": "t"}},
}


@pytest.mark.parametrize("event", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("name", PROFILE)
def test_foreign_changes_break_nothing(name: str, event: Row, builder: EvidenceBuilder) -> None:
    """An app that another client starts between the purge and the snapshot breaks nothing."""
    add_purge(builder, [SEEDED, event], late=[NEW_APP])
    assert outcome_of(builder, name) != "failed"


@pytest.mark.parametrize("name", ["SEED-01", "SEED-02", "SEED-03", "SEED-04", "SEED-08"])
def test_concurrently_changed_app_is_excluded(name: str, builder: EvidenceBuilder) -> None:
    """An app that another client stopped or started during the purge may have an event or none."""
    builder.add_snapshot(Scenario.PURGE, BEFORE, [], [builder.app("a"), builder.app("c"), builder.app("d", "STOPPED")])
    builder.add_purge(Scenario.PURGE)
    apps = [builder.app("a"), builder.app("c", "STOPPED", LATER), builder.app("d", "STARTED", LATER)]
    builder.add_snapshot(Scenario.PURGE, AFTER, [SEEDED, {**SEEDED, "guid": "x", "app": {"guid": "d"}}], apps)
    assert outcome_of(builder, name) in {"passed", "not exercised"}


@pytest.mark.parametrize(("status", "body"), [(200, b""), (200, b"{}"), (200, b" null\n"), (200, b"[ ]"), (200, b'""')])
def test_empty_purge_body_passes(status: int, body: bytes, builder: EvidenceBuilder) -> None:
    """An empty body, and an empty JSON value, carry no data structure."""
    builder.add_exchange(Scenario.PURGE, Step.PURGE, method="POST", path=PURGE_PATH, status=status, body=body)
    assert outcome_of(builder, "PURGE-02") == "passed"


@pytest.mark.parametrize("body", [b'{"count": 0}', b"0", b"false", b"OK", b"<html>", b"\xff"])
def test_purge_body_with_data_fails(body: bytes, builder: EvidenceBuilder) -> None:
    """Any other body is a data structure."""
    builder.add_exchange(Scenario.PURGE, Step.PURGE, method="POST", path=PURGE_PATH, body=body)
    assert outcome_of(builder, "PURGE-02") == "failed"


def test_every_purge_body_is_judged(builder: EvidenceBuilder) -> None:
    """The body of a purge in any scenario is judged."""
    add_purge(builder, [SEEDED])
    builder.add_exchange(Scenario.GENERATED, Step.GENERATED_PURGE, method="POST", path=PURGE_PATH, data={"count": 1})
    assert outcome_of(builder, "PURGE-02") == "failed"


@pytest.mark.parametrize(
    ("first", "second", "outcome"), [(200, 200, "passed"), (200, 500, "failed"), (500, 500, "inconclusive")]
)
def test_second_purge_is_judged_by_status(first: int, second: int, outcome: str, builder: EvidenceBuilder) -> None:
    """A second purge is judged by its status, even if the apps cannot be listed."""
    builder.add_purge(Scenario.PURGE, status=first)
    builder.add_purge(Scenario.SECOND_PURGE, status=second)
    assert outcome_of(builder, "AGAIN-01") == outcome


@pytest.mark.parametrize("place", ["list", "get"])
def test_returned_event_fails(place: str, builder: EvidenceBuilder) -> None:
    """A destroyed event that returns later fails, in a list or by its guid."""
    add_purge(builder, [SEEDED])
    if place == "list":
        builder.add_page(Scenario.CHANGES_AFTER_PURGES, Place(Step.CLOSING, part=Part.EVENTS), [SEEDED, OLD])
    else:
        builder.add_exchange(Scenario.CHANGES_AFTER_PURGES, Step.GET_DESTROYED, path=f"{EVENTS_PATH}/old", data=OLD)
    assert outcome_of(builder, "PURGE-05") == "failed"


@pytest.mark.parametrize(
    ("got", "outcome"),
    [
        ({}, "passed"),
        ({"included": {}, "app": {"guid": "a", "name": "dora"}}, "passed"),
        ({"app": {"guid": "b"}}, "failed"),
        ({"created_at": "2026-07-01T11:00:00Z"}, "failed"),
    ],
    ids=["same", "further-members", "another-app", "another-time"],
)
def test_get_agrees_with_list(got: Row, outcome: str, builder: EvidenceBuilder) -> None:
    """The members that list and get share are equal; either may have more."""
    for step in (Step.OPENING, Step.CLOSING):
        builder.add_list(Scenario.LISTS, step, [OLD])
    labelled = (("Content-Type", "application/json"),)
    builder.add_exchange(
        Scenario.LISTS, Step.GET, path=f"{EVENTS_PATH}/{OLD['guid']}", data={**OLD, **got}, response_headers=labelled
    )
    assert outcome_of(builder, "GET-03") == outcome


def test_race_has_cause(builder: EvidenceBuilder) -> None:
    """A list that another client purged during the read is inconclusive, with a race as cause."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [SEEDED, OLD])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [SEEDED])
    with pytest.raises(Inconclusive) as caught:
        JUDGMENTS["LIST-04"](builder.judgment_view)
    assert caught.value.cause is Cause.RACE
