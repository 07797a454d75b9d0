"""Whole runs with apps of the suite's own, in a space of somebody else's, where a target wants something of an app."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import requests

from purge_conformance.config.droplet_file import GZIP_MAGIC
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence.listing import APPS
from purge_conformance.target.apps.api import ORGANIZATIONS, SPACES, relationship
from purge_conformance.target.cleanup import RESOURCE_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult

    Run = Callable[..., CommandResult]

IMAGE = "registry.test/one:1"


class Theirs:
    """A space of somebody else's on a reference server, with apps, the first of which has a droplet.

    Attributes:
        url, tokens: of the server; role -> token.
        space, droplet: guids.
    """

    def __init__(self, url: str, tokens: dict[str, str], apps: int) -> None:
        """Make them."""
        self.url, self.tokens = url, tokens
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"bearer {tokens['admin']}"
        organization = self._made(ORGANIZATIONS, name="theirs")
        self.space = self._made(SPACES, name="theirs", relationships=relationship("organization", organization))
        made = [
            self._made(APPS, name=f"theirs-{n}", relationships=relationship("space", self.space)) for n in range(apps)
        ]
        package = self._made(
            "/v3/packages", type="docker", data={"image": IMAGE}, relationships=relationship("app", made[0])
        )
        build = self._session.post(f"{url}/v3/builds", json={"package": {"guid": package}}, timeout=30).json()
        self.droplet = build["droplet"]["guid"]
        current = f"{url}{APPS}/{made[0]}/relationships/current_droplet"
        self._session.patch(current, json={"data": {"guid": self.droplet}}, timeout=30).raise_for_status()
        self._session.post(f"{url}{APPS}/{made[0]}/actions/start", timeout=30).raise_for_status()

    def _made(self, path: str, **body: object) -> str:
        answer = self._session.post(f"{self.url}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["guid"])

    @property
    def all(self) -> dict[str, str]:
        """The apps with their state, and the spaces and organizations, by guid."""
        answers = [self._session.get(f"{self.url}{path}", timeout=30).json() for path in RESOURCE_PATHS]
        return {row["guid"]: row.get("state", "") for answer in answers for row in answer["resources"]}


@pytest.fixture
def theirs(request: pytest.FixtureRequest) -> Iterator[Theirs]:
    """A space on a server of the variant, and with as many apps, as the test says."""
    variant, apps = request.param
    with embedded.server([f"--variant={variant}"]) as (url, tokens):
        yield Theirs(url, tokens, apps)


@pytest.fixture
def run(theirs: Theirs, command: Run, tmp_path: Path) -> Run:
    """Run the command in that space; afterwards all is there that was there before, as it was, and nothing else."""

    def call(*options: str) -> CommandResult:
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in theirs.tokens]
        secrets = {f"{role.upper()}_SECRET": token for role, token in theirs.tokens.items()}
        asked = ("run", theirs.url, f"--space={theirs.space}", *sources, *options, "--out", tmp_path / "out")
        before = theirs.all
        done = command(*asked, folder=tmp_path / "out", env=os.environ | secrets)
        assert theirs.all == before
        return done

    return call


@pytest.mark.parametrize("theirs", [("start-needs-droplet", 1)], indirect=True)
@pytest.mark.parametrize("way", ["--app-droplet", "--app-droplet-file", "--app-docker-image"])
def test_run_with_something_to_run(way: str, theirs: Theirs, run: Run, tmp_path: Path) -> None:
    """In each of the three ways to give apps what they run, a target that starts none without is judged whole."""
    file = tmp_path / "droplet.tgz"
    file.write_bytes(GZIP_MAGIC)
    value = {"--app-droplet": theirs.droplet, "--app-droplet-file": file, "--app-docker-image": IMAGE}[way]
    done = run(f"{way}={value}")
    assert (done.code, done.report["verdict"]) == (0, "conformant"), done.stdout


@pytest.mark.parametrize(
    ("theirs", "words"),
    [(("three-apps-at-most", 3), "The quota allows 3 apps"), (("memory-quota", 1), "memory quota_exceeded")],
    indirect=["theirs"],
)
def test_quota_is_no_finding(words: str, run: Run) -> None:
    """A quota that lets no more apps be made, or started, leaves open what needs them, with its words and the cure."""
    done = run()
    assert (done.code, done.report["verdict"]) == (3, "inconclusive"), done.stdout
    assert "failed" not in done.outcomes.values()
    reasons = [row["reason"] for row in done.report["requirements"] if row["outcome"] == "not exercised"]
    assert any(words in reason and "Make room in the quota" in reason for reason in reasons)
