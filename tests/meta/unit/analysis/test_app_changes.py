"""Changes of apps in the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
    builder.add_snapshot(Scenario.SECOND_PURGE, Place(Step.PURGE, phase=Phase.AFTER), [], [builder.app("a", state)])
    builder.add_list(Scenario.APP_CHANGES, Step.OPENING, [])
    for step, current in ((Step.STOP, "STOPPED"), (Step.START, "STARTED"), (Step.STOP_AGAIN, "STOPPED")):
        request = Step.START_APP if step is Step.START else Step.STOP_APP
        builder.add_exchange(Scenario.APP_CHANGES, Place(request, app=App.STARTED), method="POST", path="/v3/apps/a")
        builder.add_note(
            Scenario.APP_CHANGES, notes.CHANGE, notes.AppChange(step, "a", done=True, current={"state": current})
        )
        builder.add_list(Scenario.APP_CHANGES, Place(step, phase=Phase.AFTER), [])
    changes = effective_changes(builder.judgment_view, Scenario.APP_CHANGES, Step.STOP, Step.STOP_AGAIN)
    assert [change.step for change in changes] == [*counted, Step.STOP_AGAIN]


@pytest.mark.parametrize(("step", "found"), [(Step.CREATE, {"a"}), (Step.PREPARE_DROPLET, set())])
def test_droplet_allows_more_processes(step: Step, found: set[str], builder: EvidenceBuilder) -> None:
    """An app of the suite has one process, unless it runs a droplet, which may have more."""
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "a"})
    builder.add_exchange(Scenario.FOUNDATION, step, method="POST", path="/v3/droplets")
    assert single_process_apps(builder.evidence) == found
