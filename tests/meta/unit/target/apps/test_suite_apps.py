"""The suite's apps: created, started and deleted; other apps are not changed."""

from __future__ import annotations

import json
import time
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from meta.support.client import exchanges_at
from purge_conformance.evidence.listing import APPS
from purge_conformance.evidence.steps import App, Scenario, Step
from purge_conformance.target.apps.hints import RAISE_QUOTA
from purge_conformance.target.apps.suite_apps import SAME_NAME_APPS, UNUSUAL_NAME, SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

Rejections = dict[str, int]  # end of a path -> status


def api_with_rejections(stub_server: StubServer, rejections: Rejections) -> Callable[[BaseHTTPRequestHandler], None]:
    """Respond as an empty foundation, and reject paths with these endings."""
    created: dict[str, str] = {}  # path -> name

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status, data = 200, {"state": "STARTED"}
        if handler.command == "POST" and handler.path.count("/") == 2:
            guid = f"made-{len(stub_server.received)}"
            created[f"{handler.path}/{guid}"] = stub_server.name
            status, data = 201, {"guid": guid}
        elif handler.path.endswith("/stop"):
            data = {"state": "STOPPED"}
        elif handler.command == "GET":
            status, data = (200, {"name": created[handler.path]}) if handler.path in created else (404, {})
        elif handler.command == "DELETE":
            status, data = (202 if created.pop(handler.path, None) else 404), {}
        status = next((code for end, code in rejections.items() if handler.path.endswith(end)), status)
        body = json.dumps(data).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def build_apps(stub_server: StubServer, make_client: Callable[..., Client], **rejections: int) -> SuiteApps:
    """Build the apps; `_` in a keyword stands for `/`."""
    stub_server.answer = api_with_rejections(
        stub_server, {name.replace("_", "/"): status for name, status in rejections.items()}
    )
    suite_apps = SuiteApps(make_client())
    suite_apps.build()
    return suite_apps


def test_apps_are_created(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """All apps are created, the deleted one is forgotten, and the apps that shall be started are."""
    suite_apps = build_apps(stub_server, make_client)
    assert set(suite_apps.apps) == set(App) - {App.DELETED}
    assert suite_apps.started == {App.STARTED, App.SCALED, App.WITHOUT_INSTANCES, App.OTHER_ORG}
    assert not suite_apps.error


@pytest.mark.parametrize("place", ["organizations", "spaces", "apps"])
def test_rejected_creation_is_reported(place: str, stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A rejected creation is reported, and nothing is started."""
    suite_apps = build_apps(stub_server, make_client, **{place: 403})
    assert f"POST /v3/{place}" in suite_apps.error
    assert not suite_apps.apps
    assert not suite_apps.started


def test_unusual_name_may_be_rejected(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """If a target rejects an unusual name, the app gets a plain one without an error."""
    plain, rejecting = api_with_rejections(stub_server, {}), api_with_rejections(stub_server, {"apps": 422})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_odd = int(handler.headers.get("Content-Length") or 0) > 2 * len(UNUSUAL_NAME)
        (rejecting if is_odd else plain)(handler)

    stub_server.answer = answer
    suite_apps = SuiteApps(make_client())
    suite_apps.build()
    assert set(suite_apps.apps) == set(App) - {App.DELETED}
    assert not suite_apps.error


def test_apps_share_a_name(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """Two apps in two organizations share a name; a third app is in another space of the first organization."""
    stub_server.answer, client = api_with_rejections(stub_server, {}), make_client()
    client.begin(Scenario.FOUNDATION)
    SuiteApps(client).build()
    bodies = [json.loads(x.request_body or "") for x in exchanges_at(client, Step.CREATE) if x.path == APPS]
    names = [app["name"] for app in bodies]
    spaces = {app["relationships"]["space"]["data"]["guid"] for app in bodies}
    assert (len(names) - len(set(names)), len(spaces)) == (1, 3)


def test_rejected_start_is_not_repeated(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A rejected start leaves the app as it is and is not repeated."""
    suite_apps = build_apps(stub_server, make_client, start=422)
    assert "422" in suite_apps.error
    assert not suite_apps.started
    assert not suite_apps.record_event()
    assert sum(target.endswith("/start") for target in stub_server.targets) == 1


def test_failed_start_is_retried(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A failed start is retried once, and the app is then started."""
    well = api_with_rejections(stub_server, {})
    failing = api_with_rejections(stub_server, {"/start": 500})
    answers = cycle([failing, well])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (next(answers) if handler.path.endswith("/start") else well)(handler)

    stub_server.answer = answer
    suite_apps = SuiteApps(make_client())
    suite_apps.build()
    assert (suite_apps.is_usable, suite_apps.error, App.STARTED in suite_apps.started) == (True, "", True)


def test_quota_leaves_fewer_apps(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A quota is reported, and the apps that exist are used."""
    within = api_with_rejections(stub_server, {})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        created = sum(line.startswith("POST /v3/apps ") for line, _ in stub_server.received)
        if handler.path == "/v3/apps" and created > 3:
            stub_server.respond(handler, 422, b"app quota_exceeded")
        else:
            within(handler)

    stub_server.answer = answer
    suite_apps = SuiteApps(make_client())
    suite_apps.build()
    assert list(suite_apps.apps) == [App.TOGGLED, App.STARTED, App.SCALED]
    assert suite_apps.started == {App.STARTED, App.SCALED}
    assert suite_apps.error == "POST /v3/apps created nothing: 422 app quota_exceeded"
    assert suite_apps.next_step == f"{RAISE_QUOTA}, then run again."
    assert suite_apps.record_event()
    assert suite_apps.existing(App.OTHER_ORG, App.TOGGLED) is App.TOGGLED


def test_creation_waits_for_jobs(
    stub_server: StubServer, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that a job creates, starts or stops counts only when a list shows it."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    polls = {"created": 0, "state": 0}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        path, _, name = handler.path.partition("?names=")
        data: dict[str, object] = {}
        if name:
            polls["created"] += 1
            rows = [{"guid": f"of-{name}{which}", "name": unquote(name)} for which in ("", "-too")]
            data = {"resources": rows if polls["created"] % 3 == 0 else [{"guid": "x", "name": "another"}]}
        elif handler.command == "GET" and "/of-twin" in path:
            polls["state"] += 1
            data = {"state": "STARTED" if polls["state"] == 3 else "STOPPED"}
        stub_server.respond(handler, 200 if name or data else 202, json.dumps(data).encode())

    stub_server.answer = answer
    suite_apps = SuiteApps(make_client())
    suite_apps.build()
    assert all(
        guid.startswith(f"of-{'twin' if app in SAME_NAME_APPS else app}-") for app, guid in suite_apps.apps.items()
    )
    assert f"{suite_apps.apps[App.STARTED]}-too" == suite_apps.apps[App.OTHER_ORG]
    assert (suite_apps.started, polls["state"]) == ({App.STARTED}, 3)
    assert "could not be started" in suite_apps.error


def test_apps_are_deleted_in_reverse(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """All created resources are deleted, the last one first, and nothing else."""
    suite_apps = build_apps(stub_server, make_client)
    created = {f"/v3/apps/{guid}" for guid in suite_apps.apps.values()}
    stub_server.received.clear()
    suite_apps.delete_apps()
    assert all(line.startswith("DELETE ") for line, _ in stub_server.received)
    assert created < set(stub_server.targets)
    assert len(stub_server.targets) == len(created) + 5  # two organizations, three spaces


def test_only_suite_apps_change(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """Every app that is started, stopped, scaled or deleted was created by the suite."""
    suite_apps = build_apps(stub_server, make_client)
    suite_apps.record_event()
    suite_apps.delete_apps()
    touched = [target for target in stub_server.targets if target.count("/") > 2]
    assert touched
    assert all("/made-" in target for target in touched)
