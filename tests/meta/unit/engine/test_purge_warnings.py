"""The warnings before the first purge: a recent event, and too many events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from meta.support.warnings import list_body, settings
from purge_conformance.engine import collect
from purge_conformance.evidence import clock
from purge_conformance.scenarios.generated.schemathesis import Generator

if TYPE_CHECKING:
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


def test_event_limit_blocks_purges(stub_server: StubServer, tmp_path: Path) -> None:
    """A run does not purge more events than it may archive; it warns at once and names the flag."""
    page = list_body([{"guid": f"event-{n}"} for n in range(3)], 7)
    stub_server.answer = lambda handler: stub_server.respond(handler, body=page)
    run_settings = settings(stub_server, max_requests=100, max_events=3)
    ((text, _),) = warnings_before_purge(run_settings, tmp_path / "out", stub_server)
    assert (stub_server.purges, text.startswith("Nothing will be purged."), "--max-events" in text) == (0, True, True)
    stopped = [x for x in (tmp_path / "out" / "evidence.jsonl").read_text().splitlines() if '"stopped"' in x]
    assert any("none may be destroyed" in line and "--max-events" in line for line in stopped)
