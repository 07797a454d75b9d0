"""Runs with suite apps in a space of another user, on a target that requires an app to run something."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import requests

from purge_conformance.config.droplet_file import GZIP_MAGIC
from purge_conformance.engine import reference_process
from purge_conformance.evidence.listing import APPS
from purge_conformance.target.apps.resources import ORGANIZATIONS, SPACES, relationship
from purge_conformance.target.cleanup import RESOURCE_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult

    Run = Callable[..., CommandResult]

IMAGE = "registry.test/one:1"


class ForeignSpace:
    """A space of another user on a reference server, with apps, the first of which has a droplet.

    Attributes:
        url, tokens: of the server; role -> token.
        space, droplet: guids.
    """

    def __init__(self, url: str, tokens: dict[str, str], apps: int) -> None:
        """Create the apps."""
        self.url, self.tokens = url, tokens
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"bearer {tokens['admin']}"
        organization = self._create(ORGANIZATIONS, name="theirs")
        self.space = self._create(SPACES, name="theirs", relationships=relationship("organization", organization))
        guids = [
            self._create(APPS, name=f"theirs-{n}", relationships=relationship("space", self.space)) for n in range(apps)
        ]
        package = self._create(
            "/v3/packages", type="docker", data={"image": IMAGE}, relationships=relationship("app", guids[0])
        )
        build = self._session.post(f"{url}/v3/builds", json={"package": {"guid": package}}, timeout=30).json()
        self.droplet = build["droplet"]["guid"]
        current = f"{url}{APPS}/{guids[0]}/relationships/current_droplet"
        self._session.patch(current, json={"data": {"guid": self.droplet}}, timeout=30).raise_for_status()
        self._session.post(f"{url}{APPS}/{guids[0]}/actions/start", timeout=30).raise_for_status()

    def _create(self, path: str, **body: object) -> str:
        answer = self._session.post(f"{self.url}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["guid"])

    @property
    def all(self) -> dict[str, str]:
        """Return the apps with their states, and the spaces and organizations, by guid."""
        answers = [self._session.get(f"{self.url}{path}", timeout=30).json() for path in RESOURCE_PATHS]
        return {row["guid"]: row.get("state", "") for answer in answers for row in answer["resources"]}


@pytest.fixture
def foreign_space(request: pytest.FixtureRequest) -> Iterator[ForeignSpace]:
    """A space of another user, on a server of the variant and with the number of apps of the test."""
    variant, apps = request.param
    with reference_process.server([f"--variant={variant}"]) as (url, tokens):
        yield ForeignSpace(url, tokens, apps)


@pytest.fixture
def run_in_foreign_space(foreign_space: ForeignSpace, command: Run, tmp_path: Path) -> Run:
    """Run the command in that space; afterwards the space is unchanged."""

    def call(*options: str) -> CommandResult:
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in foreign_space.tokens]
        secrets = {f"{role.upper()}_SECRET": token for role, token in foreign_space.tokens.items()}
        arguments = (
            "run",
            foreign_space.url,
            f"--space={foreign_space.space}",
            *sources,
            *options,
            "--out",
            tmp_path / "out",
        )
        before = foreign_space.all
        result = command(*arguments, folder=tmp_path / "out", env=os.environ | secrets)
        assert foreign_space.all == before
        return result

    return call


@pytest.mark.parametrize("foreign_space", [("start-needs-droplet", 1)], indirect=True)
@pytest.mark.parametrize("way", ["--app-droplet", "--app-droplet-file", "--app-docker-image"])
def test_apps_run_given_source(
    way: str, foreign_space: ForeignSpace, run_in_foreign_space: Run, tmp_path: Path
) -> None:
    """With each of the three app sources, a target that starts no empty app is judged completely."""
    file = tmp_path / "droplet.tgz"
    file.write_bytes(GZIP_MAGIC)
    value = {"--app-droplet": foreign_space.droplet, "--app-droplet-file": file, "--app-docker-image": IMAGE}[way]
    result = run_in_foreign_space(f"{way}={value}")
    assert (result.code, result.report["verdict"]) == (0, "conformant"), result.stdout


@pytest.mark.parametrize(
    ("foreign_space", "words"),
    [(("three-apps-at-most", 3), "The quota allows 3 apps"), (("memory-quota", 1), "memory quota_exceeded")],
    indirect=["foreign_space"],
)
def test_quota_is_not_a_failure(words: str, run_in_foreign_space: Run) -> None:
    """A quota that prevents apps or starts makes requirements inconclusive, with its message and a next step."""
    result = run_in_foreign_space()
    assert (result.code, result.report["verdict"]) == (3, "inconclusive"), result.stdout
    assert "failed" not in result.outcomes.values()
    rows = [row for row in result.report["requirements"] if words in row["reason"]]
    assert rows
    assert all(row["next_step"].startswith("Raise the quota") for row in rows)
