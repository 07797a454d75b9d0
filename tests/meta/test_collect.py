"""Collecting: within the budgets, in order, and never lost when it is cut short."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_OPERATION, PURGE_PATH, is_purge
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import collect
from purge_conformance.evidence.records import FILE_NAME, read
from purge_conformance.scenarios import app_changes as changing
from purge_conformance.scenarios.generated import schemathesis as contract
from purge_conformance.scenarios.generated.schemathesis import Case
from purge_conformance.target.apps import api as making
from purge_conformance.target.apps import suite_apps as apps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer
    from purge_conformance.evidence.records import Evidence

PURGES = tuple(
    Case(PURGE_OPERATION, "fuzzing", "positive", f"about {n}", "POST", f"{PURGE_PATH}{end}", (), None, None, "token")
    for n, end in enumerate(("", "/", "?a=b", "//"))
)


@contextmanager
def without_limit(**_: object) -> Iterator[Any]:
    """Stand for Schemathesis: generated cases that all purge, and links that purge without end."""

    def walk(send: Callable[[Case], object], _: int) -> None:
        for _again in range(20):
            send(PURGES[0])

    yield Both(walk)


class Both:
    """What `contract.generation` and `contract.links` yield, in one."""

    def __init__(self, walk: Callable[..., None]) -> None:
        """Hold the walk."""
        self.walk = walk

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 -- as either is called
        """Return the cases where nothing is given, or walk."""
        return self.walk(*arguments) if arguments else PURGES


@pytest.fixture
def collected(stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Evidence]:
    """Collect from the stub as if it were an API, within limits."""
    rows = json.dumps({"pagination": {"total_results": 1}, "resources": [{"guid": "one"}]}).encode()
    stub_server.answer = lambda handler: stub_server.respond(handler, body=rows)
    monkeypatch.setattr(contract, "generation", without_limit)
    monkeypatch.setattr(contract, "links", without_limit)
    monkeypatch.setattr(changing, "SECOND", 0)
    monkeypatch.setattr(apps, "POLL_INTERVAL_S", 0)
    monkeypatch.setattr(making, "POLL_INTERVAL_S", 0)

    def run(**limits: Any) -> Evidence:  # noqa: ANN401 -- of Limits
        settings = Settings(Target(stub_server.url), {"admin": "an-opaque-secret"}, limits=Limits(**limits))
        return collect.collect(settings, tmp_path / "out", lambda *_: None)

    return run


@pytest.mark.parametrize("most", [0, 1, 3, 12])
def test_purges_are_held(most: int, collected: Callable[..., Evidence], stub_server: StubServer) -> None:
    """Never more purges than --max-purges reach the server with the admin's token, by the server's own count."""
    found = collected(max_purges=most)
    arrived = [
        line
        for line, headers in stub_server.received
        if is_purge(*line.split(" ")[:2]) and headers.get("Authorization") == "bearer an-opaque-secret"
    ]
    assert len(arrived) == most
    assert any("--max-purges" in str(note.value) for note in found.notes if note.name == "stopped")


@pytest.mark.parametrize("most", [50, 100])
def test_requests_are_held(most: int, collected: Callable[..., Evidence], stub_server: StubServer) -> None:
    """Never more requests than --max-requests reach the server, and the suite's own apps are still taken down."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=b'{"guid": "g", "resources": [{"guid": "one"}]}'
    )
    found = collected(max_requests=most)
    assert len(stub_server.received) == len(found.exchanges) <= most
    assert found.exchanges[-1].experiment == "demolish"
    assert found.note("demolish", "finished") is True


def test_archive_comes_first(collected: Callable[..., Evidence], stub_server: StubServer, tmp_path: Path) -> None:
    """When the first purge arrives, the events that existed are on the disk."""
    archived: list[str] = []
    answer = stub_server.answer

    def look(handler: BaseHTTPRequestHandler) -> None:
        if is_purge(handler.command, handler.path):
            archived.append(gzip.decompress((tmp_path / "out" / "archive.jsonl.gz").read_bytes()).decode())
        answer(handler)

    stub_server.answer = look
    collected(max_purges=1)
    assert archived[0] == '{"guid": "one"}\n'


def test_archive_holds_whatever_is_listed(
    collected: Callable[..., Evidence], stub_server: StubServer, tmp_path: Path
) -> None:
    """An event without a usable guid is archived like any other, and counted."""
    rows: list[object] = [{"guid": "one"}, {"guid": 7}, {"created_at": "2026-07-01T12:00:00Z"}, None]
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=json.dumps({"pagination": {}, "resources": rows}).encode()
    )
    found = collected(max_purges=0)
    archived = gzip.decompress((tmp_path / "out" / "archive.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in archived] == rows
    assert found.note("archive", "archived")["events"] == 4


def test_lost_target_ends_run(collected: Callable[..., Evidence], stub_server: StubServer) -> None:
    """A target that falls silent ends the run soon; what was seen stays, and so does the reason."""
    answer = stub_server.answer

    def fall_silent(handler: BaseHTTPRequestHandler) -> None:
        if len(stub_server.received) < 30:
            answer(handler)
        else:
            handler.close_connection = True

    stub_server.answer = fall_silent
    found = collected()
    assert [note.name for note in found.notes if note.name == "lost"] == ["lost"]
    assert (len(stub_server.received) < 60, found.note("demolish", "finished")) == (True, True)


def test_whole_run_is_bounded(full_run: FullRun) -> None:
    """A whole run of both profiles sends at most 40 purges as an admin and at most 1200 requests."""
    found = full_run.evidence.exchanges
    assert sum(is_purge(x.method, x.path) and x.role == "admin" for x in found) == full_run.report["purges"] <= 40
    assert len(found) == full_run.report["requests"] <= 1200


def test_exchanges_are_numbered(full_run: FullRun) -> None:
    """The exchanges of a run are numbered from 1, without a gap."""
    assert [x.n for x in full_run.evidence.exchanges] == list(range(1, len(full_run.evidence.exchanges) + 1))


def test_experiments_are_ordered(full_run: FullRun) -> None:
    """A run reads first, archives before the first purge, and tidies up at last."""
    order = list(dict.fromkeys(x.experiment for x in full_run.evidence.exchanges))
    assert (order[0], order[-1], "archive" in order) == ("reach", "demolish", True)
    first = next(x for x in full_run.evidence.exchanges if is_purge(x.method, x.path))
    assert first.experiment == order[order.index("archive") + 1] == "purge"


def test_own_apps_are_gone(full_run: FullRun) -> None:
    """All that a run made on the target is deleted in the end, and nothing else ever is."""
    made = {x.json["guid"] for x in full_run.evidence.exchanges if x.status == 201}
    sent = [x for x in full_run.evidence.exchanges if x.method == "DELETE"]
    deleted = {x.guid for x in sent if not x.route.startswith(EVENTS_PATH)}  # what is tried there must be refused
    assert deleted == made
    assert full_run.evidence.note("demolish", "left") == []


def test_evidence_is_valid(full_run: FullRun) -> None:
    """Each line of the evidence is valid against spec/evidence.schema.json, and the report against its own."""
    validator = jsonschema.Draft202012Validator(catalogue.document("evidence.schema.json"))
    lines = (full_run.folder / FILE_NAME).read_text(encoding="utf-8").splitlines()
    assert [error.message for line in lines for error in validator.iter_errors(json.loads(line))] == []
    jsonschema.validate(full_run.report, catalogue.document("report.schema.json"), jsonschema.Draft202012Validator)


def test_every_experiment_sends(full_run: FullRun) -> None:
    """No experiment of the plan sends nothing against a server without a fault, or is cut short."""
    sent = Counter(x.experiment for x in full_run.evidence.exchanges)
    later = {"contract", "stateful", "odd", "late", "provoked", "parallel", "race"}
    later |= {"standstill", "sequences", "demolish"}
    planned = {name for name, _ in collect.EXPERIMENTS} | later
    assert planned == set(sent)
    assert [note for note in full_run.evidence.notes if note.name in {"stopped", "lost", "unusable"}] == []


def test_killed_run_is_judged(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run that is killed while it collects leaves what it saw, and that is judged: inconclusive, 3."""
    purging, done = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if is_purge(handler.command, handler.path):
            purging.set()
            done.wait(30)
        stub_server.respond(handler, body=b'{"resources": [{"guid": "one"}]}')

    stub_server.answer = answer
    asked = [
        "run",
        stub_server.url,
        "--token=admin=env:ADMIN_SECRET",
        "--select=PURGE-*",
        "--out",
        str(tmp_path / "out"),
    ]
    program = [str(Path(sys.executable).with_name("purge-conformance")), *asked]
    with subprocess.Popen(program, env=os.environ | {"ADMIN_SECRET": "opaque"}, stdout=subprocess.DEVNULL) as process:
        assert purging.wait(30)
        process.send_signal(signal.SIGKILL)
    done.set()
    judged = command("judge", tmp_path / "out", "--out", tmp_path / "again", folder=tmp_path / "again")
    assert (judged.code, judged.report["verdict"], "failed" in judged.outcomes.values()) == (3, "inconclusive", False)
    assert f"{EVENTS_PATH}?per_page=1" in [x.path for x in read(tmp_path / "out").exchanges]
