"""Existing spaces and droplets: found, described in a few words, and used only where there is no choice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.client import recorded_evidence
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.settings import Settings
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario
from purge_conformance.target.apps.suite_apps import SuiteApps
from purge_conformance.target.candidates import MAX_CANDIDATES

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

Row = dict[str, Any]
DEV, QA = {"guid": "space/1", "name": "dev"}, {"guid": "space-2", "name": "qa"}
DROPLET = {"guid": "droplet-1", "state": "STAGED", "lifecycle": {"type": "buildpack"}}
DOCKER_DROPLET = {"guid": "droplet-2", "state": "STAGED", "lifecycle": {"type": "docker"}}


class Foundation:
    """Answers as an API on which no organization can be created, and no app starts without a droplet."""

    def __init__(self, stub_server: StubServer, spaces: list[Row], droplets: list[Row], *, status: int = 403) -> None:
        """Store what exists; `status` answers the creation of an organization."""
        self._stub, self._lists = stub_server, {"/v3/spaces": spaces, "/v3/droplets": droplets}
        self._status = status
        self.created: list[str] = []  # names of apps
        self.app_spaces: set[str] = set()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        status, data = self._answer(handler, handler.path.partition("?")[0])
        self._stub.respond(handler, status, json.dumps(data).encode())

    def _answer(self, handler: BaseHTTPRequestHandler, route: str) -> tuple[int, Any]:
        if handler.command == "GET" and route in self._lists:
            rows = self._lists[route]
            return 200, {"pagination": {"total_results": len(rows)}, "resources": rows[:MAX_CANDIDATES]}
        if handler.command == "POST" and route == "/v3/organizations":
            return self._status, {}
        if handler.command == "POST" and route == "/v3/apps":
            body = json.loads(self._stub.bodies[-1])
            self.created.append(body["name"])
            self.app_spaces.add(body["relationships"]["space"]["data"]["guid"])
            return 201, {"guid": f"app-{len(self.created)}"}
        if handler.command == "GET" and route.startswith("/v3/apps/app-"):
            return 200, {"name": self.created[int(route.rpartition("-")[2]) - 1], "state": "STOPPED"}
        return 422, {"errors": [{"detail": "Assign a droplet before starting this app."}]}


def build(client: Client, mode: Mode = Mode.DRIVE, *, on_loopback: bool = True) -> tuple[SuiteApps, list[str]]:
    """Build the apps; return them, and what was announced."""
    announced: list[str] = []
    client.begin(Scenario.FOUNDATION)
    object.__setattr__(client.settings, "apps", AppSettings(mode))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "is_loopback", on_loopback)
        suite_apps = SuiteApps(client, announced.append)
        suite_apps.build()
    return suite_apps, announced


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_only_space_on_this_machine_is_used(
    status: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """Where no organization can be created, apps are created in the only space, which is announced and reported."""
    stub_server.answer = foundation = Foundation(stub_server, [DEV], [], status=status)
    client = make_client()
    _, announced = build(client)
    assert (foundation.app_spaces, bool(foundation.created)) == ({"space/1"}, True)
    assert [text for text in announced if "dev (space/1)" in text and "--space GUID" in text] == announced != []
    home = recorded_evidence(client).note(Scenario.FOUNDATION, notes.HOME_SPACE)
    assert home
    assert f"{status}" in home


@pytest.mark.parametrize(
    ("spaces", "on_loopback", "words"),
    [
        ([DEV, QA], True, "Give --space GUID: dev (space/1), qa (space-2), then run again."),
        ([DEV], False, "Give --space GUID: dev (space/1), then run again."),
        ([], True, "Give --space GUID, then run again."),
        ([{**DEV, "name": f"{n}" * 50} for n in range(6)], True, "space/1), and 2 more, then"),
        ([{"guid": "..", "name": "dev"}, {"guid": 7}, {"name": "x"}], True, "Give --space GUID, then run again."),
        ([{"guid": "a", "name": None}, {"guid": "b", "name": "two\n lines"}], True, "GUID: (a), two lines (b), then"),
    ],
)
def test_other_spaces_are_proposed(
    spaces: list[Row], words: str, stub_server: StubServer, make_client: Callable[..., Client], *, on_loopback: bool
) -> None:
    """Where there is a choice, or on another machine, no space is used: the next step names a few."""
    stub_server.answer = foundation = Foundation(stub_server, spaces, [])
    client = make_client()
    suite_apps, announced = build(client, on_loopback=on_loopback)
    assert (foundation.created, announced) == ([], [])
    assert words in suite_apps.next_step
    assert get_apps(recorded_evidence(client)) == suite_apps.next_step


def test_observing_run_proposes_spaces(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A run that creates no apps on another machine says how it could, with the spaces that exist."""
    stub_server.answer = Foundation(stub_server, [DEV, QA], [])
    suite_apps, _ = build(make_client(), Mode.OBSERVE, on_loopback=False)
    assert "--apps drive --space GUID: dev (space/1), qa (space-2)" in suite_apps.next_step


@pytest.mark.parametrize(
    ("droplets", "words"),
    [
        ([DOCKER_DROPLET, DROPLET], "--app-droplet GUID (droplet-1), --app-droplet-file"),
        ([], "GUID, --app-droplet-file"),
    ],
)
def test_existing_droplet_is_proposed(
    droplets: list[Row], words: str, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """If an app does not start without a droplet, the next step proposes one that exists and that it can run."""
    stub_server.answer = Foundation(stub_server, [DEV], droplets)
    suite_apps, _ = build(make_client())
    assert words in suite_apps.next_step
    assert "422" in suite_apps.error
