"""Errors that a state hook induces: judged, or explained where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.induced_errors import (
    conflicting_purges,
    failed_purges,
    is_rolled_back,
    raise_if_not_induced,
)
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.purge_series import plain_purges
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Part, Place, Scenario, Step, Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_induced_purge_is_excluded(builder: EvidenceBuilder) -> None:
    """A purge with an induced error is no plain purge."""
    builder.add_purge(Scenario.INDUCED_ERRORS, status=409, tags={Tag.INDUCED: "409"})
    builder.add_purge(Scenario.CONCURRENT_PURGES)
    assert [x.status for x, _ in plain_purges(builder.judgment_view)] == [200]


Rows = list[dict[str, Any]]


def add_induced_errors(
    builder: EvidenceBuilder,
    *,
    conflict: Rows | None = None,
    unavailable: Rows | None = None,
    after: Rows | None = None,
) -> EvidenceBuilder:
    """Add three purges with induced errors, and the lists after each; None means unchanged."""
    app, was = builder.app("a"), [builder.event("e", "a"), builder.event("a", "a")]
    builder.add_snapshot(Scenario.INDUCED_ERRORS, Step.OPENING, was, [app])
    for status, step, rows in (
        (409, Step.AFTER_CONFLICT, conflict),
        (503, Step.AFTER_UNAVAILABLE, unavailable),
        (500, Step.CLOSING, after),
    ):
        builder.add_exchange(
            Scenario.INDUCED_ERRORS,
            Step.INDUCED_PURGE,
            method="POST",
            path=PURGE_PATH,
            status=status,
            tags={Tag.INDUCED: str(status)},
        )
        was = was if rows is None else rows
        if step is Step.CLOSING:
            builder.add_snapshot(Scenario.INDUCED_ERRORS, step, was, [app])
        else:
            builder.add_list(Scenario.INDUCED_ERRORS, Place(step, part=Part.EVENTS), was)
    return builder


def test_rolled_back_purge_loses_nothing(builder: EvidenceBuilder) -> None:
    """A purge that leaves everything unchanged is rolled back, and a conflict loses nothing."""
    seen = add_induced_errors(builder).judgment_view
    assert [is_rolled_back(seen, purge) for purge in failed_purges(seen)] == [True, True]
    assert [attempt.describe_loss() for attempt in conflicting_purges(seen)] == [None]


@pytest.mark.parametrize(
    ("rows", "undone", "faithful"),
    [
        ([], False, False),
        ([("a", "a")], False, True),
        ([("e", "a"), ("a", "a")], True, False),
        ([("e", "a")], False, False),
        ([("e", "a"), ("a", "a"), ("b", "b")], False, False),
    ],
)
def test_partial_purge_is_detected(
    rows: list[tuple[str, str]], builder: EvidenceBuilder, *, undone: bool, faithful: bool
) -> None:
    """A failed purge is rolled back, complete or partial; a new event with an app's guid is part of a complete one."""
    events = [builder.event(guid, app) for guid, app in rows]
    view = add_induced_errors(builder, unavailable=events).judgment_view
    (purge, _) = failed_purges(view)
    assert (is_rolled_back(view, purge), purge.is_complete()) == (undone, faithful)


def test_destructive_conflict_is_detected(builder: EvidenceBuilder) -> None:
    """Events that a purge with a conflict destroyed are lost."""
    (attempt,) = conflicting_purges(add_induced_errors(builder, conflict=[]).judgment_view)
    assert attempt.describe_loss() == "2 events before, 0 after"


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (notes.NotInduced("purge", 409, failed=True, reason="the hook failed"), Inconclusive, "The hook failed."),
        (notes.NotInduced("purge", 409, failed=False, reason="not supported"), NotExercised, "Not supported."),
        (
            notes.NotInduced("purge", 503, failed=False, reason="not supported"),
            NotExercised,
            "No response had the status 409",
        ),
    ],
)
def test_missing_error_is_explained(
    value: notes.NotInduced, error: type[Inconclusive | NotExercised], words: str, builder: EvidenceBuilder
) -> None:
    """A missing error is inconclusive if the hook failed, else not exercised; the target is never the cause."""
    builder.add_note(Scenario.INDUCED_ERRORS, notes.NOT_INDUCED, value)
    with pytest.raises(error, match=words) as raised:
        raise_if_not_induced(builder.judgment_view, 409)
    assert raised.value.cause is Cause.CONFIGURATION


def test_other_status_is_not_induced(builder: EvidenceBuilder) -> None:
    """A hook induces only conflicts, failures and unavailability."""
    raise_if_not_induced(builder.judgment_view, 422)
