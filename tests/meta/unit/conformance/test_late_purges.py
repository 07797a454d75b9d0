"""Judgments of what follows a purge that takes effect after its answer: its effect is not that of another request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import outcome_of
from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.foreign_purges import require_found
from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.outcomes import Inconclusive, PrerequisiteFailed, RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

LATE = "2026-07-01T12:00:09Z"


def add_purges(builder: EvidenceBuilder, *, is_late: bool) -> None:
    """Add a purge whose effect is in the list just after it or in the next one, and a second purge."""
    old, seed, apps = builder.event("old", "app"), builder.event("app", "app", LATE), [builder.app("app")]
    builder.add_snapshot(Scenario.PURGE, BEFORE, [old], apps)
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [old] if is_late else [seed], apps)
    builder.add_list(Scenario.SECOND_PURGE, BEFORE, [seed])
    builder.add_purge(Scenario.SECOND_PURGE)


@pytest.mark.parametrize(("is_late", "outcome"), [(True, "inconclusive"), (False, "failed")])
def test_loss_after_another_method(builder: EvidenceBuilder, *, is_late: bool, outcome: str) -> None:
    """Events that are lost after a PUT may be the late purge's; if no purge is late, the PUT destroyed them."""
    add_purges(builder, is_late=is_late)
    new = [builder.event("new", "app"), builder.event("newer", "app")]
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, new)
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.METHOD, method="PUT", path=EVENTS_PATH, status=404)
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, new[:1])
    assert outcome_of(builder, "REFUSE-04") == outcome


@pytest.mark.parametrize(("is_late", "words"), [(True, "only after its answer"), (False, "another client purged")])
def test_loss_while_the_list_is_read(builder: EvidenceBuilder, *, is_late: bool, words: str) -> None:
    """It is said of a purge that is late that it is, rather than that another client purged."""
    add_purges(builder, is_late=is_late)
    builder.add_list(Scenario.LISTS, Step.OPENING, [builder.event("new", "app"), builder.event("newer", "app")])
    builder.add_list(Scenario.LISTS, Step.CLOSING, [builder.event("app", "app", LATE)])
    with pytest.raises(Inconclusive, match=words):
        require_list_read(builder.judgment_view)


@pytest.mark.parametrize(("is_late", "outcome"), [(True, "inconclusive"), (False, "failed")])
def test_loss_between_lists(builder: EvidenceBuilder, *, is_late: bool, outcome: str) -> None:
    """An event that disappears between two lists while another remains may be the late purge's, if any is late."""
    add_purges(builder, is_late=is_late)
    new = [builder.event("new", "app"), builder.event("newer", "app")]
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.CREDENTIAL, method="POST", path=PURGE_PATH, status=401)
    builder.add_list(Scenario.LISTS, Step.OPENING, new)
    builder.add_list(Scenario.LISTS, Step.CLOSING, new[:1])
    assert outcome_of(builder, "REFUSE-06") == outcome


@pytest.mark.parametrize("is_late", [True, False])
def test_get_of_destroyed_event(builder: EvidenceBuilder, *, is_late: bool) -> None:
    """A listed event that answers 404 while others of its list remain may be destroyed late, or is a finding."""
    add_purges(builder, is_late=is_late)
    new = [builder.event("new", "app"), builder.event("newer", "app")]
    builder.add_list(Scenario.LISTS, Step.OPENING, new)
    get = builder.add_exchange(Scenario.LISTS, Step.GET, path=event_path("newer"), status=404)
    builder.add_list(Scenario.LISTS, Step.CLOSING, new[:1])
    with pytest.raises(PrerequisiteFailed if is_late else RequirementViolated):
        require_found(builder.judgment_view, [get])
