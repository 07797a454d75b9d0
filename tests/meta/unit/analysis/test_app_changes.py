"""Changes of apps in the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER
from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


@pytest.mark.parametrize(("state", "counted"), [("STARTED", [Step.STOP]), ("STOPPED", [])])
def test_noop_change_is_ignored(state: str, counted: list[Step], builder: EvidenceBuilder) -> None:
    """A stop of an app that is stopped already need not be recorded; a later one must be."""
    builder.add_snapshot(Scenario.SECOND_PURGE, AFTER, [], [builder.app("a", state)])
    builder.add_list(Scenario.APP_CHANGES, Step.OPENING, [])
    for step, sent, now in (
        (Step.STOP, Step.STOP_APP, "STOPPED"),
        (Step.START, Step.START_APP, "STARTED"),
        (Step.STOP_AGAIN, Step.STOP_APP, "STOPPED"),
    ):
        builder.add_exchange(Scenario.APP_CHANGES, Place(sent, app=App.TOGGLED), method="POST", path="/v3/apps/a")
        change = notes.AppChange(step, "a", done=True, current={"state": now})
        builder.add_note(Scenario.APP_CHANGES, notes.CHANGE, change)
        builder.add_list(Scenario.APP_CHANGES, Place(step, phase=Phase.AFTER), [])
    changes = effective_changes(builder.judgment_view, Scenario.APP_CHANGES, Step.STOP, Step.STOP_AGAIN)
    assert [change.step for change in changes] == [*counted, Step.STOP_AGAIN]


@pytest.mark.parametrize(("step", "found"), [(Step.CREATE, {"a"}), (Step.PREPARE_DROPLET, set())])
def test_droplet_allows_more_processes(step: Step, found: set[str], builder: EvidenceBuilder) -> None:
    """An app of the suite has one process, unless it runs a droplet, which may have more."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "a"})
    builder.add_exchange(Scenario.FOUNDATION, step, method="POST", path="/v3/droplets")
    assert single_process_apps(builder.evidence) == found
