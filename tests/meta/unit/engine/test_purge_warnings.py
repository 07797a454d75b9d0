"""The warnings before the first purge: a recent event, and too many events."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from meta.support.warnings import list_body, settings
from purge_conformance.engine import collect
from purge_conformance.errors import ArchiveIncomplete
from purge_conformance.evidence import clock
from purge_conformance.scenarios.generated.schemathesis import Generator

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.config.settings import Settings

pytestmark = pytest.mark.usefixtures("no_delay")


def warnings_before_purge(run_settings: Settings, folder: Path, stub_server: StubServer) -> list[tuple[str, int]]:
    """Return the warnings of a run, each with the number of purges that had arrived by then."""
    messages: list[tuple[str, int]] = []
    generator = Generator(cases=tuple, walk=lambda *_: None)
    collect.collect(
        run_settings, folder, lambda *_: None, generator, warn=lambda text: messages.append((text, stub_server.purges))
    )
    return messages


@pytest.mark.parametrize(("age", "is_told"), [(60, True), (3600, False)])
def test_recent_event_is_reported_first(age: float, stub_server: StubServer, tmp_path: Path, *, is_told: bool) -> None:
    """Before the first purge, a run reports the last event if it is only minutes old."""
    rows = [{"guid": "newest", "created_at": clock.format_rfc3339(time.time() - age), "app": {"guid": "theirs"}}]
    stub_server.answer = lambda handler: stub_server.respond(handler, body=list_body(rows))
    messages = warnings_before_purge(settings(stub_server, max_requests=100), tmp_path / "out", stub_server)
    assert stub_server.purges > 0
    assert [before for _, before in messages] == [0] * is_told
    assert all("newest of 20" in text and "billing consumer" in text for text, _ in messages)


def test_event_limit_stops_run(stub_server: StubServer, tmp_path: Path) -> None:
    """A run does not purge more events than it may archive; the error names the flag with a larger number."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        page = parse_qs(urlsplit(handler.path).query).get("page", ["1"])[0]
        rows = [{"guid": f"event-{page}-{n}"} for n in range(3)]
        body = {"pagination": {"total_results": 7, "next": {"href": "x"}}, "resources": rows}
        stub_server.respond(handler, body=json.dumps(body).encode())

    stub_server.answer = answer
    run_settings = settings(stub_server, max_requests=100, max_events=3)
    with pytest.raises(ArchiveIncomplete, match=r"got 3 of 7.*--max-events is 3\. Give --max-events 14"):
        warnings_before_purge(run_settings, tmp_path / "out", stub_server)
    assert stub_server.purges == 0
