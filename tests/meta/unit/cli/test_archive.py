"""`archive`: it reads the whole list or writes no file."""

from __future__ import annotations

import gzip
import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from meta.support.api_stub import jwt
from meta.support.archive import ROWS, archive_metadata, archived_events, paged_list
from meta.support.invoke import ADMIN, invoke
from purge_conformance.evidence import clock

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from click.testing import Result

    from meta.support.stub import StubServer


def run_archive(stub_server: StubServer, folder: Path) -> Result:
    """Run `archive` against the stub, into `events.jsonl.gz`."""
    return invoke("archive", stub_server.url, ADMIN, "--out", str(folder / "events.jsonl.gz"))


def test_archive_command_only_reads(stub_server: StubServer, tmp_path: Path) -> None:
    """`archive` reads the whole list, in smaller pages if necessary, changes nothing and prints what it wrote."""
    stub_server.answer = paged_list(stub_server, ROWS)
    result = run_archive(stub_server, tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert archived_events(tmp_path / "events.jsonl.gz") == ROWS
    assert "45 events" in result.stdout
    assert "event-44, created at 2026-07-01T11:44:00Z" in result.stdout
    assert "billing consumer" not in result.stdout
    assert {line.split(" ")[0] for line, _ in stub_server.received} == {"GET"}


@pytest.mark.parametrize(
    ("scope", "code"),
    [("cloud_controller.read", 2), ("cloud_controller.global_auditor", 0), ("cloud_controller.admin_read_only", 0)],
)
def test_token_has_to_show_all_events(
    scope: str, code: int, stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who sees only some events, or none, does not write an archive that is called whole."""
    stub_server.answer = paged_list(stub_server, ROWS)
    monkeypatch.setenv("THE_TOKEN", jwt(scope))
    out = tmp_path / "events.jsonl.gz"
    result = invoke("archive", stub_server.url, "--token=admin=env:THE_TOKEN", "--out", str(out))
    assert (result.exit_code, out.exists()) == (code, code == 0)
    assert ("does not show all events" in result.stderr) is (code == 2)


def test_recent_event_causes_warning(stub_server: StubServer, tmp_path: Path) -> None:
    """`archive` warns that a billing consumer may not have read an event that is only minutes old."""
    stub_server.answer = paged_list(stub_server, [{**ROWS[0], "created_at": clock.format_rfc3339(time.time() - 120)}])
    assert re.search(r" \d+ s old. A billing consumer", run_archive(stub_server, tmp_path).stdout)


@pytest.mark.parametrize("how", ["dies", "fails", "hides"])
def test_interrupted_list_leaves_no_archive(how: str, stub_server: StubServer, tmp_path: Path) -> None:
    """`archive` leaves no file if the target dies, fails, or lists fewer events than its total."""
    answer = paged_list(stub_server, ROWS, total=46 if how == "hides" else 45)

    def die(handler: BaseHTTPRequestHandler) -> None:
        if how == "hides" or "page=2" not in handler.path:
            answer(handler)
        elif how == "fails":
            stub_server.respond(handler, 500, b"{}")
        else:
            handler.close_connection = True

    stub_server.answer = die
    result = run_archive(stub_server, tmp_path)
    assert (result.exit_code, list(tmp_path.iterdir())) == (3, [])
    assert "Error: " in result.stderr


def test_events_are_written_as_they_came(stub_server: StubServer, tmp_path: Path) -> None:
    """The lines are the rows byte by byte, but for a repeated token; the .json counts the lines that differ."""
    rows = [b'{"guid":"g-%d", "created_at":"2026-07-01T12:00:00Z","n":1.50}' % number for number in range(45)]
    rows[30] = b'{"guid":"g-30","created_at":"2026-07-01T12:00:00Z","name":"an-opaque-secret"}'

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        if size > 20:
            return stub_server.respond(handler, 422, b"{}")
        part = b",".join(rows[(page - 1) * size : page * size])
        following = b'{"href":"x"}' if page < 3 else b"null"
        body = b'{"pagination":{"total_results":45,"next":%s},"resources":[%s]}' % (following, part)
        return stub_server.respond(handler, body=body)

    stub_server.answer = answer
    assert run_archive(stub_server, tmp_path).exit_code == 0
    lines = gzip.decompress((tmp_path / "events.jsonl.gz").read_bytes()).split(b"\n")
    assert lines[:20] + lines[40:45] == rows[:20] + rows[40:]
    assert json.loads(lines[30])["name"] == "$ADMIN_TOKEN"
    assert archive_metadata(tmp_path / "events.jsonl.gz")["changed"] == 20  # the rows of that page have white space


def test_rate_limit_is_waited_for(stub_server: StubServer, tmp_path: Path) -> None:
    """A page that a rate limit refuses is requested again, and no event is lost."""
    answer, refused = paged_list(stub_server, ROWS), set[str]()

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        if handler.path in refused or "per_page=20&" not in handler.path:
            return answer(handler)
        refused.add(handler.path)
        return stub_server.respond(handler, 429, b"{}", **{"Retry-After": "0"})

    stub_server.answer = refuse
    assert run_archive(stub_server, tmp_path).exit_code == 0
    assert archived_events(tmp_path / "events.jsonl.gz") == ROWS
    assert len(refused) == 3


def test_events_are_limited_on_request(stub_server: StubServer, tmp_path: Path) -> None:
    """`--max-events` limits the list, and the message names a number that suffices."""
    stub_server.answer = paged_list(stub_server, ROWS)
    out = tmp_path / "fewer.jsonl.gz"
    result = invoke("archive", stub_server.url, ADMIN, "--max-events=20", "--out", str(out))
    assert (result.exit_code, "Give --max-events 90" in result.stderr, out.exists()) == (3, True, False)
