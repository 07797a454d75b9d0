"""A purge when no app is started is tried where that stops nobody else's app."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from purge_conformance.scenarios import purge as purging

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from conftest import Story, Stub

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps


def answer(stub: Stub, rows: list[dict[str, str]], handler: BaseHTTPRequestHandler) -> None:
    """List these apps, and as many events."""
    listed = {"pagination": {"total_results": len(rows), "next": None}, "resources": rows}
    stub.say(handler, body=json.dumps(listed).encode())


@pytest.mark.parametrize(
    ("others", "stops", "purges"), [("STOPPED", True, 1), ("STOPPED", False, 0), ("STARTED", True, 0)]
)
def test_purge_at_standstill(  # noqa: PLR0913 -- what is there, what becomes of it, and who tells
    others: str, purges: int, stub: Stub, story: Story, connect: Callable[..., Client], *, stops: bool
) -> None:
    """The suite's own apps are stopped and a purge is tried, unless somebody else's app is started or one goes on."""
    rows = [story.app("own"), story.app("other", others)]
    stub.answer = partial(answer, stub, rows)
    stopped: list[str] = []

    def stop(label: str) -> bool:
        stopped.append(label)
        return stops

    foundation = SimpleNamespace(apps={"steady": "own"}, started={"steady"}, stop=stop)
    purging.purge_without_started_apps(connect(), cast("SuiteApps", foundation))
    assert (stub.purges, stopped) == (purges, ["steady"] if others == "STOPPED" else [])
