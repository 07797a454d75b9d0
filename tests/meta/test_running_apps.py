"""What the suite's own apps run: copies of a droplet, or a docker image that is staged once."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from purge_conformance import embedded
from purge_conformance.client import Client
from purge_conformance.driving import Driving
from purge_conformance.foundation import Foundation, jobs
from purge_conformance.foundation.making import LABEL, to
from purge_conformance.foundation.running import Equipment, NothingToRun
from purge_conformance.guard import Guard
from purge_conformance.journal import Unwritten
from purge_conformance.settings import Limits, Settings, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from conftest import Stub

IMAGE = "registry.test/one:1"


class Api:
    """An admin of a foundation that starts no app without a droplet, with an app and a droplet of somebody else's."""

    def __init__(self, url: str, token: str) -> None:
        """Make an organization, a space, an app and its droplet."""
        self.url, self._token = url, token
        self.space = self.made("spaces", name="theirs", relationships=to("organization", self.made("organizations")))
        self.app = self.made("apps", lifecycle={"type": "docker", "data": {}}, relationships=to("space", self.space))
        package = self.made("packages", type="docker", data={"image": IMAGE}, relationships=to("app", self.app))
        self.build = self.made("builds", package={"guid": package})
        self.droplet = self.get(f"/v3/builds/{self.build}")["droplet"]["guid"]

    def made(self, kind: str, **body: Any) -> str:  # noqa: ANN401 -- any JSON value
        """Make something, and return its guid."""
        named = body if kind in {"packages", "builds"} else {"name": "theirs", **body}
        answer = requests.post(f"{self.url}/v3/{kind}", json=named, headers=self._headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["guid"])

    def get(self, path: str) -> Any:  # noqa: ANN401 -- any JSON value
        """Return what stands there."""
        return requests.get(f"{self.url}{path}", headers=self._headers, timeout=30).json()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"bearer {self._token}"}

    @contextmanager
    def driven(self, driving: Driving) -> Iterator[Foundation]:
        """Build the suite's own apps, and take them down."""
        settings = Settings(Target(self.url), {"admin": self._token}, driving=driving)
        with Unwritten() as journal:
            client = Client(settings, journal, Guard(Limits()), lambda *_: None)
            found = Foundation(client)
            found.build()
            yield found
            found.demolish()


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A reference server on which an app needs a droplet."""
    with embedded.server(["--variant", "start-needs-droplet"]) as (url, tokens):
        yield Api(url, tokens["admin"])


def names(rows: Any) -> set[str]:  # noqa: ANN401 -- JSON
    """The names on a page."""
    return {row["name"] for row in rows["resources"]}


@pytest.mark.parametrize("what", ["droplet", "docker_image"])
def test_apps_run_what_is_given(what: str, api: Api) -> None:
    """Apps that are given a droplet or an image start, labelled, in the space that was named, and are gone after."""
    value = {"droplet": api.droplet, "docker_image": IMAGE}[what]
    theirs = {path: names(api.get(path)) for path in ("/v3/apps", "/v3/spaces", "/v3/organizations")}
    with api.driven(Driving(space=api.space, **{what: value})) as found:
        assert (found.trouble, found.started) == ("", {"steady", "scaled", "empty", "elsewhere"})
        own = [row for row in api.get("/v3/apps")["resources"] if row["guid"] in found.apps.values()]
        assert len(own) == len(found.apps)
        assert {row["relationships"]["space"]["data"]["guid"] for row in own} == {api.space}
        assert len({row["metadata"]["labels"][LABEL] for row in own}) == 1
        droplets = {row["relationships"]["current_droplet"]["data"]["guid"] for row in own}
        assert len(droplets) == len(own)
        assert {api.get(f"/v3/droplets/{guid}")["image"] for guid in droplets} == {IMAGE}
    assert {path: names(api.get(path)) for path in theirs} == theirs


@pytest.mark.parametrize(
    ("driving", "words"),
    [
        (Driving(), "422 .*Assign a droplet.* --app-droplet GUID, or --app-docker-image REF"),
        (Driving(droplet="no-such"), "source_guid=no-such: 404 .*Droplet not found"),
    ],
)
def test_nothing_to_run_is_told(driving: Driving, words: str, api: Api) -> None:
    """Where apps cannot be started, it is said what is missing, and none counts as started."""
    with api.driven(driving) as found:
        assert not found.started
        assert re.search(words, found.trouble)
        assert found.apps


def staging(stub: Stub, *states: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer as an API that shows these states, one after the other, and the last for good."""
    left = list(states)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        state = left.pop(0) if len(left) > 1 else left[0]
        body = {"guid": "one", "state": state, "droplet": {"guid": "staged"}}
        stub.say(handler, 200 if handler.command == "GET" else 201, json.dumps(body).encode())

    return answer


@pytest.mark.parametrize("driving", [Driving(droplet="source"), Driving(docker_image=IMAGE)])
def test_staging_is_waited_for(
    driving: Driving, stub: Stub, connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A droplet that is still staged or copied is waited for, and then it is the app's."""
    monkeypatch.setattr(jobs, "PAUSES", (0, 0))
    stub.answer = staging(stub, "READY", "STAGING", "COPYING", "STAGED")
    Equipment(connect(), driving, "0123abcd").give("app")
    assert stub.targets[-2:] == [
        "/v3/apps/app/relationships/current_droplet",
        "/v3/apps/app/processes/web/actions/scale",
    ]
    assert sum(line.startswith("GET ") for line, _ in stub.got) in {2, 3}


@pytest.mark.parametrize("state", ["FAILED", "STAGING"])
def test_staging_is_bounded(
    state: str, stub: Stub, connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that fails, or comes to no end, is told as such."""
    monkeypatch.setattr(jobs, "PAUSES", (0, 0))
    stub.answer = staging(stub, state)
    with pytest.raises(NothingToRun, match=f"/v3/builds/one is not staged: .*{state}"):
        Equipment(connect(), Driving(docker_image=IMAGE), "0123abcd").give("app")
