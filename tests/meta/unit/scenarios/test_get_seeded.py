"""Gets of seeded events."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from meta.support.client import recorded_evidence
from purge_conformance.catalogue.api import EVENTS_PATH, event_path
from purge_conformance.evidence.steps import App, Step
from purge_conformance.scenarios import purge as purging

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps


@pytest.mark.parametrize(("status", "reads_again"), [(200, False), (404, True)])
def test_missing_seeded_event_is_looked_for_in_the_list(
    status: int,
    stub_server: StubServer,
    builder: EvidenceBuilder,
    make_client: Callable[..., Client],
    *,
    reads_again: bool,
) -> None:
    """After an answer 404, the list shows whether another client destroyed the event in between."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        rows = [builder.event("a", "a") if handler.path.startswith(EVENTS_PATH) else builder.app("a")]
        page = {"pagination": {"total_results": 1, "next": None}, "resources": rows}
        is_get = handler.path == event_path("a")
        stub_server.respond(handler, status=status if is_get else 200, body=json.dumps(page).encode())

    stub_server.answer = answer
    client = make_client()
    changes = dict.fromkeys(("restart", "change_droplet", "rename"), lambda _: None)
    apps = SimpleNamespace(**changes, apps={App.SCALED: "a"})
    purging.purge_after_changes(client, cast("SuiteApps", apps))
    last = recorded_evidence(client).exchanges[-1]
    assert (last.step is Step.CLOSING, last.route == EVENTS_PATH) == (reads_again, reads_again)
