"""Changes of apps in the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.target.apps import droplets as running

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

    Row = dict[str, Any]


@pytest.mark.parametrize(("state", "counted"), [("STARTED", ["stop"]), ("STOPPED", [])])
def test_noop_change_is_ignored(state: str, counted: list[str], builder: EvidenceBuilder) -> None:
    """A stop of an app that is stopped already need not be recorded; a later one must be."""
    builder.add_snapshot("again", "after", [], [builder.app("a", state)])
    for name, tells in (("before", ""), ("stop", "STOPPED"), ("start", "STARTED"), ("stop-again", "STOPPED")):
        if tells:
            builder.add_note(
                "lifecycle", f"change {name}", {"app": "a", "done": True, "since": "before", "tells": {"state": tells}}
            )
        builder.add_list("lifecycle", name, [])
    assert [change.name for change in effective_changes(builder.judgment_view, "lifecycle", "stop", "stop-again")] == [
        *counted,
        "stop-again",
    ]


@pytest.mark.parametrize(("step", "found"), [("create", {"a"}), ("equip", set())])
def test_droplet_allows_more_processes(step: str, found: set[str], builder: EvidenceBuilder) -> None:
    """An app of the suite has one process, unless it runs a droplet, which may have more."""
    builder.add_note("foundation", "apps", {"steady": "a"})
    builder.add_exchange("foundation", step, method="POST", path="/v3/droplets")
    assert running.STEP == "equip"
    assert single_process_apps(builder.evidence) == found
