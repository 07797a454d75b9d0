"""Collection of evidence: within the budgets, in order, and preserved if a run is cut short."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.catalogue.api import PURGE_OPERATION, PURGE_PATH, is_purge
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import collect
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario
from purge_conformance.evidence.tag_values import CaseMode, GeneratedAuth
from purge_conformance.scenarios.generated import schemathesis
from purge_conformance.scenarios.generated.schemathesis import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.evidence.records import Evidence

pytestmark = pytest.mark.usefixtures("no_delay")

PURGES = tuple(
    Case(
        PURGE_OPERATION,
        "fuzzing",
        CaseMode.POSITIVE,
        f"about {n}",
        "POST",
        f"{PURGE_PATH}{end}",
        (),
        None,
        None,
        GeneratedAuth.TOKEN,
    )
    for n, end in enumerate(("", "/", "?a=b", "//"))
)


@contextmanager
def unlimited_generator(**_: object) -> Iterator[Any]:
    """Replace Schemathesis: every generated case purges, and links purge without end."""

    def walk(send: Callable[[Case], object], _: int) -> None:
        for _again in range(20):
            send(PURGES[0])

    yield FakeGenerator(walk)


class FakeGenerator:
    """Replaces what `schemathesis.generation` and `schemathesis.links` yield."""

    def __init__(self, walk: Callable[..., None]) -> None:
        """Store the walk."""
        self.walk = walk

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 -- as either is called
        """Return the cases without arguments, else walk."""
        return self.walk(*arguments) if arguments else PURGES


@pytest.fixture
def collect_from_stub(
    stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Evidence]:
    """Collect evidence from the stub as if it were an API, within limits."""
    rows = json.dumps({"pagination": {"total_results": 1}, "resources": [{"guid": "one"}]}).encode()
    stub_server.answer = lambda handler: stub_server.respond(handler, body=rows)
    monkeypatch.setattr(schemathesis, "generation", unlimited_generator)
    monkeypatch.setattr(schemathesis, "links", unlimited_generator)

    def run(guard: Guard | None = None, **limits: Any) -> Evidence:  # noqa: ANN401 -- of Limits
        settings = Settings(Target(stub_server.url), {"admin": "an-opaque-secret"}, limits=Limits(**limits))
        return collect.collect(settings, tmp_path / "out", lambda *_: None, guard=guard)

    return run


@pytest.mark.parametrize("limit", [0, 1, 3, 12])
def test_purge_budget_holds(limit: int, collect_from_stub: Callable[..., Evidence], stub_server: StubServer) -> None:
    """At most --max-purges purges reach the server with the admin token, by the server's own count."""
    evidence = collect_from_stub(max_purges=limit)
    arrived = [
        line
        for line, headers in stub_server.received
        if is_purge(*line.split(" ")[:2]) and headers.get("Authorization") == "bearer an-opaque-secret"
    ]
    assert len(arrived) == limit
    assert any("--max-purges" in reason for reason in evidence.noted(notes.STOPPED))


@pytest.mark.parametrize("limit", [1, 7, 40])
def test_time_limit_holds(limit: int, stub_server: StubServer, collect_from_stub: Callable[..., Evidence]) -> None:
    """Once the time is used up, only the suite's apps are deleted, and every scenario notes why it was cut short."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=b'{"guid": "g", "resources": [{"guid": "one"}]}'
    )
    guard = Guard(Limits(max_time=20), clock=lambda: 17.0 if len(stub_server.received) >= limit else 0.0)
    evidence = collect_from_stub(guard=guard)
    after = evidence.exchanges[limit:]
    assert {x.scenario for x in after} <= {Scenario.CLEANUP}
    assert not any(is_purge(x.method, x.path) for x in after)
    assert any("Give a larger --max-time" in reason for reason in evidence.noted(notes.STOPPED))
    assert (evidence.note(Scenario.CLEANUP, notes.FINISHED), evidence.noted(notes.CRASHED)) == (True, ())


@pytest.mark.parametrize("limit", [50, 100])
def test_request_budget_holds(limit: int, collect_from_stub: Callable[..., Evidence], stub_server: StubServer) -> None:
    """At most --max-requests requests reach the server, and the suite's apps are still deleted."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=b'{"guid": "g", "resources": [{"guid": "one"}]}'
    )
    evidence = collect_from_stub(max_requests=limit)
    assert len(stub_server.received) == len(evidence.exchanges) <= limit
    assert evidence.exchanges[-1].scenario is Scenario.CLEANUP
    assert evidence.note(Scenario.CLEANUP, notes.FINISHED) is True


def test_archive_precedes_first_purge(
    collect_from_stub: Callable[..., Evidence], stub_server: StubServer, tmp_path: Path
) -> None:
    """When the first purge arrives, the existing events are on disk."""
    archived: list[str] = []
    answer = stub_server.answer

    def look(handler: BaseHTTPRequestHandler) -> None:
        if is_purge(handler.command, handler.path):
            archived.append(gzip.decompress((tmp_path / "out" / "archive.jsonl.gz").read_bytes()).decode())
        answer(handler)

    stub_server.answer = look
    collect_from_stub(max_purges=1)
    assert archived[0] == '{"guid": "one"}\n'


def test_archive_contains_every_row(
    collect_from_stub: Callable[..., Evidence], stub_server: StubServer, tmp_path: Path
) -> None:
    """An event without a usable guid is archived like any other, and counted."""
    rows: list[object] = [{"guid": "one"}, {"guid": 7}, {"created_at": "2026-07-01T12:00:00Z"}, None]
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=json.dumps({"pagination": {}, "resources": rows}).encode()
    )
    evidence = collect_from_stub(max_purges=0)
    archived = gzip.decompress((tmp_path / "out" / "archive.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in archived] == rows
    assert (evidence.note(Scenario.ARCHIVE, notes.ARCHIVED) or {})["events"] == 4


def test_silent_target_ends_run(collect_from_stub: Callable[..., Evidence], stub_server: StubServer) -> None:
    """A target that stops responding ends the run soon; the evidence and the reason remain."""
    answer = stub_server.answer

    def fall_silent(handler: BaseHTTPRequestHandler) -> None:
        if len(stub_server.received) < 30:
            answer(handler)
        else:
            handler.close_connection = True

    stub_server.answer = fall_silent
    evidence = collect_from_stub()
    assert len(evidence.noted(notes.LOST)) == 1
    assert (len(stub_server.received) < 60, evidence.note(Scenario.CLEANUP, notes.FINISHED)) == (True, True)
