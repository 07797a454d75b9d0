"""Cleanup: what killed runs left goes, by its label alone, and nothing of anybody else's."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from purge_conformance.engine import reference_process as embedded
from purge_conformance.errors import SuiteError
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, RUN_LABEL
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.api import ORGANIZATIONS, SPACES
from purge_conformance.target.cleanup import RESOURCE_PATHS, cleanup

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

Row = dict[str, Any]
OWNERS = {SPACES: "organization", APPS: "space"}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between two looks."""
    monkeypatch.setattr(jobs, "POLL_DELAYS", (0, 0))


class Things:
    """Apps, spaces and organizations that a stub has: kind -> guid -> row; it knows of no selector."""

    def __init__(self, stub_server: StubServer) -> None:
        """Have nothing, and delete by jobs."""
        self.rows: dict[str, dict[str, Row]] = {APPS: {}, SPACES: {}, ORGANIZATIONS: {}}
        self.states = ["PROCESSING", "COMPLETE"]  # of the next job
        self.deleted: list[str] = []
        self._stub, self._left = stub_server, list[str]()
        stub_server.answer = self._answer

    def add(self, kind: str, guid: str, run: str | None = None, owner: str = "", *, age: float = 7200) -> None:
        """Have one more, with the label of a run or without any, that was made so many seconds ago."""
        row: Row = {"guid": guid, "name": guid, "metadata": {"labels": {RUN_LABEL: run} if run else {}}}
        row["created_at"] = clock.format_rfc3339(time.time() - age)
        if owner:
            row["relationships"] = {OWNERS[kind]: {"data": {"guid": owner}}}
        self.rows[kind][guid] = row

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(handler.path).path, parse_qs(urlsplit(handler.path).query)
        kind, _, guid = path.rpartition("/")
        if path.startswith("/v3/jobs/"):
            self._stub.respond(handler, 200, json.dumps({"state": self._left.pop(0)}).encode())
        elif handler.command == "DELETE":
            self.deleted.append(path)
            self.rows[kind].pop(guid)
            self._left = [*self.states]
            self._stub.respond(handler, 202, Location="http://elsewhere.test/v3/jobs/one")
        else:
            rows = [row for row in self.rows[path].values() if _is_in(row, query)]
            body = {"pagination": {"total_results": len(rows), "next": None}, "resources": rows}
            self._stub.respond(handler, 200, json.dumps(body).encode())


def _is_in(row: Row, query: dict[str, list[str]]) -> bool:
    owners = {guid for name, guids in query.items() if name.endswith("_guids") for guid in guids}
    return not owners or any(r["data"]["guid"] in owners for r in row.get("relationships", {}).values())


@pytest.fixture
def things(stub_server: StubServer) -> Things:
    """A foundation with an app, a space and an organization of a run, and others of somebody else's."""
    made = Things(stub_server)
    for kind, guid, owner in ((ORGANIZATIONS, "org", ""), (SPACES, "space", "org"), (APPS, "app", "space")):
        made.add(kind, guid, "0123abcd", owner)
        made.add(kind, f"others-{guid}", None, owner and f"others-{owner}")
    return made


def test_what_is_labelled_goes(things: Things, make_client: Callable[..., Client]) -> None:
    """What bears the label goes, what is inside first; everything else stays, also where the selector is ignored."""
    said: list[str] = []
    assert cleanup(make_client(), said.append) == 3
    assert things.deleted == [f"{APPS}/app", f"{SPACES}/space", f"{ORGANIZATIONS}/org"]
    assert [list(rows) for rows in things.rows.values()] == [["others-app"], ["others-space"], ["others-org"]]
    assert said[0] == f"deleted {APPS}/app app of run 0123abcd"


def test_others_keep_what_holds_them(things: Things, make_client: Callable[..., Client]) -> None:
    """A space with an app of somebody else's in it stays, and the organization of that space."""
    things.add(APPS, "guest", None, "space")
    said: list[str] = []
    with pytest.raises(SuiteError, match="2 of what was found is still there"):
        cleanup(make_client(), said.append)
    assert things.deleted == [f"{APPS}/app"]
    assert f"left {SPACES}/space space of run 0123abcd: there is still something in it: {APPS}/guest" in said


@pytest.mark.parametrize("when", [{"created_at": 600}, {"updated_at": 600}, {}])
@pytest.mark.parametrize("dry", [False, True])
def test_live_run_keeps_its_things(
    when: dict[str, float], things: Things, make_client: Callable[..., Client], *, dry: bool
) -> None:
    """Of a run that lately changed something, or nobody knows when, nothing is deleted; others' leavings are."""
    for guid in ("old", "young"):
        things.add(APPS, guid, "4567cdef")
    row = things.rows[APPS]["young"]
    del row["created_at"]
    row |= {name: clock.format_rfc3339(time.time() - age) for name, age in when.items()}
    said: list[str] = []
    if dry:
        assert cleanup(make_client(), said.append, dry_run=True) == 3
    else:
        with pytest.raises(SuiteError, match="2 of what was found is still there"):
            cleanup(make_client(), said.append)
    kept = " ".join(line for line in said if "--run 4567cdef" in line)
    assert set(re.findall(r"/v3/\S+", kept)) == {f"{APPS}/old", f"{APPS}/young"}
    assert (len(things.deleted), set(things.rows[APPS]) >= {"old", "young"}) == (0 if dry else 3, True)


def test_named_run_is_deleted_at_once(things: Things, make_client: Callable[..., Client]) -> None:
    """Whoever names a run deletes what it made just now, and nothing of another run."""
    things.add(APPS, "young", "4567cdef", age=1)
    assert cleanup(make_client(), lambda _: None, "4567cdef") == 1
    assert things.deleted == [f"{APPS}/young"]


@pytest.mark.parametrize(("run", "dry", "found", "deleted"), [("0123abcd", True, 3, 0), ("another", False, 0, 0)])
def test_cleanup_can_be_narrowed(  # noqa: PLR0913 -- two fixtures, and the parts of a case
    run: str, found: int, deleted: int, things: Things, make_client: Callable[..., Client], *, dry: bool
) -> None:
    """One run alone can be cleaned up after, and what would be deleted can be listed before."""
    assert cleanup(make_client(), lambda _: None, run, dry_run=dry) == found
    assert len(things.deleted) == deleted


@pytest.mark.parametrize(
    ("states", "why"), [(["FAILED"], "its job failed"), (["PROCESSING"] * jobs.POLLS, "its job is still PROCESSING")]
)
def test_jobs_are_bounded(states: list[str], why: str, things: Things, make_client: Callable[..., Client]) -> None:
    """A deletion whose job fails, or comes to no end, is told as left."""
    things.states = states
    said: list[str] = []
    cleanup(make_client(), said.append)  # the stub deletes all the same
    assert all(why in line for line in said)


def test_lost_cleanup_goes_on(things: Things, stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """Where the target dies in the middle, that is said, and a second cleanup deletes the rest."""
    whole = stub_server.answer

    def dying(handler: BaseHTTPRequestHandler) -> None:
        if things.deleted:
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            whole(handler)

    stub_server.answer = dying
    with pytest.raises(
        SuiteError, match=r"^0 of what was found is deleted, and then: .* gave no answer.*cleanup. again"
    ):
        cleanup(make_client(), lambda _: None)
    stub_server.answer = whole
    assert cleanup(make_client(), lambda _: None) == 2
    assert [list(rows) for rows in things.rows.values()] == [["others-app"], ["others-space"], ["others-org"]]


KILLED = """
import os, signal, sys
from purge_conformance import collect, progress
from purge_conformance.cli import main

name, left = sys.argv.pop(1), int(sys.argv.pop(1))
plan, sent = collect._plan, progress.Reporter.sent

def shorter(*given):
    return [step for step in plan(*given) if step[0] in {"reach", "foundation", "archive", name}]

def killing(self, client, exchange):
    global left
    left -= client.experiment == name
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    sent(self, client, exchange)

collect._plan, progress.Reporter.sent = shorter, killing
main()
"""


@pytest.mark.parametrize(
    ("name", "most", "at_home"),
    [
        ("foundation", 30, True),
        ("foundation", 30, False),
        ("race", 60, True),
        ("sequences", 100, False),
        ("demolish", 5, True),
    ],
)
def test_killed_run_is_cleaned_up_after(
    name: str, most: int, tmp_path: Path, command: Callable[..., CommandResult], *, at_home: bool
) -> None:
    """A run that is killed, wherever that is, leaves nothing that cleanup does not delete, and others keep theirs.

    It is killed after some of the requests of an experiment, `most` of them or fewer; by then something of it is there.
    """
    last = random.Random(f"{name} {at_home}").randint(most // 2, most)  # noqa: S311 -- the same in every run
    with embedded.server(["--variant", "apps-from-the-start"]) as (url, tokens):
        theirs = things_at(url, tokens["admin"])
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        space = next(path.removeprefix(f"{SPACES}/") for path in sorted(theirs) if path.startswith(SPACES))
        where = () if at_home else (f"--space={space}",)
        asked = ("run", url, "--token=admin=env:ADMIN_SECRET", "--quiet", f"--out={tmp_path / 'out'}", *where)
        program = [sys.executable, "-c", KILLED, name, str(last), *asked]
        killed = subprocess.run(program, env=environment, capture_output=True, timeout=120, check=False)
        left = things_at(url, tokens["admin"]) - theirs
        clean = ("cleanup", url, "--token=admin=env:ADMIN_SECRET")
        done = command(*clean, folder=tmp_path, env=environment)
        assert (done.code, things_at(url, tokens["admin"]) - theirs) == (3, left)  # that run might be under way
        (run,) = set(re.findall(r"--run (\w+)", done.stdout))
        done = command(*clean, f"--run={run}", folder=tmp_path, env=environment)
        assert (done.code, things_at(url, tokens["admin"])) == (0, theirs)
    assert killed.returncode == -signal.SIGKILL
    assert len(done.stdout.splitlines()) == len(left) + 1
    assert left


def things_at(url: str, token: str) -> set[str]:
    """All apps, spaces and organizations of a target."""
    admin = {"Authorization": f"bearer {token}"}
    answers = {path: requests.get(f"{url}{path}", headers=admin, timeout=30).json() for path in RESOURCE_PATHS}
    return {f"{path}/{row['guid']}" for path, answer in answers.items() for row in answer["resources"]}


def test_cleanup_is_a_command(command: Callable[..., CommandResult]) -> None:
    """The command lists what it deletes, and ends with 0; on a clean target it says that there is nothing."""
    with embedded.server() as (url, tokens):
        asked = ("cleanup", url, "--token=admin=env:ADMIN_SECRET")
        admin = {"Authorization": f"bearer {tokens['admin']}"}
        body = {"name": "left", "metadata": {"labels": {RUN_LABEL: "0123abcd"}}}
        requests.post(f"{url}{ORGANIZATIONS}", json=body, headers=admin, timeout=30).raise_for_status()
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        done = [command(*asked, "--run=0123abcd", folder=None, env=environment) for _ in range(2)]
    assert [one.code for one in done] == [0, 0]
    assert done[0].stdout.startswith(f"deleted {ORGANIZATIONS}/")
    assert (done[0].stdout.splitlines()[-1], done[1].stdout) == ("1 deleted.", "Nothing to delete.\n")
