"""The client retries what it may retry, within bounds, and records each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.client import exchanges_at
from meta.support.raw_http import write_raw
from purge_conformance.analysis.view import target_responses
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.client import MAX_UNANSWERED, Request
from purge_conformance.client.guard import MAX_WITHOUT_CREDENTIALS
from purge_conformance.client.retries import MAX_RETRIES
from purge_conformance.errors import PurgeBlocked, TargetUnreachable
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


def test_purge_is_not_retried(make_client: Connect, stub_server: StubServer) -> None:
    """A purge whose connection breaks is not sent again."""
    stub_server.answer = lambda handler: write_raw(handler, b"")
    found = make_client().post(PURGE_PATH, Step.PURGE)
    assert (found.status, stub_server.purges) == (None, 1)
    assert found.error


def test_rate_limit_is_retried(make_client: Connect, stub_server: StubServer) -> None:
    """A 429 with a short Retry-After is retried, and recorded as superseded."""
    statuses = iter([429, 200])
    stub_server.answer = lambda handler: stub_server.respond(handler, next(statuses), Retry_After="0")
    client = make_client()
    client.begin(Scenario.READS)
    assert client.get("/v3", Step.V3_ROOT).status == 200
    assert [(x.n, x.status, x.tags) for x in exchanges_at(client, Step.V3_ROOT)] == [
        (1, 429, {Tag.SUPERSEDED: Retry.RATE_LIMIT}),
        (2, 200, {}),
    ]


DATE = "Wed, 01 Jul 2026 11:59:49 GMT"  # as the target's clock shows it, months away from ours
EPOCH = 1782907189  # the same moment


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the client, which last no time."""
    recorded: list[float] = []
    monkeypatch.setattr("time.sleep", recorded.append)
    return recorded


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Retry-After: 0", 0),
        ("Retry-After: 15", 15),
        ("Retry-After: 1.5", 1.5),
        (f"Retry-After: {EPOCH + 20}", 21),
        (f"Retry-After: {EPOCH + 20}000", 21),
        ("Retry-After: Wed, 01 Jul 2026 12:00:00 GMT", 12),
        ("Retry-After: Wednesday, 01-Jul-26 11:59:48 GMT", 1),
        ("Retry-After: 2026-07-01T11:59:59Z", 11),
        ("X-RateLimit-Reset: 7", 7),
        (f"X-RateLimit-Reset: {EPOCH + 4}", 5),
        ("RateLimit-Reset: 4", 4),
        ("Retry-After: soon", 1),
        ("Retry-After: -1", 1),
        ("Retry-After: \u00b2", 1),
    ],
)
def test_client_waits_as_asked(
    header: str, wait: float, make_client: Connect, stub_server: StubServer, waits: list[float]
) -> None:
    """The client waits as long as a 429 asks, in seconds or until a point in time; a second if it cannot be read."""
    heads = iter([f"HTTP/1.1 429 \r\n{header}\r\nDate: {DATE}\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
    stub_server.answer = lambda handler: write_raw(handler, next(heads).encode("latin-1"))
    assert make_client().get("/v3", Step.V3_ROOT).status == 200
    assert waits == [wait]


@pytest.mark.parametrize("retry_after", ["61", "9" * 400, "Wed, 01 Jul 2026 12:00:50 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_patience_is_bounded(
    status: int, retry_after: str, make_client: Connect, stub_server: StubServer, waits: list[float]
) -> None:
    """A response that asks to wait longer than the patience is final; it says so, and is not the target's."""
    stub_server.answer = lambda handler: write_raw(
        handler, f"HTTP/1.1 {status} \r\nRetry-After: {retry_after}\r\nDate: {DATE}\r\n\r\n".encode()
    )
    found = make_client().get("/v3", Step.V3_ROOT)
    assert (found.status, found.tags, waits) == (status, {Tag.LONG_WAIT: f"Retry-After: {retry_after}"}, [])
    assert target_responses([found]) == ()


def test_patience_is_for_one_request(make_client: Connect, stub_server: StubServer, waits: list[float]) -> None:
    """All waits for one request together are within the patience."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 429, Retry_After="25")
    assert make_client().get("/v3", Step.V3_ROOT).tags == {Tag.LONG_WAIT: "Retry-After: 25"}
    assert waits == [25, 25]


def test_rate_limit_retries_are_bounded(make_client: Connect, stub_server: StubServer) -> None:
    """A 429 that lasts is the final response."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 429, Retry_After="0")
    assert make_client().get("/v3", Step.V3_ROOT).status == 429
    assert len(stub_server.received) == MAX_RETRIES[429] + 1


@pytest.mark.parametrize("status", [400, 404, 502, 503])
def test_error_of_router_is_retried(status: int, make_client: Connect, stub_server: StubServer) -> None:
    """An error of Cloud Foundry's router is not the target's, whatever its status: a read is sent again."""
    answers: Iterator[tuple[int, dict[str, str]]] = iter(
        [(status, {"X_Cf_Routererror": "endpoint_failure (EOF)"}), (200, {})]
    )

    def answer(handler: BaseHTTPRequestHandler) -> None:
        code, headers = next(answers)
        stub_server.respond(handler, code, b"{}", **headers)

    stub_server.answer = answer
    client = make_client()
    assert client.get("/v3", Step.V3_ROOT).status == 200
    assert [x.status for x in target_responses(exchanges_at(client, Step.V3_ROOT))] == [200]


@pytest.mark.parametrize(
    ("error", "purges"), [("unknown_route", 3), ("no_endpoints", 3), ("empty_host", 3), ("endpoint_failure (EOF)", 1)]
)
def test_undelivered_purge_is_retried(error: str, purges: int, make_client: Connect, stub_server: StubServer) -> None:
    """A purge is sent again if the router delivered it to no server, and never the target's answer."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 404, X_Cf_Routererror=error)
    found = make_client().post(PURGE_PATH, Step.PURGE)
    assert (stub_server.purges, target_responses([found])) == (purges, ())


def test_attempt_that_the_router_lost_is_retried(make_client: Connect, stub_server: StubServer) -> None:
    """A purge that must change nothing is sent again after any error of the router."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 502, X_Cf_Routererror="endpoint_failure (EOF)")
    make_client().post(PURGE_PATH, Step.CLAIMS_BESIDE)
    assert stub_server.purges == 3


def test_each_cause_has_own_bound(make_client: Connect, stub_server: StubServer) -> None:
    """A connection that breaks after a retried response is retried like any other."""
    answers = iter([503, None, 429, 502, 200])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status = next(answers)
        if status is None:
            write_raw(handler, b"")
        else:
            stub_server.respond(handler, status, Retry_After="0")

    stub_server.answer = answer
    assert make_client().get("/v3", Step.V3_ROOT).status == 200


def test_retried_purges_count(make_client: Connect, stub_server: StubServer) -> None:
    """A retried purge counts again: the server may have purged before it sent 429."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 429, Retry_After="0")
    with pytest.raises(PurgeBlocked):
        make_client(max_purges=2).post(PURGE_PATH, Step.PURGE)
    assert stub_server.purges == 2


def test_silent_target_is_lost(make_client: Connect, stub_server: StubServer) -> None:
    """After `MAX_UNANSWERED` consecutive requests without a response, and a plain GET without one, it is lost."""
    answers = iter([False] * (MAX_UNANSWERED - 1) + [True])
    stub_server.answer = lambda handler: (
        stub_server.respond(handler) if next(answers, False) else write_raw(handler, b"junk\r\n\r\n")
    )
    client = make_client()
    for _ in range(2 * MAX_UNANSWERED - 1):
        client.get("/v3", Step.V3_ROOT)
    with pytest.raises(TargetUnreachable, match="did not respond to 3 consecutive requests, nor to a plain GET"):
        client.get("/v3", Step.V3_ROOT)


def test_target_that_answers_plain_get_is_not_lost(make_client: Connect, stub_server: StubServer) -> None:
    """A firewall may close the connection on each unusual request: the target is there if a plain GET is answered."""
    stub_server.answer = lambda handler: (
        stub_server.respond(handler, 401) if handler.path.startswith(EVENTS_PATH) else write_raw(handler, b"")
    )
    client = make_client()
    client.begin(Scenario.AUTH_BYPASS)
    assert [client.post("/v3;x=1", Step.SPELLING).status for _ in range(2 * MAX_UNANSWERED)] == [None] * 6
    assert [x.status for x in exchanges_at(client, Step.REACHABILITY)] == [401, 401]


def test_silent_concurrent_requests_lose_target(make_client: Connect, stub_server: StubServer) -> None:
    """A target that responds to none of several concurrent requests is lost."""
    stub_server.answer = lambda handler: write_raw(handler, b"")
    with pytest.raises(TargetUnreachable):
        make_client().send_concurrently(*([Request("GET", "/v3", Step.V3_ROOT)] for _ in range(MAX_UNANSWERED)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_broken_read_is_retried(method: str, make_client: Connect, stub_server: StubServer) -> None:
    """A read whose connection breaks before the response is sent once more, and the loss is recorded."""
    answers = iter([False, True])
    stub_server.answer = lambda handler: stub_server.respond(handler) if next(answers) else write_raw(handler, b"")
    client = make_client()
    assert client.send(Request(method, "/v3", Step.V3_ROOT)).status == 200
    assert [(x.n, x.status, x.tags) for x in exchanges_at(client, Step.V3_ROOT)] == [
        (1, None, {Tag.SUPERSEDED: Retry.CONNECTION}),
        (2, 200, {}),
    ]


@pytest.mark.parametrize("half", [b"Content-Length: 9\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"])
def test_truncated_read_is_retried(half: bytes, make_client: Connect, stub_server: StubServer) -> None:
    """A read whose response is truncated is sent once more."""
    answers = iter([False, True])
    stub_server.answer = lambda handler: (
        stub_server.respond(handler) if next(answers) else write_raw(handler, b"HTTP/1.1 200 OK\r\n", half)
    )
    client = make_client()
    assert client.get("/v3", Step.V3_ROOT).status == 200
    assert [x.tags for x in exchanges_at(client, Step.V3_ROOT)] == [{Tag.SUPERSEDED: Retry.CONNECTION}, {}]


def test_broken_read_retry_is_bounded(make_client: Connect, stub_server: StubServer) -> None:
    """A read whose connection breaks each time has no response in the end."""
    stub_server.answer = lambda handler: write_raw(handler, b"")
    assert make_client().get("/v3", Step.V3_ROOT).status is None
    assert len(stub_server.received) == 2


@pytest.mark.parametrize("status", [502, 504])
def test_transient_gateway_error_is_retried(status: int, make_client: Connect, stub_server: StubServer) -> None:
    """A transient error of a gateway is not the target's: the read is sent again."""
    statuses = iter([status, 200])
    stub_server.answer = lambda handler: stub_server.respond(handler, next(statuses), b"<html>")
    client = make_client()
    assert client.get("/v3", Step.V3_ROOT).status == 200
    assert [x.status for x in target_responses(exchanges_at(client, Step.V3_ROOT))] == [200]


def test_lasting_gateway_error_is_returned(make_client: Connect, stub_server: StubServer) -> None:
    """A lasting error of a gateway is the response; for a purge the first one is."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 502)
    client = make_client()
    assert [client.get("/v3", Step.V3_ROOT).status, len(stub_server.received)] == [502, MAX_RETRIES[502] + 1]
    assert [client.post(PURGE_PATH, Step.PURGE).status, stub_server.purges] == [502, 1]


def test_lost_attempt_is_repeated(make_client: Connect, stub_server: StubServer) -> None:
    """An attempt that must change nothing is sent again if a gateway lost it, and a purge by the admin is not."""
    statuses = iter([502, 401, 502])
    stub_server.answer = lambda handler: stub_server.respond(handler, next(statuses), b"<html>")
    client = make_client()
    assert client.send(Request("POST", PURGE_PATH, Step.CREDENTIAL, ANONYMOUS)).status == 401
    assert [x.tags.get(Tag.SUPERSEDED) for x in exchanges_at(client, Step.CREDENTIAL)] == [Retry.GATEWAY, None]
    assert (client.post(PURGE_PATH, Step.PURGE).status, stub_server.purges) == (502, 3)


def test_failed_read_is_retried(make_client: Connect, stub_server: StubServer) -> None:
    """A failed read is sent once more, and both responses are recorded; a failed purge is not sent again."""
    statuses = iter([500, 200, 500, 500, 500])
    stub_server.answer = lambda handler: stub_server.respond(handler, next(statuses))
    client = make_client()
    assert [client.get("/v3", Step.V3_ROOT).status, client.get("/v3", Step.ROOT).status] == [200, 500]
    assert [x.tags.get(Tag.SUPERSEDED) for x in exchanges_at(client, Step.V3_ROOT)] == [Retry.FAILURE, None]
    assert [client.post(PURGE_PATH, Step.PURGE).status, stub_server.purges] == [500, 1]


PAGE = {"Content_Type": "text/html"}


@pytest.fixture
def server(make_client: Connect, stub_server: StubServer) -> tuple[Connect, StubServer]:
    """A server, and what connects a client to it."""
    return make_client, stub_server


@pytest.mark.parametrize(
    ("method", "wait", "headers"), [("GET", 4, PAGE | {"Retry_After": "4"}), ("GET", 1, PAGE), ("POST", 1, PAGE)]
)
def test_page_of_load_balancer_is_waited_for(
    method: str, wait: int, headers: dict[str, str], server: tuple[Connect, StubServer], waits: list[float]
) -> None:
    """A page with 503 is that of a load balancer without a server: the request is sent again while patience lasts."""
    make_client, stub_server = server
    answers: Iterator[tuple[int, dict[str, str]]] = iter([(503, headers)] * 5 + [(200, {})])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status, fields = next(answers)
        stub_server.respond(handler, status, b"<html>", **fields)

    stub_server.answer = answer
    client = make_client()
    assert client.send(Request(method, "/v3/apps", Step.APPS)).status == 200
    assert waits == [wait] * 5
    assert [x.status for x in target_responses(exchanges_at(client, Step.APPS))] == [200]


def test_refusal_of_firewall_is_final(make_client: Connect, stub_server: StubServer) -> None:
    """A page with 503 that refuses a suspicious request is not asked for again."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 503, b"<html>", **PAGE)
    found = make_client().get(f"{EVENTS_PATH}/%00", Step.SPELLING)
    assert (found.status, found.tags, len(stub_server.received)) == (503, {}, 1)


@pytest.mark.parametrize("headers", [{}, {"X_Cf_Routererror": "endpoint_failure (EOF)"}])
@pytest.mark.parametrize("status", [502, 504])
def test_lost_deletion_is_repeated(
    status: int, headers: dict[str, str], make_client: Connect, stub_server: StubServer
) -> None:
    """A DELETE is sent again if a router or a gateway lost it: it may be done, which 404 then says."""
    answers: Iterator[tuple[int, dict[str, str]]] = iter([(status, headers), (404, {})])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        code, fields = next(answers)
        stub_server.respond(handler, code, b"<html>", **fields)

    stub_server.answer = answer
    client = make_client()
    assert client.delete("/v3/apps/abc", Step.DELETE).status == 404
    assert [x.tags.get(Tag.SUPERSEDED) for x in exchanges_at(client, Step.DELETE)] == [Retry.GATEWAY, None]


def test_broken_connection_spends_no_request_without_credentials(make_client: Connect, stub_server: StubServer) -> None:
    """Those that got no answer are not counted, so the last one that may be sent is repeated as well."""
    client = make_client()
    client.guard.without_credentials = MAX_WITHOUT_CREDENTIALS - 1
    bodies = iter([b"", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"])
    stub_server.answer = lambda handler: write_raw(handler, next(bodies))
    assert client.send(Request("GET", EVENTS_PATH, Step.LIST, ANONYMOUS)).status == 401
    assert client.guard.without_credentials_left == 0
