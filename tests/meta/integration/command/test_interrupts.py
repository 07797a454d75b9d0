"""A run that is cut short: no further purge, apps deleted, reports without a verdict."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from meta.support.running_command import (
    ADMIN,
    PROGRAM,
    SECRET,
    RunningCommand,
    accept_everything,
    nth_purge,
    run_until_interrupted,
)
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine import reference_process
from purge_conformance.evidence import notes
from purge_conformance.evidence.jsonl import read
from purge_conformance.evidence.steps import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer


FILE_BYTES = 250_000  # more than a report of the rehearsal, and less than the evidence of a run


@pytest.mark.parametrize(("n", "number"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_interrupt_stops_purges(n: int, number: int, stub_server: StubServer, tmp_path: Path) -> None:
    """After an interrupt only deletions are sent; the reports are partial, and the exit code is 3."""
    running = RunningCommand(stub_server, tmp_path / "out")
    assert running.run(nth_purge(n), number) == 3
    assert {line.split(" ")[0] for line in running.after} == {"DELETE"}
    assert (running.report["verdict"], running.report["purges"]) == ("inconclusive", n)
    assert any(f"interrupted ({signal.Signals(number).name})" in note for note in running.report["notes"])
    assert {path.name for path in running.out.iterdir()} >= {"report.html", "junit.xml", "summary.md", "evidence.jsonl"}
    assert "Interrupt again to exit at once" in running.output
    assert "Verdict: inconclusive. The run was interrupted" in running.output


def test_interrupt_before_purge_prevents_it(stub_server: StubServer, tmp_path: Path) -> None:
    """An interrupt during the archive leaves every event as it is."""
    running = RunningCommand(stub_server, tmp_path / "out", "--select=PURGE-01")
    assert running.run(lambda _, path: path.startswith(f"{EVENTS_PATH}?per_page=5000"), signal.SIGINT) == 3
    assert (stub_server.purges, running.report["verdict"]) == (0, "inconclusive")


def test_interrupted_run_is_inconclusive(
    stub_server: StubServer, tmp_path: Path, command: Callable[..., CommandResult]
) -> None:
    """An interrupted run is inconclusive although every selected requirement passed, also when it is judged again."""
    running = RunningCommand(stub_server, tmp_path / "out", "--select=PURGE-01")
    assert running.run(nth_purge(3), signal.SIGINT) == 3
    again = command("judge", running.out, "--out", tmp_path / "again", folder=tmp_path / "again")
    assert (again.code, again.outcomes, again.report["verdict"]) == (3, {"PURGE-01": "passed"}, "inconclusive")


def test_second_interrupt_exits_immediately(stub_server: StubServer, tmp_path: Path) -> None:
    """A second interrupt ends the run at once: nothing more is sent, and the cleanup command is printed."""
    running = RunningCommand(stub_server, tmp_path / "out")
    assert running.run(nth_purge(1), signal.SIGINT, signal.SIGTERM) == 3
    assert running.after == []
    assert f"purge-conformance cleanup {stub_server.url}" in running.output
    assert read(running.out).exchanges


@pytest.mark.parametrize("words", ["collecting fill-page", "collecting generated", "collecting concurrent-purges"])
def test_interrupt_deletes_suite_apps(words: str, tmp_path: Path) -> None:
    """After an interrupt at any point, all created resources are deleted within the budget."""
    with (
        reference_process.server() as (url, tokens),
        run_until_interrupted(url, tokens, tmp_path / "out", words) as process,
    ):
        assert process.wait(60) == 3
        headers = {"Authorization": f"bearer {tokens['admin']}"}
        for name in ("apps", "spaces", "organizations"):
            assert requests.get(f"{url}/v3/{name}", headers=headers, timeout=30).json()["resources"] == []
    evidence = read(tmp_path / "out")
    assert evidence.note(Scenario.CLEANUP, notes.LEFT) == []
    assert evidence.noted(notes.CRASHED) == ()
    assert evidence.exchanges[-1].scenario is Scenario.CLEANUP


def test_reference_server_survives_interrupt(tmp_path: Path) -> None:
    """The reference server is still available when an interrupted run deletes its apps."""
    out = tmp_path / "out"
    with subprocess.Popen(
        [PROGRAM, "run", "--verbose", "--out", str(out)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        next(line for line in process.stdout if "collecting purge" in line)
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
    assert (process.returncode, read(out).note(Scenario.CLEANUP, notes.LEFT)) == (3, [])


def test_target_lost_during_purge(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A target that dies during a purge is not purged again; the reports say so."""

    def die(handler: BaseHTTPRequestHandler) -> None:
        if stub_server.purges:
            handler.close_connection = True
        else:
            accept_everything(stub_server, handler)

    stub_server.answer = die
    out = tmp_path / "out"
    result = command(
        "run", stub_server.url, ADMIN, "--select=PURGE-*", "--out", out, folder=out, env=os.environ | SECRET
    )
    assert (result.code, result.report["verdict"], result.report["purges"], stub_server.purges) == (
        3,
        "inconclusive",
        1,
        1,
    )
    assert "did not respond" in "\n".join(result.report["notes"])
    assert "failed" not in result.outcomes.values()


def test_full_disk_stops_purges(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run that can no longer write its evidence sends only deletions, and says so."""

    def short() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))

    stub_server.answer = lambda handler: accept_everything(stub_server, handler)
    out = tmp_path / "out"
    result = command("run", stub_server.url, ADMIN, "--out", out, folder=out, env=os.environ | SECRET, preexec_fn=short)
    last = read(out).exchanges[-1]
    sent = [line.split(" ")[:2] for line, _ in stub_server.received]
    position = max(n for n, (method, path) in enumerate(sent) if (method, path) == (last.method, last.path))
    assert (result.code, sent[-1][0]) == (3, "DELETE")
    assert len(sent) > position + 2
    assert {method for method, _ in sent[position + 2 :]} == {"DELETE"}  # one request was not recorded
    assert "File too large. Make room" in result.stderr
