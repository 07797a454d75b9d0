"""What is told before the first purge: the event that may not have been read yet, and why nothing will be purged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import collect
from purge_conformance.engine import plan as planning
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

ROOM = Path(__file__).parents[1] / "conformance"
ADMIN = "--token=admin=env:ADMIN_SECRET"


@pytest.fixture
def used() -> Iterator[tuple[str, str, str]]:
    """A reference server where somebody else stopped an app just now: URL, token of an admin, guid of that event."""
    with embedded.server(["--variant", "apps-from-the-start"]) as (url, tokens):
        headers = {"Authorization": f"bearer {tokens['admin']}"}
        app = requests.get(f"{url}{APPS}", headers=headers, timeout=20).json()["resources"][0]["guid"]
        for deed in ("start", "stop"):
            requests.post(f"{url}{APPS}/{app}/actions/{deed}", headers=headers, timeout=20).raise_for_status()
        newest = requests.get(f"{url}{EVENTS_PATH}?order_by=-created_at", headers=headers, timeout=20).json()
        yield url, tokens["admin"], newest["resources"][0]["guid"]


def listing(rows: Sequence[Mapping[str, Any]], total: int | None = None) -> bytes:
    """Return a page that names no next one."""
    return json.dumps({"pagination": {"total_results": total or len(rows)}, "resources": rows}).encode()


def settings(stub_server: StubServer, **limits: int) -> Settings:
    """Return settings of a run against the stub, under a name that is not known to be this machine's."""
    return Settings(
        Target(stub_server.url.replace("127.0.0.1", "127.1")), {"admin": "an-opaque-secret"}, limits=Limits(**limits)
    )


def warnings(asked: Settings, folder: Path, stub_server: StubServer) -> list[tuple[str, int]]:
    """Return what a run warns of, and how many purges had arrived by then."""
    told: list[tuple[str, int]] = []
    collect.collect(asked, folder, lambda *_: None, warn=lambda text: told.append((text, stub_server.purges)))
    return told


@pytest.mark.parametrize(("age", "is_told"), [(60, True), (3600, False)])
def test_fresh_event_is_told_first(age: float, stub_server: StubServer, tmp_path: Path, *, is_told: bool) -> None:
    """Before the first purge arrives, a run tells the last event if it is only minutes old; and no other."""
    rows = [{"guid": "newest", "created_at": clock.format_rfc3339(time.time() - age), "app": {"guid": "theirs"}}]
    stub_server.answer = lambda handler: stub_server.respond(handler, body=listing(rows))
    told = warnings(settings(stub_server, max_requests=100), tmp_path / "out", stub_server)
    assert stub_server.purges > 0
    assert [before for _, before in told] == [0] * is_told
    assert all("newest of 20" in text and "billing consumer" in text for text, _ in told)


def test_command_warns(used: tuple[str, str, str], command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """`run` warns on its standard error, though it is quiet."""
    url, token, guid = used
    options = ("--select=PURGE-01", "--quiet", "--max-requests=150", "--out", str(tmp_path))
    done = command("run", url, ADMIN, *options, folder=tmp_path, env=os.environ | {"ADMIN_SECRET": token})
    assert done.stderr.startswith("Warning: ")
    assert guid in done.stderr
    assert done.outcomes["PURGE-01"] == "passed"


def test_pytest_warns(used: tuple[str, str, str], tmp_path: Path) -> None:
    """So does plain pytest, above its own lines."""
    url, token, guid = used
    options = [f"--target={url}", ADMIN, "--conformance-select=PURGE-01", f"--conformance-out={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(ROOM), *options],
        env=os.environ | {"ADMIN_SECRET": token},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Warning: "))
    assert guid in line


def test_too_many_events_are_not_purged(stub_server: StubServer, tmp_path: Path) -> None:
    """Of more events than are archived none is purged; the run says so at once, with the cure, and later too."""
    page = listing([{"guid": f"event-{n}"} for n in range(3)], 7)
    stub_server.answer = lambda handler: stub_server.respond(handler, body=page)
    asked = settings(stub_server, max_requests=100, max_events=3)
    ((text, _),) = warnings(asked, tmp_path / "out", stub_server)
    assert (stub_server.purges, text.startswith("Nothing will be purged."), "--max-events" in text) == (0, True, True)
    stopped = [x for x in (tmp_path / "out" / "evidence.jsonl").read_text().splitlines() if '"stopped"' in x]
    assert any("none may be destroyed" in line and "--max-events" in line for line in stopped)


def test_too_many_events_are_told_beforehand(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """`doctor` and `plan` name the bound that a run needs."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=listing([{"guid": "one"}], 70_000))
    assert planning.plan_run(settings(stub_server)).events == 70_000
    (found,) = (check for check in run_checks(settings(stub_server)) if check.name == "events")
    assert (found.status, "--max-events 140000" in found.next_step) == ("warning", True)
    for more, is_told in ((), True), (("--max-events=140000",), False):
        done = command(
            *("plan", stub_server.url, ADMIN, *more),
            folder=tmp_path,
            env=os.environ | {"ADMIN_SECRET": "x"},
            cwd=tmp_path,
        )
        assert ("--max-events 140000" in done.stdout) == is_told


def test_bound_can_be_raised(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """With a larger --max-events a run archives them all, and purges."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=listing([{"guid": f"event-{n}"} for n in range(3)])
    )
    for most, purges in ("2", False), ("10", True):
        out = tmp_path / most
        done = command(
            *(
                "run",
                stub_server.url.replace("127.0.0.1", "127.1"),
                ADMIN,
                "--allow-purge=127.1",
                f"--max-events={most}",
            ),
            *("--max-requests=90", "--select=PURGE-01", "--out", out),
            folder=out,
            env=os.environ | {"ADMIN_SECRET": "x"},
        )
        assert ("Nothing will be purged" not in done.stderr, stub_server.purges > 0) == (purges, purges)
