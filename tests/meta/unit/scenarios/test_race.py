"""The changes of a race."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence.steps import RACES, App, Place, Scenario, Step
from purge_conformance.scenarios import race
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


Row = dict[str, Any]
STARTED_APPS = (App.STARTED, App.SCALED, App.OTHER_ORG)


def test_same_seed_same_changes(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """The same seed sends the same changes."""
    stub_server.answer = lambda handler: respond_as_foundation(stub_server, handler)
    asked = []
    for _ in range(2):
        client = make_client()
        client.begin(Scenario.RACE)
        foundation = SuiteApps(client)
        foundation.apps = {app: app for app in (*STARTED_APPS, App.TOGGLED, App.STOPPED)}
        race.race_purges_with_changes(client, foundation)
        changes = [client.recorded(Place(Step.CONCURRENT_CHANGE, index)) for index in RACES]
        asked.append([sorted((x.path, x.request_body or "") for x in sent) for sent in changes])
    assert asked[0] == asked[1]
    assert sum(map(len, asked[0])) > len(RACES)


def respond_as_foundation(stub_server: StubServer, handler: BaseHTTPRequestHandler) -> None:
    """Respond as if every app were started, had the requested state, and had a new event."""
    if handler.command == "POST":
        return stub_server.respond(handler, body=b'{"state": "STARTED"}')
    rows: list[Row] = [{"guid": label, "state": "STARTED"} for label in STARTED_APPS]
    if "app_usage_events" in handler.path:
        rows = [
            {"guid": f"{app}-{len(stub_server.received)}", "app": {"guid": app}} for app in (App.TOGGLED, App.STOPPED)
        ]
    return stub_server.respond(
        handler, body=json.dumps({"pagination": {"total_results": 2}, "resources": rows}).encode()
    )
