"""Droplets of the suite's apps: staging is polled within bounds, and a staged droplet is copied."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.apps import AppSettings
from purge_conformance.config.droplet_file import GZIP_MAGIC, Upload
from purge_conformance.evidence.steps import Step
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.droplets import STAGING_POLLS, DropletProvider, DropletUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


IMAGE = "registry.test/one:1"
BITS = GZIP_MAGIC + b"\r\n--\0\r\n" * 40_000  # several pieces


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the delay between two polls by none."""
    monkeypatch.setattr(jobs, "POLL_DELAYS", (0, 0))


@pytest.fixture
def file(tmp_path: Path) -> Upload:
    """The file of a droplet."""
    path = tmp_path / "of-mine.tgz"
    path.write_bytes(BITS)
    return Upload(path, len(BITS))


def staging(stub_server: StubServer, *states: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Respond as an API with these states, one after the other; the last one stays."""
    left = list(states)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        state = left.pop(0) if len(left) > 1 else left[0]
        body = {"guid": "one", "state": state, "droplet": {"guid": "staged"}}
        stub_server.respond(handler, 200 if handler.command == "GET" else 201, json.dumps(body).encode())

    return answer


def app_sources(file: Upload) -> dict[str, AppSettings]:
    """The sources of apps, by the path of the droplet."""
    return {
        "/v3/droplets/one": AppSettings(droplet="source"),
        "/v3/builds/one": AppSettings(docker_image=IMAGE),
        "/v3/droplets/one, uploaded": AppSettings(droplet_file=file),
    }


WAYS = ["/v3/droplets/one", "/v3/builds/one", "/v3/droplets/one, uploaded"]


@pytest.mark.parametrize("way", WAYS)
def test_staging_is_polled(way: str, file: Upload, stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """A droplet that is staged, copied or uploaded is polled, and then belongs to the app."""
    stub_server.answer = staging(stub_server, "AWAITING_UPLOAD", "STAGING", "COPYING", "STAGED")
    DropletProvider(make_client(), app_sources(file)[way], "0123abcd").provide("app")
    assert stub_server.targets[-2:] == [
        "/v3/apps/app/relationships/current_droplet",
        "/v3/apps/app/processes/web/actions/scale",
    ]
    assert sum(line.startswith("GET ") for line, _ in stub_server.received) in {2, 3}


@pytest.mark.parametrize("way", WAYS[1:])
def test_staged_droplet_is_copied(
    way: str, file: Upload, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A staged or uploaded droplet is copied for other apps; after the deletion of its app it is created again."""
    stub_server.answer = staging(stub_server, "STAGED")
    equipment = DropletProvider(make_client(), app_sources(file)[way], "0123abcd")
    for app in ("one", "two", "three"):
        equipment.provide(app)
    equipment.forget_app("two")
    equipment.provide("four")
    equipment.forget_app("one")
    equipment.provide("five")
    copies = [target for target in stub_server.targets if "source_guid" in target]
    made = [target for target in stub_server.targets if target in {"/v3/droplets/one/upload", "/v3/builds"}]
    assert (len(copies), len(made)) == (3, 2)


@pytest.mark.parametrize("state", ["FAILED", "STAGING"])
@pytest.mark.parametrize("way", WAYS)
def test_staging_is_bounded(
    way: str, state: str, file: Upload, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A staging, copy or upload that fails or does not end is reported."""
    stub_server.answer = staging(stub_server, state)
    path = way.partition(",")[0]
    with pytest.raises(DropletUnavailable, match=f"{path} is not staged: .*{state}"):
        DropletProvider(make_client(), app_sources(file)[way], "0123abcd").provide("app")
    assert len(stub_server.received) < 2 * STAGING_POLLS


def test_another_copy_is_assigned(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """An app that runs a droplet is assigned another copy; one that runs none, or gets no copy, is left as it is."""
    stub_server.answer = staging(stub_server, "STAGED")
    client = make_client()
    DropletProvider(client, AppSettings(), "0123abcd").assign_copy("app", Step.ASSIGN_DROPLET)
    assert stub_server.received == []
    DropletProvider(client, AppSettings(droplet="source"), "0123abcd").assign_copy("app", Step.ASSIGN_DROPLET)
    assert stub_server.targets == [
        "/v3/droplets?source_guid=source",
        "/v3/apps/app/relationships/current_droplet",
    ]
    stub_server.answer = lambda handler: stub_server.respond(handler, 422, b"{}")
    DropletProvider(client, AppSettings(droplet="source"), "0123abcd").assign_copy("app", Step.ASSIGN_DROPLET)
    assert len(stub_server.targets) == 3
