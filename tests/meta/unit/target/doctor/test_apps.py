"""What `doctor` says about the apps of a run: that it creates none, and what they could run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.api_stub import Api
from meta.support.doctor import checks_by_name
from purge_conformance.config.apps import AppSettings, Mode

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer

ROWS: dict[str, list[dict[str, Any]]] = {
    "/v3/spaces": [{"guid": "s1", "name": "dev"}, {"guid": "s2", "name": "qa"}],
    "/v3/droplets": [{"guid": "d1", "state": "STAGED"}],
}


@pytest.mark.parametrize(
    ("apps", "name", "status", "words"),
    [
        (AppSettings(Mode.OBSERVE), "apps of the suite", "warning", "--space GUID: dev (s1), qa (s2)."),
        (AppSettings(Mode.DRIVE), "droplets", "ok", "--app-droplet GUID (d1)"),
    ],
)
def test_spaces_and_droplets_are_named(
    apps: AppSettings, name: str, status: str, words: str, stub_server: StubServer
) -> None:
    """A run that creates no apps is a warning with the spaces that exist; one whose apps have no droplet gets some."""
    api = Api()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        rows = ROWS.get(handler.path.partition("?")[0])
        page = json.dumps({"pagination": {"total_results": 2}, "resources": rows}).encode()
        if rows:
            stub_server.respond(handler, body=page)
        else:
            api(handler)

    stub_server.answer = answer
    check = checks_by_name(stub_server.url, apps=apps)[name]
    assert (str(check.status), words in f"{check.got} {check.next_step}") == (status, True)
