"""`archive`: it reads the whole list or writes no file."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import jwt
from meta.support.archive import ROWS, archived_events, paged_list
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
