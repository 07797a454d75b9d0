"""A run on a foundation that other clients change meanwhile."""

from __future__ import annotations

import os
import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence.listing import APPS
from purge_conformance.target.apps.resources import SPACES, relationship

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult


ACTIONS = ("start", "stop", "restart", "restart", "scale", "create", "delete")
FEWEST, MOST = 4, 12  # apps
PAUSE = 0.02  # seconds between two actions, so that the run gets its turn


class ForeignClient:
    """A client that starts, stops, scales, creates and deletes apps, and purges sometimes."""

    def __init__(self, url: str, token: str, seed: int, purges: float) -> None:
        """Start with the existing apps; `purges` is the fraction of purges."""
        self._url, self._purges = url, purges
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"bearer {token}"
        self._chance = random.Random(seed)  # noqa: S311 -- the same actions in every test
        self._apps = [row["guid"] for row in self._session.get(f"{url}{APPS}").json()["resources"]]
        self._space = self._session.get(f"{url}{SPACES}").json()["resources"][0]["guid"]
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run during the block."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _work(self) -> None:
        while not self._stop.wait(PAUSE):
            if self._chance.random() < self._purges:
                self._post(PURGE_PATH)
            else:
                self._do(self._chance.choice(ACTIONS), self._chance.choice(self._apps))

    def _do(self, action: str, app: str) -> None:
        if action == "create" and len(self._apps) < MOST:
            made = self._post(
                APPS, name=f"neighbour {self._chance.random()}", relationships=relationship("space", self._space)
            )
            self._apps.append(made["guid"])
        elif action == "delete" and len(self._apps) > FEWEST:
            self._apps.remove(app)
            self._session.delete(f"{self._url}{APPS}/{app}")
        elif action == "scale":
            self._post(f"{APPS}/{app}/processes/web/actions/scale", instances=self._chance.randrange(5))
        elif action in {"start", "stop", "restart"}:
            self._post(f"{APPS}/{app}/actions/{action}")

    def _post(self, path: str, **body: object) -> dict[str, str]:
        answer = self._session.post(f"{self._url}{path}", json=body or None)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}


@pytest.mark.parametrize("mode", ["observe", "drive"])
@pytest.mark.parametrize("purges", [0, 0.01])  # rare enough not to meet a request and its repetition
def test_foreign_clients_cause_no_failure(
    mode: str, purges: float, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """Foreign clients that change apps and purge do not fail a conforming target; the report names the interference."""
    with embedded.server(["--variant", "apps-from-the-start"]) as (url, tokens):
        environment = os.environ | {role.upper(): token for role, token in tokens.items()}
        sources = [f"--token={role}=env:{role.upper()}" for role in tokens]
        with ForeignClient(url, tokens["admin"], seed=1, purges=purges).running():
            asked = ("run", url, *sources, f"--apps={mode}", "--profile=core", "--profile=upstream", "--quiet")
            done = command(*asked, "--out", tmp_path, folder=tmp_path, env=environment)
    failed = {name for name, outcome in done.outcomes.items() if outcome == "failed"}
    assert (failed, done.code in {0, 3}) == (set(), True), done.stdout
    notes = " ".join(done.report["notes"])
    assert "that the suite did not create" in notes
    assert purges or "Another client purged" not in notes
