"""The sets of headers: they can be sent, are not longer than servers allow, and are sent again where it helps."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import requests

from meta.support.client import recorded_evidence
from meta.support.story import event_row, process_row
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import HeaderSet
from purge_conformance.scenarios.header_sets import SETS
from purge_conformance.scenarios.purge_headers import (
    INSTEAD,
    OF_GENERATED,
    OF_WALK,
    purge_with_headers,
    purge_with_spare_headers,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

FEW = 12  # purges, which leave no generated one
MAX_HEADER_BYTES = 8000  # of all fields together, which common servers accept
TARGET = "https://api.example.org/cf"


def test_each_set_is_sent_by_a_purge_or_instead_of_one() -> None:
    """No set is left out."""
    carried = {*OF_GENERATED, *OF_WALK, HeaderSet.ALL}  # the last with few purges
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


class Foundation:
    """A stub that lists one event of the app `app`, with the guid of the process `worker`, before and after purges.

    Attributes:
        purges: of each purge, whether it carried further headers.
    """

    def __init__(self, stub_server: StubServer, process: str, status: int = 200) -> None:
        """Answer purges that carry further headers with a status; the app has one process."""
        self.purges: list[bool] = []
        self._stub, self._status = stub_server, status
        self._rows = {"app_usage_events": [event_row("worker", "app")], "processes": [process_row(process, "app")]}
        stub_server.answer = self.answer

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Respond with a list, or to a purge."""
        found = self._rows.get(handler.path.partition("?")[0].split("/")[2], [])
        page = {"pagination": {"total_results": len(found), "next": None}, "resources": found}
        status = 200
        if handler.command == "POST":
            self.purges.append("Accept-Language" in handler.headers or "X-Long" in handler.headers)
            status = self._status if self.purges[-1] else 200
        self._stub.respond(handler, status=status, body=json.dumps(page).encode())


APPS = cast("SuiteApps", SimpleNamespace(record_event=lambda: True, rename_app=lambda *_: None))
PURGE = Request("POST", PURGE_PATH, Place(Step.GENERATED_PURGE, 1))


@pytest.mark.parametrize(("process", "purges"), [("worker", 1), ("another", 2)])
def test_set_is_sent_again_if_events_survive(
    process: str, purges: int, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """An event that is listed before and after a purge survived it, unless it may have been seeded for a process.

    Two purges in one second seed equal events.
    """
    foundation = Foundation(stub_server, process)
    purge_with_headers(make_client(max_purges=FEW), APPS, PURGE, HeaderSet.NEGOTIATION)
    assert foundation.purges == [True] * purges


@pytest.mark.parametrize("header", [name for name, value in SETS[HeaderSet.CLIENTS](TARGET).items() if value])
def test_set_is_divided_until_one_header_is_left(
    header: str, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """Where purges are to spare, the last purge carries the one header that breaks it, whichever it is."""
    client, every = make_client(max_purges=40), SETS[HeaderSet.CLIENTS](TARGET)
    ordinary = {"Authorization": "bearer", "User-Agent": "purge-conformance"}

    def fail_if_sent(handler: BaseHTTPRequestHandler) -> None:
        fails = handler.command == "POST" and not handler.headers.get(header, "-").startswith(ordinary.get(header, "-"))
        stub_server.respond(handler, status=500 if fails else 200, body=b"{}")

    stub_server.answer = fail_if_sent
    client.begin(Scenario.PURGE)
    client.post(PURGE_PATH, Step.PURGE)
    client.begin(Scenario.GENERATED)
    purge_with_headers(client, APPS, PURGE, HeaderSet.CLIENTS)
    broken = [x for x in recorded_evidence(client).exchanges if x.method == "POST" and x.status != HTTPStatus.OK]
    assert broken[-1].tags[Tag.PART_OF_SET] == header
    assert len(broken) <= client.guard.purges <= 1 + 2 + math.ceil(math.log2(len(every))) + 1


def test_set_is_not_divided_if_any_purge_fails(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """Where the first purge failed as well, no header is the cause."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, status=500 if handler.command == "POST" else 200, body=b"{}"
    )
    client = make_client(max_purges=40)
    client.begin(Scenario.PURGE)
    client.post(PURGE_PATH, Step.PURGE)
    client.begin(Scenario.GENERATED)
    purge_with_headers(client, APPS, PURGE, HeaderSet.CLIENTS)
    assert client.guard.purges == 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (HeaderSet.REFUSABLE, ["BEARER T", "bearer garbage"]),
        (HeaderSet.CLIENTS, ["Bearer T"]),
        (HeaderSet.NEGOTIATION, ["bearer T"]),
    ],
)
def test_credentials_of_a_set(
    name: HeaderSet, values: list[str], stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A set says how the scheme is written, and whether a header that is no token is beside the good one."""
    sent: list[list[str]] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "POST":
            sent.append(handler.headers.get_all("Authorization", []))
        stub_server.respond(handler, body=b"{}")

    stub_server.answer, client = note, make_client()
    purge_with_headers(client, APPS, PURGE, name)
    token = client.tokens[ADMIN]
    assert sent == [[value.replace("T", token) for value in values]]
    (recorded,) = [x for x in recorded_evidence(client).exchanges if x.method == "POST"]
    assert token not in str(recorded.request_headers)
    assert recorded.role == ADMIN


@pytest.mark.parametrize(
    ("limit", "status", "purges"),
    [
        (40, 200, [False]),
        (12, 200, [True]),
        (12, 500, [True, True, False]),
        (12, 406, [True, False]),
        (1, 500, [True]),
    ],
)
def test_plain_purge_carries_headers_if_few_are_allowed(
    limit: int, status: int, purges: list[bool], stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """If no generated purge is left for a set, a plain one carries it; one without headers follows if it fails."""
    foundation = Foundation(stub_server, "worker", status)
    response = purge_with_spare_headers(
        make_client(max_purges=limit), Request("POST", PURGE_PATH, Step.PURGE), HeaderSet.NEGOTIATION
    )
    assert foundation.purges == purges
    assert response.succeeded is not (purges[-1] and status != 200)


@pytest.mark.parametrize("name", SETS)
def test_no_chunks_follow_an_upgrade(name: HeaderSet) -> None:
    """A server that stops reading at Upgrade would take the end of a chunked body for the next request."""
    headers = SETS[name]("http://target.test")
    assert not (headers.get("Upgrade") and headers.get("Transfer-Encoding"))
