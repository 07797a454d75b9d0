"""The sets of headers: they can be sent, are not longer than servers allow, and are sent again where it helps."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import requests

from meta.support.story import event_row, process_row
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.evidence.steps import Place, Step
from purge_conformance.evidence.tag_values import HeaderSet
from purge_conformance.scenarios.purge_headers import INSTEAD, OF_GENERATED, OF_WALK, SETS, purge_with_headers

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

MAX_HEADER_BYTES = 8000  # of all fields together, which common servers accept
TARGET = "https://api.example.org/cf"


def test_each_set_is_sent_by_a_purge_or_instead_of_one() -> None:
    """No set is left out."""
    carried = {*OF_GENERATED, *OF_WALK}
    assert carried | {INSTEAD[name] for name in carried if name in INSTEAD} == {*HeaderSet} == {*SETS}


@pytest.mark.parametrize("name", HeaderSet)
def test_headers_can_be_sent(name: HeaderSet) -> None:
    """Each value is a field value of HTTP, and all fit into what servers accept."""
    headers = {key: value for key, value in SETS[name](TARGET).items() if value is not None}
    prepared = requests.Request("POST", TARGET, headers).prepare()
    size = sum(len(key) + len(value.encode("latin-1")) + 4 for key, value in prepared.headers.items())
    assert size < MAX_HEADER_BYTES


def test_hosts_are_those_of_the_target() -> None:
    """A forwarded host or scheme is the target's own: another one may be refused for a good reason."""
    headers = SETS[HeaderSet.CLIENTS](TARGET)
    assert (headers["X-Forwarded-Host"], headers["X-Forwarded-Proto"]) == ("api.example.org", "https")
    assert headers["Origin"] == "https://api.example.org"


@pytest.mark.parametrize(("process", "purges"), [("worker", 1), ("another", 2)])
def test_set_is_sent_again_if_events_survive(
    process: str, purges: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """An event that is listed before and after a purge survived it, unless it may have been seeded for a process.

    Two purges in one second seed equal events.
    """
    rows = {"app_usage_events": [event_row("worker", "app")], "processes": [process_row(process, "app")], "apps": []}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        found = rows.get(handler.path.partition("?")[0].split("/")[2], []) if handler.command == "GET" else []
        page = {"pagination": {"total_results": len(found), "next": None}, "resources": found}
        stub_server.respond(handler, body=json.dumps(page).encode())

    stub_server.answer = answer
    apps = cast("SuiteApps", SimpleNamespace(record_event=lambda: True))
    request = Request("POST", PURGE_PATH, Place(Step.GENERATED_PURGE, 1))
    purge_with_headers(make_client(), apps, request, HeaderSet.NEGOTIATION)
    assert sum(line.startswith(f"POST {PURGE_PATH} ") for line, _ in stub_server.received) == purges
