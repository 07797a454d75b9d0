"""A purge while no app is started."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from purge_conformance.evidence.steps import App
from purge_conformance.scenarios import purge as purging

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps


def list_apps_and_events(stub_server: StubServer, rows: list[dict[str, str]], handler: BaseHTTPRequestHandler) -> None:
    """Respond with these apps, and with as many events."""
    listed = {"pagination": {"total_results": len(rows), "next": None}, "resources": rows}
    stub_server.respond(handler, body=json.dumps(listed).encode())


@pytest.mark.parametrize(
    ("others", "stops", "purges"), [("STOPPED", True, 1), ("STOPPED", False, 0), ("STARTED", True, 0)]
)
def test_purge_without_started_apps(  # noqa: PLR0913 -- the case and its fixtures
    others: str,
    purges: int,
    stub_server: StubServer,
    builder: EvidenceBuilder,
    make_client: Callable[..., Client],
    *,
    stops: bool,
) -> None:
    """The suite stops its apps and purges, unless a foreign app is started or an app stays started."""
    rows = [builder.app("own"), builder.app("other", others)]
    stub_server.answer = partial(list_apps_and_events, stub_server, rows)
    stopped: list[App] = []

    def stop(app: App) -> bool:
        stopped.append(app)
        return stops

    foundation = SimpleNamespace(apps={App.STARTED: "own"}, started={App.STARTED}, stop=stop)
    purging.purge_without_started_apps(make_client(), cast("SuiteApps", foundation))
    assert (stub_server.purges, stopped) == (purges, [App.STARTED] if others == "STOPPED" else [])
