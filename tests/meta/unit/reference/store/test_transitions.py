"""Events that changes of an app record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import PURGE

if TYPE_CHECKING:
    from meta.support.reference_api import Api

Transitions = list[tuple[str, str, int, int]]


def recorded_changes(api: Api) -> Transitions:
    """Return of every event the previous and current state, and the previous and current instances."""
    return [
        (
            event["state"]["previous"],
            event["state"]["current"],
            event["instance_count"]["previous"],
            event["instance_count"]["current"],
        )
        for event in api.events()
    ]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["start"], [("STOPPED", "STARTED", 1, 1)]),
        (["start", "start"], [("STOPPED", "STARTED", 1, 1)]),
        (["stop"], []),
        (["start", "stop"], [("STOPPED", "STARTED", 1, 1), ("STARTED", "STOPPED", 1, 1)]),
        (["restart"], [("STOPPED", "STARTED", 1, 1)]),
        (
            ["start", "restart"],
            [("STOPPED", "STARTED", 1, 1), ("STARTED", "STOPPED", 1, 1), ("STOPPED", "STARTED", 1, 1)],
        ),
    ],
)
def test_state_changes_are_recorded(api: Api, actions: list[str], expected: Transitions) -> None:
    """Every change between started and stopped is one event; a change without effect is none."""
    app = api.app_in(api.space(), "app", started=False)
    for action in actions:
        assert api.post(f"/v3/apps/{app}/actions/{action}").status == 200
    assert recorded_changes(api) == expected


@pytest.mark.parametrize("path", ["/v3/processes/{}/actions/scale", "/v3/apps/{}/processes/web/actions/scale"])
def test_scaling_is_recorded(api: Api, path: str) -> None:
    """Scaling a started app by either route is one event with the previous size; the same size is no event."""
    app = api.app_in(api.space(), "app")
    for _ in range(2):
        assert api.post(path.format(app), {"instances": 4}).status == 202
    assert recorded_changes(api)[1:] == [("STARTED", "STARTED", 1, 4)]


def test_scaling_stopped_app_records_nothing(api: Api) -> None:
    """Scaling a stopped app is no event; the size is in the event of the next start."""
    app = api.app_in(api.space(), "app", started=False)
    api.post(f"/v3/processes/{app}/actions/scale", {"instances": 0, "memory_in_mb": 32, "disk_in_mb": 32})
    assert recorded_changes(api) == []
    api.post(f"/v3/apps/{app}/actions/start")
    assert recorded_changes(api) == [("STOPPED", "STARTED", 0, 0)]


def test_disk_is_not_recorded(api: Api) -> None:
    """More disk for a started app is no event."""
    app = api.app_in(api.space(), "app")
    api.post(f"/v3/processes/{app}/actions/scale", {"disk_in_mb": 2048})
    assert len(recorded_changes(api)) == 1


@pytest.mark.parametrize("kind", ["apps", "spaces", "organizations"])
def test_deletion_is_recorded_as_stop(api: Api, kind: str) -> None:
    """The deletion of a started app, or of its space or organization, is the event of a stop."""
    api.app_in(api.space(), "app")
    guid = api.get(f"/v3/{kind}").json["resources"][0]["guid"]
    api.call("DELETE", f"/v3/{kind}/{guid}")
    assert recorded_changes(api)[1:] == [("STARTED", "STOPPED", 1, 1)]


def test_recording_continues_after_purge(api: Api) -> None:
    """Starts, scalings and stops after a purge follow the seeded events."""
    app = api.app_in(api.space(), "app")
    api.post(PURGE)
    api.post(f"/v3/processes/{app}/actions/scale", {"instances": 2})
    api.post(f"/v3/apps/{app}/actions/stop")
    assert recorded_changes(api)[1:] == [("STARTED", "STARTED", 1, 2), ("STARTED", "STOPPED", 2, 2)]
