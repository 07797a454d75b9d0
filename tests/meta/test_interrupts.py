"""Interrupts and other ends in the midst of a run: no further purge, a clean foundation, reports without a verdict."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence.records import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

PROGRAM = str(Path(sys.executable).with_name("purge-conformance"))
ADMIN = "--token=admin=env:ADMIN_SECRET"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}


def api(stub_server: StubServer, handler: BaseHTTPRequestHandler) -> None:
    """Answer as an API would that takes everything: what is asked for is done at once, and what is deleted is gone."""
    state = "STOPPED" if handler.path.endswith("/stop") else "STARTED"
    body = json.dumps({"guid": "g", "state": state, "pagination": {}, "resources": [{"guid": "one"}]}).encode()
    stub_server.respond(handler, 404 if (handler.command, handler.path) == ("GET", "/v3/apps/g") else 200, body)


class Running:
    """A run of the command against a stub, which is interrupted while the stub has yet to answer something."""

    def __init__(self, stub_server: StubServer, out: Path, *arguments: str) -> None:
        """Begin nothing yet."""
        self._stub = stub_server
        self.out = out
        self._command = [PROGRAM, "run", stub_server.url, ADMIN, "--out", str(out), *arguments]
        self.process: subprocess.Popen[str] | None = None
        self.told = ""
        self._heard = threading.Semaphore(0)

    def run(self, when: Callable[[str, str], bool], *signals: int) -> int:
        """Run to the end, with these signals at the first request for which `when` holds; return the exit code."""
        sent: list[int] = []

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if not sent and when(handler.command, handler.path):
                sent.append(len(self._stub.received))
                for number in signals:
                    self._interrupt(number)
            api(self._stub, handler)

        self._stub.answer = answer
        with subprocess.Popen(
            self._command, env=os.environ | SECRET, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as self.process:
            assert self.process.stdout
            for line in self.process.stdout:
                self.told += line
                if "Interrupted" in line:
                    self._heard.release()
        self.after = [line for line, _ in self._stub.received[sent[0] :]]
        return self.process.returncode

    def _interrupt(self, number: int) -> None:
        """Send a signal, and wait until the run says that it has it."""
        assert self.process
        self.process.send_signal(number)
        assert self._heard.acquire(timeout=60)

    @property
    def report(self) -> Any:  # noqa: ANN401 -- JSON
        """What its report.json says."""
        return json.loads((self.out / "report.json").read_text(encoding="utf-8"))


def nth_purge(n: int) -> Callable[[str, str], bool]:
    """Return what holds at the n-th purge."""
    seen: list[str] = []

    def holds(method: str, path: str) -> bool:
        if is_purge(method, path):
            seen.append(path)
        return len(seen) == n

    return holds


@pytest.mark.parametrize(("n", "number"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_interrupt_stops_purges(n: int, number: int, stub_server: StubServer, tmp_path: Path) -> None:
    """After an interrupt nothing is sent but deletions of what was made; the reports are partial, the verdict is 3."""
    running = Running(stub_server, tmp_path / "out")
    assert running.run(nth_purge(n), number) == 3
    assert {line.split(" ")[0] for line in running.after} == {"DELETE"}
    assert (running.report["verdict"], running.report["purges"]) == ("inconclusive", n)
    assert any(f"interrupted ({signal.Signals(number).name})" in note for note in running.report["notes"])
    assert {path.name for path in running.out.iterdir()} >= {"report.html", "junit.xml", "summary.md", "evidence.jsonl"}
    assert "Interrupt again to leave at once" in running.told
    assert "Verdict: inconclusive. The run was interrupted" in running.told


def test_interrupt_before_purge_stops_it(stub_server: StubServer, tmp_path: Path) -> None:
    """An interrupt while the archive is read leaves every event as it is."""
    running = Running(stub_server, tmp_path / "out", "--select=PURGE-01")
    assert running.run(lambda _, path: path.startswith(f"{EVENTS_PATH}?per_page=5000"), signal.SIGINT) == 3
    assert (stub_server.purges, running.report["verdict"]) == (0, "inconclusive")


def test_what_is_judged_of_it_is_no_verdict(
    stub_server: StubServer, tmp_path: Path, command: Callable[..., CommandResult]
) -> None:
    """An interrupted run is inconclusive though all that was asked for passed, also when it is judged again."""
    running = Running(stub_server, tmp_path / "out", "--select=PURGE-01")
    assert running.run(nth_purge(3), signal.SIGINT) == 3
    again = command("judge", running.out, "--out", tmp_path / "again", folder=tmp_path / "again")
    assert (again.code, again.outcomes, again.report["verdict"]) == (3, {"PURGE-01": "passed"}, "inconclusive")


def test_second_interrupt_leaves(stub_server: StubServer, tmp_path: Path) -> None:
    """A second interrupt ends the run at once: nothing more is sent, and the cure for what is left is told."""
    running = Running(stub_server, tmp_path / "out")
    assert running.run(nth_purge(1), signal.SIGINT, signal.SIGTERM) == 3
    assert running.after == []
    assert f"purge-conformance cleanup {stub_server.url}" in running.told
    assert read(running.out).exchanges


@contextmanager
def interrupted(url: str, tokens: dict[str, str], out: Path, words: str) -> Iterator[subprocess.Popen[str]]:
    """Run against a server, and interrupt the run, as a terminal does, once it printed these words."""
    command = [PROGRAM, "run", url, ADMIN, "--verbose", "--out", str(out)]
    environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if words in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        process.stdout.read()
        yield process


@pytest.mark.parametrize("words", ["collecting fill", "collecting contract", "collecting parallel"])
def test_interrupt_leaves_foundation_clean(words: str, tmp_path: Path) -> None:
    """Wherever a run is interrupted, nothing that it made is left on the target, and its budget holds."""
    with embedded.server() as (url, tokens), interrupted(url, tokens, tmp_path / "out", words) as process:
        assert process.wait(60) == 3
        headers = {"Authorization": f"bearer {tokens['admin']}"}
        for name in ("apps", "spaces", "organizations"):
            assert requests.get(f"{url}/v3/{name}", headers=headers, timeout=30).json()["resources"] == []
    found = read(tmp_path / "out")
    assert found.note("demolish", "left") == []
    assert "crashed" not in {note.name for note in found.notes}
    assert found.exchanges[-1].experiment == "demolish"


def test_embedded_server_outlives_interrupt(tmp_path: Path) -> None:
    """The embedded server is still there when an interrupted run takes down what it put up on it."""
    out = tmp_path / "out"
    with subprocess.Popen(
        [PROGRAM, "run", "--verbose", "--out", str(out)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        next(line for line in process.stdout if "collecting purge" in line)
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
    assert (process.returncode, read(out).note("demolish", "left")) == (3, [])


def test_target_dies_within_purge(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A target that dies in the middle of a purge is not purged again; the reports are written, and say so."""

    def die(handler: BaseHTTPRequestHandler) -> None:
        if stub_server.purges:
            handler.close_connection = True
        else:
            api(stub_server, handler)

    stub_server.answer = die
    out = tmp_path / "out"
    done = command("run", stub_server.url, ADMIN, "--select=PURGE-*", "--out", out, folder=out, env=os.environ | SECRET)
    assert (done.code, done.report["verdict"], done.report["purges"], stub_server.purges) == (3, "inconclusive", 1, 1)
    assert "gave no answer" in "\n".join(done.report["notes"])
    assert "failed" not in done.outcomes.values()


def test_full_disk_stops_purges(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run that can no longer write its evidence sends nothing more but deletions of what it made, and says so."""

    def short() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    stub_server.answer = lambda handler: api(stub_server, handler)
    out = tmp_path / "out"
    done = command("run", stub_server.url, ADMIN, "--out", out, folder=out, env=os.environ | SECRET, preexec_fn=short)
    recorded = read(out).exchanges
    assert (done.code, stub_server.received[-1][0].split(" ")[0]) == (3, "DELETE")
    assert {line.split(" ")[0] for line, _ in stub_server.received[len(recorded) + 1 :]} == {"DELETE"}
    assert "File too large. Make room" in done.stderr


@pytest.mark.parametrize(("typed", "asked"), [("127.1", True), ("127.0.0.1", False), ("", False)])
def test_host_is_typed_on_a_terminal(typed: str, asked: bool, stub_server: StubServer, tmp_path: Path) -> None:  # noqa: FBT001
    """On a terminal a run asks for the name of a host that nobody allowed, and sends nothing unless it is typed."""
    url = stub_server.url.replace("127.0.0.1", "127.1")
    person, terminal = pty.openpty()
    os.write(person, f"{typed}\n".encode())
    with subprocess.Popen(
        [PROGRAM, "run", url, ADMIN, "--out", str(tmp_path / "out")],
        env=os.environ | SECRET,
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        assert process.wait(60) == (3 if asked else 2)
    shown = os.read(person, 4096).decode()
    os.close(terminal)
    os.close(person)
    assert ("billing data" in shown, bool(stub_server.received)) == (True, asked)
