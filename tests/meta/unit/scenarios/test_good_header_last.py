"""A purge with two Authorization headers, of which the last one is good: when it is sent, and what it counts as."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from meta.support.client import recorded_evidence
from meta.support.story import event_row
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.steps import UNEXPECTED_INPUTS, Scenario, Step
from purge_conformance.evidence.tag_values import GOOD_LAST
from purge_conformance.scenarios.purge import purge_with_unexpected_input

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

ALL = len(UNEXPECTED_INPUTS)
APPS = cast("SuiteApps", SimpleNamespace(record_event=lambda: True))


def run(stub_server: StubServer, client: Client, *, planned: int, status: int) -> list[list[str]]:
    """Run the scenario; return the Authorization headers of the purges with two of them.

    Args:
        stub_server: lists one event, and answers such purges with a status.
        client: that of the run.
        planned: how many purges the scenario may send.
        status: as above.
    """
    sent: list[list[str]] = []
    page = json.dumps({"pagination": {"total_results": 1, "next": None}, "resources": [event_row("old", "app")]})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        values = handler.headers.get_all("Authorization", [])
        is_double = handler.command == "POST" and len(values) > 1
        sent.extend([values] if is_double else [])
        stub_server.respond(handler, status=status if is_double else 200, body=page.encode())

    stub_server.answer = answer
    client.begin(Scenario.UNEXPECTED_INPUT)
    client.planned_purges = planned
    purge_with_unexpected_input(client, APPS)
    return sent


@pytest.mark.parametrize(("status", "counted"), [(401, ALL), (400, ALL), (200, ALL + 1), (500, ALL + 1)])
def test_only_a_purge_that_may_be_done_counts(
    status: int, counted: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A refused one is no purge of the run; it stands between two pages, and its token is in no record."""
    client = make_client(max_purges=40)
    token = client.tokens[ADMIN]
    assert run(stub_server, client, planned=ALL, status=status) == [["bearer garbage", f"bearer {token}"]]
    assert client.guard.purges == counted
    evidence = recorded_evidence(client)
    ((purge,), (span,)) = (
        evidence.of(Scenario.UNEXPECTED_INPUT, Step.TWO_CREDENTIALS),
        evidence.spans(Scenario.UNEXPECTED_INPUT, Step.TWO_CREDENTIALS),
    )
    assert (purge.role, span.requests, len(span.before), len(span.after)) == (GOOD_LAST, (purge.n,), 1, 1)
    assert token not in str(purge.request_headers)


@pytest.mark.parametrize(("limit", "planned"), [(40, ALL - 1), (ALL, ALL)])
def test_none_is_sent_beyond_the_limit(
    limit: int, planned: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """With few purges, none is sent that would take the place of a planned one."""
    client = make_client(max_purges=limit)
    assert run(stub_server, client, planned=planned, status=401) == []
    assert client.guard.purges == planned
