"""The bound on the time of a run."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from meta.support.client import clients_of, exchanges_at
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.client import Request
from purge_conformance.client.guard import Guard
from purge_conformance.client.time_limit import TimeLimit
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import Limits, Settings, Target, describe_seconds
from purge_conformance.errors import BudgetExhausted
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


@pytest.mark.parametrize(("seconds", "scenarios", "cleanup"), [(1800, 1740, 1785), (300, 240, 285), (20, 16, 19)])
def test_end_is_reserved(seconds: float, scenarios: float, cleanup: float) -> None:
    """The last minute, or a fifth of a shorter time, is for the deletion of apps, and a quarter of it for reports."""
    clock = Clock()
    limit = TimeLimit(seconds, clock)
    assert (limit.left, limit.left_for_cleanup) == (scenarios, cleanup)
    clock.now += scenarios
    with pytest.raises(BudgetExhausted, match="--max-time"):
        limit.require()
    limit.release_reserve()
    limit.require()
    assert limit.left == cleanup - scenarios
    clock.now += seconds
    assert (limit.left, limit.left_for_cleanup) == (0, 0)


def test_time_may_have_begun_earlier() -> None:
    """The time of a run counts from its begin, before the first request of its scenarios."""
    clock = Clock()
    assert TimeLimit(20, clock, begin=clock.now - 10).left == 6
    late = Settings(
        *(Target("http://127.0.0.1:1"), {"admin": "an-opaque-secret"}),
        limits=Limits(max_time=20),
        begin=time.monotonic() - 17,
    )
    with pytest.raises(BudgetExhausted, match="--max-time"):
        Guard.from_settings(late).admit("GET", EVENTS_PATH, "admin")
    with unrecorded_client(late) as client, pytest.raises(BudgetExhausted, match="--max-time"):
        client.guard.time_limit.require()


def test_guard_admits_nothing_after_time() -> None:
    """Once the time is used up the guard admits no request; the cleanup has the reserve."""
    clock = Clock()
    guard = Guard(Limits(max_time=20), time_limit=TimeLimit(20, clock))
    guard.admit("GET", EVENTS_PATH, "admin")
    clock.now += 16
    with pytest.raises(BudgetExhausted, match=r"allows 20 s, the last 4 s of it .* Give a larger --max-time"):
        guard.admit("GET", EVENTS_PATH, "admin")
    guard.release_cleanup_reserve()
    assert guard.admit("DELETE", "/v3/apps/1", "admin") == 2


@pytest.mark.parametrize(("seconds", "text"), [(20, "20 s"), (0.25, "0.25 s"), (1800, "30 min"), (5430, "90.5 min")])
def test_seconds_are_described(seconds: float, text: str) -> None:
    """Two minutes and more are given in minutes."""
    assert describe_seconds(seconds) == text


def _wait_for_end(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing until the client closes the connection."""
    handler.close_connection = True
    handler.connection.recv(1)


def _drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer byte by byte, without an end."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    handler.wfile.flush()
    handler.connection.settimeout(0.05)
    while True:
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            if not handler.connection.recv(1):
                return
        except TimeoutError:
            continue
        except OSError:
            return


@pytest.mark.parametrize("answer", [_wait_for_end, _drip])
def test_waiting_is_cut(
    answer: Callable[[BaseHTTPRequestHandler], None], make_client: Connect, stub_server: StubServer
) -> None:
    """A response that is not complete when the time is used up is abandoned; the exchange is recorded."""
    stub_server.answer = answer
    client = make_client(timeout=600, max_time=1)
    client.begin(Scenario.READS)
    for _ in range(3):
        with pytest.raises(BudgetExhausted, match="--max-time"):
            client.get("/v3", Step.V3_ROOT)
    assert [x.status for x in exchanges_at(client, Step.V3_ROOT)] == [None]


class _Endless:
    """An upload whose end is never reached."""

    def __len__(self) -> int:
        """Return a length that takes too long."""
        return 10**12

    def __iter__(self) -> Iterator[bytes]:
        """Yield chunk after chunk."""
        while True:
            yield b"x" * 65536


def test_upload_is_cut(tmp_path: Path) -> None:
    """A request that the target does not read is abandoned when the time is used up."""
    upload = Request("POST", "/v3/droplets/one/upload", Step.PREPARE_DROPLET, upload=_Endless())  # type: ignore[arg-type]
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        clients_of(f"http://127.0.0.1:{listener.getsockname()[1]}", tmp_path) as make_client,
        pytest.raises(BudgetExhausted, match="--max-time"),
    ):
        make_client(timeout=600, max_time=1).send(upload)


def test_retry_after_is_cut(make_client: Connect, stub_server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait that a target asks for is cut to the time that is left."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    statuses = iter([429, 200])
    stub_server.answer = lambda handler: stub_server.respond(handler, next(statuses), Retry_After="9")
    assert make_client(max_time=5).get("/v3", Step.V3_ROOT).status == 200
    assert len(pauses) == 1
    assert 0 < pauses[0] <= 4
