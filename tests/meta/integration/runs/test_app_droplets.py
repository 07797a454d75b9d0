"""Apps of the suite on the reference server, with each source of their droplet."""

from __future__ import annotations

import re
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import requests

from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.apps import AppSettings
from purge_conformance.config.droplet_file import GZIP_MAGIC, Upload
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence.journal import NullJournal
from purge_conformance.evidence.listing import RUN_LABEL
from purge_conformance.evidence.steps import App
from purge_conformance.target.apps import SuiteApps, jobs
from purge_conformance.target.apps.resources import relationship

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


IMAGE = "registry.test/one:1"
BITS = GZIP_MAGIC + b"\r\n--\0\r\n" * 40_000  # several pieces


class Api:
    """An admin of a foundation that starts no app without a droplet, with an app and a droplet of a foreign client."""

    def __init__(self, url: str, token: str) -> None:
        """Create an organization, a space, an app and its droplet."""
        self.url, self._token = url, token
        self.space = self.create(
            "spaces", name="theirs", relationships=relationship("organization", self.create("organizations"))
        )
        self.app = self.create(
            "apps", lifecycle={"type": "docker", "data": {}}, relationships=relationship("space", self.space)
        )
        package = self.create(
            "packages", type="docker", data={"image": IMAGE}, relationships=relationship("app", self.app)
        )
        self.build = self.create("builds", package={"guid": package})
        self.droplet = self.get(f"/v3/builds/{self.build}")["droplet"]["guid"]

    def create(self, kind: str, **body: Any) -> str:  # noqa: ANN401 -- any JSON value
        """Create a resource, and return its guid."""
        named = body if kind in {"packages", "builds"} else {"name": "theirs", **body}
        answer = requests.post(f"{self.url}/v3/{kind}", json=named, headers=self._headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["guid"])

    def get(self, path: str) -> Any:  # noqa: ANN401 -- any JSON value
        """Return the resource at that path."""
        return requests.get(f"{self.url}{path}", headers=self._headers, timeout=30).json()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"bearer {self._token}"}

    @contextmanager
    def build_and_delete(self, driving: AppSettings) -> Iterator[SuiteApps]:
        """Build the suite's apps, and delete them."""
        settings = Settings(Target(self.url), {"admin": self._token}, apps=driving)
        with NullJournal() as journal:
            client = Client(settings, journal, Guard(Limits()), lambda *_: None)
            found = SuiteApps(client)
            found.build()
            yield found
            found.delete_apps()


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A reference server on which an app needs a droplet."""
    with embedded.server(["--variant", "start-needs-droplet"]) as (url, tokens):
        yield Api(url, tokens["admin"])


def app_names(rows: Any) -> set[str]:  # noqa: ANN401 -- JSON
    """The names on a page."""
    return {row["name"] for row in rows["resources"]}


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


@pytest.mark.parametrize(
    ("what", "image", "digest"),
    [
        ("droplet", IMAGE, None),
        ("docker_image", IMAGE, None),
        ("droplet_file", None, {"type": "sha256", "value": sha256(BITS).hexdigest()}),
    ],
)
def test_apps_run_given_source(what: str, image: str | None, digest: object, api: Api, file: Upload) -> None:
    """Apps with a source start, labelled, in the given space, and are deleted afterwards."""
    value = {"droplet": api.droplet, "docker_image": IMAGE, "droplet_file": file}[what]
    theirs = {path: app_names(api.get(path)) for path in ("/v3/apps", "/v3/spaces", "/v3/organizations")}
    driving = AppSettings(space=api.space, **{what: value})
    with api.build_and_delete(driving) as found:
        assert (found.error, found.started) == ("", {App.STARTED, App.SCALED, App.WITHOUT_INSTANCES, App.OTHER_ORG})
        own = [row for row in api.get("/v3/apps")["resources"] if row["guid"] in found.apps.values()]
        assert len(own) == len(found.apps)
        assert {row["relationships"]["space"]["data"]["guid"] for row in own} == {api.space}
        assert len({row["metadata"]["labels"][RUN_LABEL] for row in own}) == 1
        guids = {row["relationships"]["current_droplet"]["data"]["guid"] for row in own}
        assert len(guids) == len(own)
        droplets = [api.get(f"/v3/droplets/{guid}") for guid in guids]
        assert all((droplet["image"], droplet["checksum"]) == (image, digest) for droplet in droplets)
    assert {path: app_names(api.get(path)) for path in theirs} == theirs


@pytest.mark.parametrize(
    ("driving", "words"),
    [
        (AppSettings(), "422 .*Assign a droplet"),
        (AppSettings(droplet="no-such"), "source_guid=no-such: 404 .*Droplet not found"),
    ],
)
def test_missing_source_is_reported(driving: AppSettings, words: str, api: Api) -> None:
    """If apps cannot be started, the reason is reported, and none counts as started."""
    with api.build_and_delete(driving) as found:
        assert not found.started
        assert re.search(words, found.error)
        assert found.apps
