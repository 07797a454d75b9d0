"""Collection of evidence: within the budgets, in order, and preserved if a run is cut short."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.archive import archive_metadata, archived_events
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_OPERATION, PURGE_PATH, is_purge
from purge_conformance.client.guard import Guard
from purge_conformance.client.time_limit import TimeLimit
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import collect
from purge_conformance.engine.run_facts import run_notes
from purge_conformance.errors import ArchiveIncomplete, BadSetting
from purge_conformance.evidence import notes
from purge_conformance.evidence.jsonl import read
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

    def run(
        guard: Guard | None = None,
        *,
        allow_incomplete_archive: bool = False,
        owns_target: bool = False,
        **limits: Any,  # noqa: ANN401 -- of Limits
    ) -> Evidence:
        settings = Settings(
            Target(stub_server.url),
            {"admin": "an-opaque-secret"},
            limits=Limits(**limits),
            allow_incomplete_archive=allow_incomplete_archive,
            owns_target=owns_target,
        )
        return collect.collect(settings, tmp_path / "out", lambda *_: None, guard=guard)

    return run


WITH_SECOND = "Idempotency-Key"  # of the purges with a second Authorization header, which hides the admin's here
ADMIN_VALUES = ("bearer an-opaque-secret", "Bearer an-opaque-secret")  # as the suite and as other clients write it


@pytest.mark.parametrize("limit", [0, 1, 3, 12])
def test_purge_budget_holds(limit: int, collect_from_stub: Callable[..., Evidence], stub_server: StubServer) -> None:
    """At most --max-purges purges reach the server with the admin token, by the server's own count."""
    evidence = collect_from_stub(max_purges=limit)
    arrived = [
        line
        for line, headers in stub_server.received
        if is_purge(*line.split(" ")[:2]) and (headers.get("Authorization") in ADMIN_VALUES or WITH_SECOND in headers)
    ]
    assert len(arrived) == limit
    assert any("--max-purges" in reason for reason in evidence.noted(notes.STOPPED))


@pytest.mark.parametrize("limit", [1, 7, 40])
def test_time_limit_holds(limit: int, stub_server: StubServer, collect_from_stub: Callable[..., Evidence]) -> None:
    """Once the time is used up, only the suite's apps are deleted, and every scenario notes why it was cut short."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=b'{"guid": "g", "pagination": {"total_results": 1}, "resources": [{"guid": "one"}]}'
    )
    time_limit = TimeLimit(20, lambda: 17.0 if len(stub_server.received) >= limit else 0.0)
    guard = Guard(Limits(max_time=20), time_limit=time_limit)
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
        handler, body=b'{"guid": "g", "pagination": {"total_results": 1}, "resources": [{"guid": "one"}]}'
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
    assert json.loads(archived[0]) == {"guid": "one"}


ODD_ROWS: list[object] = [{"guid": "one"}, {"guid": 7}, {"created_at": "2026-07-01T12:00:00Z"}, None]
REASON = "Page 1 has an event whose guid is 7"


def odd_list(stub_server: StubServer) -> None:
    """Answer with a list that has an event without a guid."""
    body = json.dumps({"pagination": {"total_results": 4}, "resources": ODD_ROWS}).encode()
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)


def test_incomplete_archive_prevents_purges(
    collect_from_stub: Callable[..., Evidence], stub_server: StubServer, tmp_path: Path
) -> None:
    """If the list cannot be read whole, no purge is sent to any address; the archive says why, and holds every row."""
    odd_list(stub_server)
    with pytest.raises(ArchiveIncomplete, match=f"{REASON}.*--allow-incomplete-archive") as caught:
        collect_from_stub()
    evidence = read(tmp_path / "out")
    assert not [line for line, _ in stub_server.received if is_purge(*line.split(" ")[:2])]
    assert archived_events(tmp_path / "out" / "archive.jsonl.gz") == ODD_ROWS
    summary = archive_metadata(tmp_path / "out" / "archive.jsonl.gz")
    assert (summary["complete"], REASON in summary["reason"], summary["events"]) == (False, True, 4)
    assert evidence.note(Scenario.ARCHIVE, notes.ARCHIVED) == summary
    assert evidence.noted(notes.REFUSAL) == (str(caught.value),)
    assert evidence.note(Scenario.CLEANUP, notes.FINISHED) is True


@pytest.mark.parametrize("field", ["allow_incomplete_archive", "owns_target"])
def test_incomplete_archive_is_allowed(
    field: str, collect_from_stub: Callable[..., Evidence], stub_server: StubServer
) -> None:
    """With --allow-incomplete-archive, or a target of the suite's own, a run purges, and its notes say what is lost."""
    odd_list(stub_server)
    evidence = collect_from_stub(**{field: True})
    assert stub_server.purges > 0
    first = next(run_notes(evidence))
    assert REASON in first
    assert first.startswith("--allow-incomplete-archive was given") == (field == "allow_incomplete_archive")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_unreadable_list_is_judged(
    status: int, collect_from_stub: Callable[..., Evidence], stub_server: StubServer
) -> None:
    """If the list cannot be read at all, no purge is sent, and what needs no purge is still tried."""
    answer = stub_server.answer

    def reject(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith(EVENTS_PATH):
            stub_server.respond(handler, status)
        else:
            answer(handler)

    stub_server.answer = reject
    evidence = collect_from_stub()
    assert evidence.of(Scenario.LISTS)
    assert not [line for line, _ in stub_server.received if is_purge(*line.split(" ")[:2])]
    assert f"was answered {status}" in (evidence.note(Scenario.PURGE, notes.STOPPED) or "")


def test_used_archive_is_not_replaced(
    collect_from_stub: Callable[..., Evidence], stub_server: StubServer, tmp_path: Path
) -> None:
    """A folder that has an archive gets no run, and nothing is sent."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "archive.jsonl.gz").write_bytes(b"precious")
    with pytest.raises(BadSetting, match="already exists"):
        collect_from_stub()
    assert stub_server.received == []


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
