"""The reference server as a process: addresses, connections and databases."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from meta.support.reference_api import EVENTS, PURGE

if TYPE_CHECKING:
    from collections.abc import Iterator


COMMAND = Path(sys.executable).with_name("purge-conformance")
PROGRAM = """
import json, sys
from purge_conformance.reference import serve
options = json.loads(sys.argv[1])
ready = lambda url, tokens: print(json.dumps([url, dict(tokens)]), flush=True)
more = {name: options[name] for name in ("mounts", "variants", "apps", "events") if name in options}
serve("127.0.0.1", 0, options.get("database"), options.get("faults", []), ready, **more)
"""


@contextmanager
def serving(**options: Any) -> Iterator[tuple[str, requests.Session, subprocess.Popen[str]]]:  # noqa: ANN401
    """Run a server; yield its URL, a session with an admin's token, and the process."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, requests.Session() as session:
        try:
            assert process.stdout is not None
            url, tokens = json.loads(process.stdout.readline())
            session.headers["authorization"] = f"bearer {tokens['admin']}"
            yield url, session, process
        finally:
            process.terminate()


def test_server_answers_when_ready() -> None:
    """After the server prints its URL it responds, with a Date, and SIGTERM ends it with 0."""
    with serving() as (url, session, process):
        answer = session.get(url + EVENTS, timeout=5)
        assert (answer.status_code, "date" in answer.headers) == (200, True)
        assert answer.json()["pagination"]["first"]["href"].startswith(url)
        process.terminate()
        assert process.wait(30) == 0


def test_command_prints_how_to_judge_it() -> None:
    """`serve` prints the line that judges the server, with each token that it printed and the hook; also of a mount."""
    arguments = ["serve", "--port=0", "--states=/_states", "--mount=20-a-page"]
    with subprocess.Popen([COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = list(takewhile(lambda line: not line.startswith("purge-conformance run"), process.stdout))
        last = process.stdout.readline()
        process.terminate()
    url = lines[0].split()[1].rstrip(".")
    roles = [line.split("_TOKEN=")[0].removeprefix("export ") for line in lines if line.startswith("export ")]
    assert lines[-1] == "To judge it, in a shell with these variables:\n"
    assert last.startswith(f"purge-conformance run {url}/20-a-page --token admin=env:ADMIN_TOKEN")
    assert all(f"--token {role.lower()}=env:{role}_TOKEN" in last for role in roles)
    assert last.endswith(f"--hook {url}/20-a-page/_states\n")


def test_prefixes_are_isolated() -> None:
    """Instances with prefixes have their own faults and databases, and accept the same tokens."""
    with serving(mounts={"/right": [], "wrong": ["purge-answers-202"]}) as (url, session, _):
        session.post(f"{url}/wrong/v3/organizations", json={"name": "only here"}, timeout=5)
        for prefix, status, organizations in (("", 200, 0), ("/right", 200, 0), ("/wrong", 202, 1)):
            assert session.post(url + prefix + PURGE, timeout=5).status_code == status
            pagination = session.get(f"{url}{prefix}/v3/organizations", timeout=5).json()["pagination"]
            assert pagination["total_results"] == organizations
            assert pagination["first"]["href"].startswith(f"{url}{prefix}/v3/")


@pytest.mark.parametrize(("variant", "begins"), [("ipv6", "http://[::1]:"), ("below-a-path", "http://127.0.0.1:")])
def test_announced_url_is_used(variant: str, begins: str) -> None:
    """The announced URL contains the variant of address or path; links lead there, and other paths are unknown."""
    with serving(variants=[variant]) as (url, session, _):
        assert url.startswith(begins)
        assert session.post(url + PURGE, timeout=5).status_code == 200
        assert session.get(url + EVENTS, timeout=5).json()["pagination"]["first"]["href"].startswith(url + EVENTS)
        assert session.get(url.removesuffix("/cf/api") + "/cf/v3", timeout=5).status_code == 404


def test_idle_connection_is_closed() -> None:
    """With closes-idle-connections a request on a persistent connection fails at last; on a new one it succeeds."""
    with serving(variants=["closes-idle-connections"]) as (url, session, _):
        answers = [session.get(url + EVENTS, timeout=5).status_code for _ in range(5)]
        with pytest.raises(requests.ConnectionError):
            session.get(url + EVENTS, timeout=5)
        assert [*answers, session.get(url + EVENTS, timeout=5).status_code] == [200] * 6


def test_database_is_persistent(tmp_path: Path) -> None:
    """A named database keeps its content for the next server."""
    database = f"sqlite:///{tmp_path / 'foundation.db'}"
    with serving(database=database) as (url, session, _):
        session.post(f"{url}/v3/organizations", json={"name": "kept"}, timeout=5)
    with serving(database=database) as (url, session, _):
        (organization,) = session.get(f"{url}/v3/organizations", timeout=5).json()["resources"]
    assert organization["name"] == "kept"


def test_apps_and_events_exist_from_the_start() -> None:
    """`serve` creates as many started apps and events as requested, and only where nothing is mounted."""
    with serving(apps=30, events=120, mounts={"other": []}) as (url, session, _):
        for prefix, apps, events in (("", 30, 120), ("/other", 0, 0)):
            assert session.get(f"{url}{prefix}/v3/apps", timeout=5).json()["pagination"]["total_results"] == apps
            assert session.get(f"{url}{prefix}{EVENTS}", timeout=5).json()["pagination"]["total_results"] == events
        assert session.post(url + PURGE, timeout=5).status_code == 200
        assert session.get(url + EVENTS, timeout=5).json()["pagination"]["total_results"] == 30


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_wrong_methods_are_404(method: str) -> None:
    """A method without a route is 404 in a real response too, and HEAD has no body."""
    with serving() as (url, session, _):
        answer = session.request(method, url + PURGE, timeout=5)
        assert (answer.status_code, bool(answer.content)) == (404, method != "HEAD")
