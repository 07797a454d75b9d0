"""An HTTP hook gets requests as spec/hook.md says, within bounds."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from meta.support.hook import SECRET, STATE, hook
from purge_conformance.client.time_limit import TimeLimit
from purge_conformance.errors import BudgetExhausted, HookFailed, StateUnsupported
from purge_conformance.target.hook import MAX_BYTES

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer


@pytest.mark.parametrize(
    ("status", "body", "values"), [(200, b"", {}), (204, b"", {}), (200, b'{"app": "guid"}', {"app": "guid"})]
)
def test_http_hook_sets_state(status: int, body: bytes, values: dict[str, str], stub_server: StubServer) -> None:
    """A hook that answers 200 or 204 has set the state; a JSON object in its body holds values."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status, body)
    assert hook(stub_server.url).set_up(STATE, operation="purge") == values


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"no such path", "HTTP 404: no such path"),
        (500, b"", "HTTP 500"),
        (302, b"", "HTTP 302"),
        (200, b"[]", "not a JSON object"),
        (200, b"done", "not a JSON object: done"),
        (200, b" " * (MAX_BYTES + 1), "larger than"),
        (500, SECRET.encode(), r"HTTP 500: \$ADMIN_TOKEN"),
    ],
    ids=["404", "500", "302", "list", "text", "too-large", "secret"],
)
def test_http_hook_failure_is_reported(status: int, body: bytes, words: str, stub_server: StubServer) -> None:
    """Any other HTTP response is a failure, with the start of its body and without a secret."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status, body, Location="/elsewhere")
    http_hook = hook(stub_server.url)
    for _ in range(2):
        with pytest.raises(HookFailed, match=words):
            http_hook.set_up(STATE, operation="purge")
    assert len(stub_server.received) == 1  # a failed hook gets no further request


def test_unsupported_state_is_reported(stub_server: StubServer) -> None:
    """501 means an unsupported state; ending it is then no failure, and others may follow."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 501)
    http_hook = hook(stub_server.url)
    for _ in range(2):
        with pytest.raises(StateUnsupported, match="does not support the state 'service"):
            http_hook.set_up(STATE, operation="get")
    http_hook.tear_down(STATE, operation="get")


def test_missing_hook_is_reported() -> None:
    """A missing hook is a failure."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(HookFailed, match="did not answer"):
        hook(f"http://127.0.0.1:{port}/").set_up(STATE, operation="purge")


def test_slow_endpoint_times_out(stub_server: StubServer) -> None:
    """An HTTP hook whose response exceeds the timeout is a failure, and its connection is closed."""
    is_left = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        while not is_left.wait(0.01):
            handler.wfile.write(b"H")
            handler.wfile.flush()

    stub_server.answer = drip
    with pytest.raises(HookFailed, match="did not answer"):
        hook(stub_server.url, timeout=0.05).set_up(STATE, operation="purge")
    is_left.set()


def test_hook_is_cut_at_end_of_time(stub_server: StubServer) -> None:
    """Once the time of the run is used up, the hook is not asked; a state is still ended within the reserve."""
    now = 0.0
    limit = TimeLimit(20, lambda: now)
    late_hook = hook(stub_server.url, time_limit=limit)
    late_hook.set_up(STATE, operation="purge")
    now = 17.0
    with pytest.raises(BudgetExhausted, match="--max-time"):
        late_hook.set_up(STATE, operation="purge")
    late_hook.tear_down(STATE, operation="purge")
    assert len(stub_server.received) == 2


def test_slow_hook_is_no_failure_at_end_of_time(stub_server: StubServer) -> None:
    """A hook that the end of the time cuts off has not failed: it may be asked for the deletion of apps."""
    now = 0.0

    def answer(handler: BaseHTTPRequestHandler) -> None:
        nonlocal now
        now = 17.0
        handler.close_connection = True

    limit = TimeLimit(20, lambda: now)
    late_hook = hook(stub_server.url, time_limit=limit)
    stub_server.answer = answer
    with pytest.raises(BudgetExhausted, match="--max-time"):
        late_hook.set_up(STATE, operation="purge")
    limit.release_reserve()
    stub_server.answer = lambda handler: stub_server.respond(handler, 204)
    assert late_hook.set_up(STATE, operation="purge") == {}
