"""UP-SEED-02 and UP-SEED-03: what a purge seeds for an app that was renamed, moved with its space, or rescaled."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

module = importlib.import_module("purge_conformance.conformance.test_upstream_events")
judge_names, judge_size = module.test_seed_names_space_and_organization, module.test_seed_size_matches_process
FOUND, CHANGED = Scenario.FOUNDATION, Scenario.PURGE_AFTER_CHANGES
ROWS: dict[str, dict[str, Any]] = {
    "organizations": {"guid": "o", "name": "old-o"},
    "spaces": {"guid": "s", "name": "old-s", "relationships": {"organization": {"data": {"guid": "o"}}}},
    "apps": {"guid": "a", "name": "old", "relationships": {"space": {"data": {"guid": "s"}}}},
}
CASES = {"app", "space", "organization"}


def create(builder: EvidenceBuilder) -> None:
    """Create an organization, a space and an app."""
    for kind, row in ROWS.items():
        builder.add_exchange(FOUND, Step.CREATE, method="POST", path=f"/v3/{kind}", status=201, data=row)


def rename(builder: EvidenceBuilder, status: int | None, shown: str) -> None:
    """Ask for a new name of the app, the space and the organization; a read of the space shows a name."""
    asked = {
        "apps/a": Place(Step.RENAME, app=App.SCALED),
        "spaces/s": Place(Step.RENAME),
        "organizations/o": Place(Step.RENAME),
    }
    for path, place in asked.items():
        body = json.dumps({"name": "new-s" if path == "spaces/s" else "new"})
        builder.add_exchange(CHANGED, place, method="PATCH", path=f"/v3/{path}", status=status, request_body=body)
    data = {**ROWS["spaces"], "name": shown}
    builder.add_exchange(CHANGED, Step.VERIFY_RENAME, path="/v3/spaces/s", data=data)


def purge(builder: EvidenceBuilder, scenario: Scenario, app: str, seed: dict[str, Any], instances: int = 1) -> None:
    """Scale an app, and purge while it has a name and instances; the seed has these members beside the right ones."""
    path = "/v3/apps/a/processes/web/actions/scale"
    builder.add_exchange(scenario, Step.SCALE_APP, method="POST", path=path, status=202, data={})
    row, process = {**builder.app("a"), "name": app}, builder.process("a", "a", instances)
    names = {"app": {"guid": "a", "name": app}, "space": {"guid": "s", "name": "old-s"}, "organization": {"guid": "o"}}
    size = {"instance_count": {"current": instances}, "memory_in_mb_per_instance": {"current": 64}}
    event = {**builder.event("a", "a"), **names, **size, **seed}
    before, after = (Place(Step.PURGE, phase=phase) for phase in Phase)
    builder.add_snapshot(scenario, before, [builder.event(f"old-{scenario}", "a")], [row], [process])
    builder.add_purge(scenario)
    builder.add_snapshot(scenario, after, [event], [row], [process])


@pytest.mark.parametrize(
    ("status", "shown", "space", "cases"),
    [
        (200, "new-s", "new-s", {"renamed-app", "renamed-space", "renamed-organization"}),
        (202, "old-s", "old-s", {"renamed-app", "renamed-organization"}),  # the renaming may still be in progress
        (202, "old-s", "new-s", {"renamed-app", "renamed-organization"}),
        (None, "new-s", "new-s", {"renamed-app", "renamed-space"}),  # only the answer got lost
    ],
)
def test_new_names_are_compared(
    status: int | None, shown: str, space: str, cases: set[str], builder: EvidenceBuilder
) -> None:
    """The seed has the new names; each is a case of its own."""
    create(builder)
    purge(builder, Scenario.PURGE, "old", {})
    rename(builder, status, shown)
    purge(builder, CHANGED, "new", {"space": {"guid": "s", "name": space}})
    view = builder.judgment_view
    judge_names(view)
    assert {case: len(trials) for case, trials in view.cases.items()} == {
        **dict.fromkeys(CASES, 2),
        **dict.fromkeys(cases, 1),
    }


@pytest.mark.parametrize("status", [404, 405, 422])
def test_refused_renaming_is_no_finding(status: int, builder: EvidenceBuilder) -> None:
    """Where nothing can be renamed the old names are right, and nothing else is counted."""
    create(builder)
    purge(builder, Scenario.PURGE, "old", {})
    rename(builder, status, "old-s")
    purge(builder, CHANGED, "old", {})
    view = builder.judgment_view
    judge_names(view)
    assert set(view.cases) == CASES


@pytest.mark.parametrize(
    "seed",
    [
        {"app": {"guid": "a", "name": "old"}},
        {"space": {"guid": "s", "name": "old-s"}},
        {"organization": {"guid": None}},
    ],
)
def test_old_names_are_found(seed: dict[str, Any], builder: EvidenceBuilder) -> None:
    """A seed with an old name, or without the organization, fails."""
    create(builder)
    purge(builder, Scenario.PURGE, "old", {})
    rename(builder, 200, "new-s")
    purge(builder, CHANGED, "new", {"space": {"guid": "s", "name": "new-s"}, **seed})
    with pytest.raises(RequirementViolated):
        judge_names(builder.judgment_view)


def test_third_name_is_compared(builder: EvidenceBuilder) -> None:
    """A name after two others that purges saw is a case of its own, and the second one is wrong."""
    create(builder)
    purge(builder, Scenario.PURGE, "old", {})
    purge(builder, CHANGED, "new", {})
    purge(builder, Scenario.PURGE_WITHOUT_STARTED_APPS, "third", {})
    view = builder.judgment_view
    judge_names(view)
    assert len(view.cases["renamed-again"]) == 1
    purge(builder, Scenario.CONCURRENT_PURGES, "third", {"app": {"guid": "a", "name": "new"}})
    with pytest.raises(RequirementViolated):
        judge_names(builder.judgment_view)


def test_new_size_is_compared(builder: EvidenceBuilder) -> None:
    """A process that was scaled between two purges is a case of its own, and fails with its old size."""
    purge(builder, Scenario.PURGE, "old", {})
    purge(builder, CHANGED, "old", {}, instances=3)
    view = builder.judgment_view
    judge_size(view)
    assert {case: len(trials) for case, trials in view.cases.items()} == {
        "instance-count": 2,
        "memory": 2,
        "rescaled-app": 1,
    }
    purge(builder, Scenario.GENERATED, "old", {"instance_count": {"current": 1}}, instances=3)
    with pytest.raises(RequirementViolated):
        judge_size(builder.judgment_view)
