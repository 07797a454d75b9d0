"""A foundation that others use as well: what they do is told, and never blamed on the target."""

from __future__ import annotations

import os
import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from purge_conformance.analysis.interference import count_changing_apps, find_foreign_purge
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence.listing import APPS
from purge_conformance.target.apps.api import SPACES, relationship

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Done, Story

DEEDS = ("start", "stop", "restart", "restart", "scale", "create", "delete")
FEWEST, MOST = 4, 12  # apps
PAUSE = 0.02  # seconds between two deeds, so that the run gets its turn


class Neighbour:
    """Somebody else, who starts, stops, scales, creates and deletes apps, and purges now and then."""

    def __init__(self, url: str, token: str, seed: int, purges: float) -> None:
        """Begin with the apps that are there; `purges` is the part of all deeds."""
        self._url, self._purges = url, purges
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"bearer {token}"
        self._chance = random.Random(seed)  # noqa: S311 -- the same deeds in every test
        self._apps = [row["guid"] for row in self._session.get(f"{url}{APPS}").json()["resources"]]
        self._space = self._session.get(f"{url}{SPACES}").json()["resources"][0]["guid"]
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Be at work for the length of the block."""
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
                self._do(self._chance.choice(DEEDS), self._chance.choice(self._apps))

    def _do(self, deed: str, app: str) -> None:
        if deed == "create" and len(self._apps) < MOST:
            made = self._post(
                APPS, name=f"neighbour {self._chance.random()}", relationships=relationship("space", self._space)
            )
            self._apps.append(made["guid"])
        elif deed == "delete" and len(self._apps) > FEWEST:
            self._apps.remove(app)
            self._session.delete(f"{self._url}{APPS}/{app}")
        elif deed == "scale":
            self._post(f"{APPS}/{app}/processes/web/actions/scale", instances=self._chance.randrange(5))
        elif deed in {"start", "stop", "restart"}:
            self._post(f"{APPS}/{app}/actions/{deed}")

    def _post(self, path: str, **body: object) -> dict[str, str]:
        answer = self._session.post(f"{self._url}{path}", json=body or None)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}


@pytest.mark.parametrize("mode", ["observe", "drive"])
@pytest.mark.parametrize("purges", [0, 0.03])
def test_neighbours_accuse_nobody(mode: str, purges: float, command: Callable[..., Done], tmp_path: Path) -> None:
    """Whatever others do, purges too, a conforming target fails nothing, and the report tells of what they did."""
    with embedded.server(["--variant", "apps-from-the-start"]) as (url, tokens):
        environment = os.environ | {role.upper(): token for role, token in tokens.items()}
        sources = [f"--token={role}=env:{role.upper()}" for role in tokens]
        with Neighbour(url, tokens["admin"], seed=1, purges=purges).at_work():
            asked = ("run", url, *sources, f"--apps={mode}", "--profile=core", "--profile=upstream", "--quiet")
            done = command(*asked, "--out", tmp_path, folder=tmp_path, env=environment)
    failed = {name for name, outcome in done.outcomes.items() if outcome == "failed"}
    assert (failed, done.code in {0, 3}) == (set(), True), done.stdout
    notes = " ".join(done.report["notes"])
    assert "in flux" in notes
    assert purges or "Somebody else purged" not in notes


def test_others_purge_is_seen(story: Story) -> None:
    """That all is gone and others are seeded, while the suite but read, is somebody else's purge."""
    seed = story.event("app", "app", "2026-07-01T12:00:00Z")
    story.walk("lists", "opening", [seed, story.event("recorded", "app")])
    story.walk("lists", "closing", [seed | {"created_at": "2026-07-01T12:00:09Z"}])
    assert find_foreign_purge(story.evidence) == (1, 2)


def test_late_seeds_are_no_others_purge(story: Story) -> None:
    """What stands where nothing stood is the purge's before it, and late."""
    story.walk("lists", "opening", [])
    story.walk("lists", "closing", [story.event("app", "app", "2026-07-01T12:00:00Z")])
    assert find_foreign_purge(story.evidence) is None


def test_late_destruction_is_no_others_purge(story: Story) -> None:
    """What a purge of the suite's own should have destroyed, and goes only later, is gone by that purge."""
    seed, old = story.event("app", "app", "2026-07-01T12:00:02Z"), [story.event("a", "app"), story.event("b", "app")]
    story.walk("purge", "before.events", old)
    story.purge("purge")
    story.walk("purge", "after.events", [*old, seed])
    story.walk("lists", "opening", [seed])
    assert find_foreign_purge(story.evidence) is None


@pytest.mark.parametrize(("second", "is_purge"), [("12:00:00Z", False), ("12:00:09Z", True)])
def test_seeds_alone_are_all_others(second: str, story: Story, *, is_purge: bool) -> None:
    """Where seeded events stood alone, a purge is told by all of them being others now: one may be recorded over."""
    seeds = [story.event(app, app, "2026-07-01T12:00:00Z") for app in ("one", "two")]
    story.walk("lists", "opening", seeds)
    later = ("2026-07-01T12:00:09Z", f"2026-07-01T{second}")
    story.walk("lists", "closing", [seed | {"created_at": at} for seed, at in zip(seeds, later, strict=True)])
    assert find_foreign_purge(story.evidence) == ((1, 2) if is_purge else None)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_own_doing_is_no_others(method: str, story: Story) -> None:
    """What the suite tried may have done it, be it refused, and so it is nobody else's purge."""
    seed = story.event("app", "app", "2026-07-01T12:00:00Z")
    story.walk("lists", "opening", [seed, story.event("recorded", "app")])
    story.say("refused", "credential", method=method, path=PURGE_PATH, status=403)
    story.walk("lists", "closing", [seed | {"created_at": "2026-07-01T12:00:09Z"}])
    assert find_foreign_purge(story.evidence) is None


def test_flux_is_counted(story: Story) -> None:
    """Apps of others that came, went or changed are in flux; the suite's own are not counted."""
    story.say("foundation", "create", method="POST", path=APPS, status=201, data={"guid": "own"})
    still, moved, gone = story.app("still"), story.app("moved"), story.app("gone")
    story.look("purge", "before", apps=[still, moved, gone, story.app("own")])
    story.look("purge", "after", apps=[still, moved | {"state": "STOPPED"}, story.app("own", "STOPPED")])
    assert count_changing_apps(story.evidence) == (3, 2)
