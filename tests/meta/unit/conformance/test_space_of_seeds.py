"""UP-SEED-02: a seeded event names the space of its app, also where --space names it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from meta.support.story import AFTER, BEFORE
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

judge = importlib.import_module(
    "purge_conformance.conformance.test_upstream_events"
).test_seed_names_space_and_organization
IN_SPACE = {"space": {"data": {"guid": "s"}}}


def add_purge(builder: EvidenceBuilder, *, space: str = "dev", organization: str = "o", read: bool = True) -> None:
    """Add an own app in a space that the run read or not, and a purge whose seed names a space and an organization."""
    if read:
        owner = {"organization": {"data": {"guid": "o"}}}
        data = {"guid": "s", "name": "dev", "relationships": owner}
        builder.add_exchange(Scenario.PREFLIGHT, Step.SPACE, path="/v3/spaces/s", data=data)
    created = {"guid": "a", "name": "app", "relationships": IN_SPACE}
    builder.add_exchange(Scenario.FOUNDATION, Step.CREATE, method="POST", path="/v3/apps", status=201, data=created)
    app = {**builder.app("a"), "name": "app"}
    seed = {
        **builder.event("a", "a"),
        "app": {"guid": "a", "name": "app"},
        "space": {"guid": "s", "name": space},
        "organization": {"guid": organization},
    }
    builder.add_snapshot(Scenario.PURGE, BEFORE, [builder.event("old", "a")], [app])
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [seed], [app])


def test_given_space_is_compared(builder: EvidenceBuilder) -> None:
    """Space and organization are compared with those of the space that --space names, and counted apart."""
    add_purge(builder)
    view = builder.judgment_view
    judge(view)
    assert {case: len(trials) for case, trials in view.cases.items()} == {"app": 1, "space": 1, "organization": 1}


@pytest.mark.parametrize(("space", "organization"), [("other", "o"), ("dev", "other")])
def test_wrong_space_is_found(space: str, organization: str, builder: EvidenceBuilder) -> None:
    """A seed with another space or organization fails."""
    add_purge(builder, space=space, organization=organization)
    with pytest.raises(RequirementViolated):
        judge(builder.judgment_view)


def test_unknown_space_counts_for_nothing(builder: EvidenceBuilder) -> None:
    """Evidence without the space decides only what the app shows."""
    add_purge(builder, read=False)
    view = builder.judgment_view
    judge(view)
    assert set(view.cases) == {"app"}


@pytest.mark.parametrize("leaves_others", [True, False])
def test_event_that_a_purge_left_is_not_its_seed(builder: EvidenceBuilder, *, leaves_others: bool) -> None:
    """An event that is listed before with the same members counts as a seed only if the purge left no other event."""
    app = {**builder.app("a"), "name": "new"}
    same = {**builder.event("a", "a"), "app": {"guid": "a", "name": "old"}}
    other = builder.event("other", "a")
    builder.add_snapshot(Scenario.PURGE, BEFORE, [same, other], [app])
    builder.add_purge(Scenario.PURGE)
    builder.add_snapshot(Scenario.PURGE, AFTER, [same, other] if leaves_others else [same], [app])
    view = builder.judgment_view
    if leaves_others:
        judge(view)
        assert not any(view.cases.values())
    else:
        with pytest.raises(RequirementViolated):
            judge(view)
