"""The changes of a race."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.evidence.rounds import RACES
from purge_conformance.evidence.steps import App, Place, Scenario, Step
from purge_conformance.scenarios import race
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


Row = dict[str, Any]


def test_same_seed_same_changes(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """The same seed sends the same changes."""
    stub_server.answer = lambda handler: respond_as_foundation(stub_server, handler)
    asked = []
    for _ in range(2):
        client = make_client()
        client.begin(Scenario.RACE)
        foundation = SuiteApps(client)
        foundation.apps = {app: str(app) for app in (*race.CHANGED_APPS, App.TOGGLED, App.STOPPED)}
        race.race_purges_with_changes(client, foundation)
        sent = [x for index in RACES for x in client.recorded(Place(Step.CONCURRENT_CHANGE, index))]
        asked.append(sorted((x.place.index, x.path, x.request_body or "") for x in sent))
    assert asked[0] == asked[1]
    assert len(asked[0]) > len(RACES)


@pytest.mark.parametrize("is_started", [True, False])
def test_toggled_app_is_stopped_after_the_sequential_round(
    stub_server: StubServer, make_client: Callable[..., Client], *, is_started: bool
) -> None:
    """Whatever its state was, an app with an event is stopped in the first concurrent round, and unchanged."""
    started = [*race.CHANGED_APPS, App.TOGGLED]
    stub_server.answer = lambda handler: respond_as_foundation(stub_server, handler, started)
    client = make_client()
    client.begin(Scenario.RACE)
    foundation = SuiteApps(client)
    foundation.apps = {app: str(app) for app in (*race.CHANGED_APPS, App.TOGGLED, App.STOPPED)}
    foundation.started = {App.TOGGLED} if is_started else set()
    race.race_purges_with_changes(client, foundation)
    lines = [line for line, _ in stub_server.received if f"/{App.TOGGLED}/actions/" in line]
    changes = [line.rpartition("/actions/")[2].split()[0] for line in lines]
    assert changes[: 3 if is_started else 2] == [*(["stop"] if is_started else []), "start", "stop"]
    assert [x.path for x in client.recorded(Step.SEQUENTIAL_CHANGE)][-1] == f"/v3/apps/{App.TOGGLED}/actions/stop"


def respond_as_foundation(
    stub_server: StubServer, handler: BaseHTTPRequestHandler, started: Sequence[App] = race.CHANGED_APPS
) -> None:
    """Respond as if these apps were started, every app had the requested state, and had a new event."""
    if handler.command == "POST":
        state = b"STOPPED" if handler.path.endswith("/stop") else b"STARTED"
        return stub_server.respond(handler, body=b'{"state": "' + state + b'"}')
    rows: list[Row] = [{"guid": app, "state": "STARTED"} for app in started]
    if "app_usage_events" in handler.path:
        number = len(stub_server.received)
        rows = [{"guid": f"{app}-{number}", "app": {"guid": app}} for app in (App.TOGGLED, App.STOPPED)]
    return stub_server.respond(
        handler, body=json.dumps({"pagination": {"total_results": 2}, "resources": rows}).encode()
    )
