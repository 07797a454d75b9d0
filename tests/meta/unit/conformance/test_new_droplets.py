"""SEED-01, SEED-02 and PURGE-06: an app that was assigned another droplet or was restarted, and its event."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.judgments import outcome_of
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

module = importlib.import_module("purge_conformance.conformance.test_seed")
CHANGED = Scenario.PURGE_AFTER_CHANGES


def assign_and_purge(builder: EvidenceBuilder, status: int | None, *guids: str) -> None:
    """Assign a started app another droplet, and purge; then the app has events with these guids."""
    path, place = "/v3/apps/a/relationships/current_droplet", Place(Step.ASSIGN_DROPLET, app=App.SCALED)
    builder.add_exchange(CHANGED, place, method="PATCH", path=path, status=status, data={})
    rows: dict[str, Any] = {"apps": [builder.app("a")], "processes": [builder.process("a", "a")]}
    before, after = (Place(Step.PURGE, phase=phase) for phase in Phase)
    builder.add_snapshot(CHANGED, before, [builder.event("old", "a")], *rows.values())
    builder.add_purge(CHANGED)
    builder.add_snapshot(CHANGED, after, [builder.event(guid, "a") for guid in guids], *rows.values())


@pytest.mark.parametrize(("status", "count"), [(200, 1), (204, 1), (202, 0), (422, 0), (None, 0)])
def test_new_droplet_is_a_case(status: int | None, count: int, builder: EvidenceBuilder) -> None:
    """The purge counts for the case if the target confirmed the new droplet; it is judged in any case."""
    assign_and_purge(builder, status, "a")
    view = builder.judgment_view
    for judge in (module.test_started_apps_are_seeded, module.test_apps_are_seeded_once):
        view.cases.clear()
        judge(view)
        assert len(view.cases.get("new-droplet", ())) == count


@pytest.mark.parametrize(("status", "count"), [(200, 1), (202, 1), (404, 0), (None, 0)])
def test_restart_is_a_case(status: int | None, count: int, builder: EvidenceBuilder) -> None:
    """The purge counts for the case if the target confirmed the restart; it is judged in any case."""
    place = Place(Step.RESTART_APP, app=App.SCALED)
    builder.add_exchange(CHANGED, place, method="POST", path="/v3/apps/a/actions/restart", status=status, data={})
    assign_and_purge(builder, 422, "a")
    view = builder.judgment_view
    module.test_started_apps_are_seeded(view)
    assert len(view.cases.get("restarted-app", ())) == count


def test_missing_event_is_found(builder: EvidenceBuilder) -> None:
    """Without an event of the app SEED-01 fails."""
    assign_and_purge(builder, 200)
    with pytest.raises(RequirementViolated):
        module.test_started_apps_are_seeded(builder.judgment_view)


def test_event_of_each_droplet_is_found(builder: EvidenceBuilder) -> None:
    """With an event for each droplet SEED-02 fails."""
    assign_and_purge(builder, 200, "a", "b")
    with pytest.raises(RequirementViolated):
        module.test_apps_are_seeded_once(builder.judgment_view)


@pytest.mark.parametrize("scenario", [CHANGED, Scenario.GENERATED])
@pytest.mark.parametrize(
    ("status", "step", "request_body", "member", "outcome"),
    [
        (202, Step.ASSIGN_DROPLET, {"data": {"guid": "new"}}, "droplet", "passed"),
        (200, Step.ASSIGN_DROPLET, {"data": {"guid": "new"}}, "droplet", "passed"),
        (202, Step.ASSIGN_DROPLET, {"data": {"guid": "another"}}, "droplet", "failed"),
        (422, Step.ASSIGN_DROPLET, {"data": {"guid": "new"}}, "droplet", "failed"),
        (202, Step.ASSIGN_DROPLET, {"data": {"guid": "new"}}, "name", "failed"),
        (202, Step.RENAME, {"name": "new"}, "name", "passed"),
        (202, Step.RENAME, {"name": "another"}, "name", "failed"),
        (403, Step.RENAME, {"name": "new"}, "name", "failed"),
    ],
)
def test_requested_change_may_come_after_a_purge(  # noqa: PLR0913 -- what the evidence varies in
    status: int,
    step: Step,
    request_body: object,
    member: str,
    outcome: str,
    *,
    scenario: Scenario,
    builder: EvidenceBuilder,
) -> None:
    """A droplet or a name that the suite requested, and the target did not reject, is no change by a later purge."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.SCALED: "a", App.TOGGLED: "b"})
    path = "/v3/apps/a/relationships/current_droplet" if step is Step.ASSIGN_DROPLET else "/v3/apps/a"
    parts: dict[str, Any] = {
        "method": "PATCH",
        "path": path,
        "status": status,
        "request_body": json.dumps(request_body),
        "data": {},
    }
    builder.add_exchange(scenario, Place(step, app=App.SCALED), **parts)
    builder.add_exchange(CHANGED, Step.START_APP, method="POST", path="/v3/apps/b/actions/start", data={})
    for phase, value in ((Phase.BEFORE, "old"), (Phase.AFTER, "new")):
        shown = {"name": "app", "droplet": "first", member: value}
        relationships = {"current_droplet": {"data": {"guid": shown["droplet"]}}}
        apps = [{**builder.app("a"), "name": shown["name"], "relationships": relationships}, builder.app("b")]
        processes = [builder.process("a", "a"), builder.process("b", "b")]
        if phase is Phase.AFTER:
            builder.add_purge(Scenario.PURGE)
        seeds = [builder.event("a", "a"), builder.event("b", "b")] if phase is Phase.AFTER else []
        builder.add_snapshot(Scenario.PURGE, Place(Step.PURGE, phase=phase), seeds, apps, processes)
    assert outcome_of(builder, "PURGE-06") == outcome
