"""The changes of a race."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from purge_conformance.analysis import race as races
from purge_conformance.scenarios import race
from purge_conformance.target.apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable
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
        client.experiment = "race"
        foundation = SuiteApps(client)
        foundation.apps = {label: label for label in ("steady", "scaled", "elsewhere", "mover", "idle")}
        race.race_purges_with_changes(client, foundation)
        sent = [x for name in races.ROUNDS for x in client.exchanges_of("race", f"{name}.change")]
        asked.append(sorted((x.step, x.path, x.request_body or "") for x in sent))
    assert asked[0] == asked[1]
    assert len(asked[0]) > len(races.ROUNDS)


def respond_as_foundation(stub_server: StubServer, handler: BaseHTTPRequestHandler) -> None:
    """Respond as if every app were started, had the requested state, and had a new event."""
    if handler.command == "POST":
        return stub_server.respond(handler, body=b'{"state": "STARTED"}')
    rows: list[Row] = [{"guid": label, "state": "STARTED"} for label in ("steady", "scaled", "elsewhere")]
    if "app_usage_events" in handler.path:
        rows = [{"guid": f"{app}-{len(stub_server.received)}", "app": {"guid": app}} for app in ("mover", "idle")]
    return stub_server.respond(
        handler, body=json.dumps({"pagination": {"total_results": 2}, "resources": rows}).encode()
    )
