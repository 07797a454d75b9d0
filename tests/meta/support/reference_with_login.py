"""The reference server with a login in its root document, in a thread of the test."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import uvicorn

from meta.support.uaa import SECRET
from purge_conformance.reference import create_app, open_database
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.mutation import combine, wrap_operations
from purge_conformance.reference.wire import WireProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.reference.behaviour import Call, Handler, Reply
    from purge_conformance.reference.mutation import Change


RESPONSE_DELAY_S = 0.004


@dataclass
class Pace:
    """The delay of responses.

    Each is delayed by some milliseconds, so that a run is longer than three seconds on any machine.

    Attributes:
        stall_after: the number of requests after which the server stalls.
        stall_until: the time at which it continues.
    """

    stall_after: int = 0
    stall_until: float = 0.0
    requests: int = 0

    async def wait(self) -> None:
        """Delay a response."""
        self.requests += 1
        stall = self.stall_until - time.time() if self.requests > self.stall_after else 0.0
        await asyncio.sleep(max(RESPONSE_DELAY_S, stall))


@contextmanager
def serve_reference(login: str, pace: Pace | None = None, further: Change | None = None) -> Iterator[str]:
    """Serve the reference server with a root document that names a login, and a further change; yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the server's own does
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with open_database("sqlite://") as sessions:
        behaviour = combine(*filter(None, [further]), _with_login(login, pace or Pace()))(Behaviour())
        app = create_app(sessions, secret=SECRET, base_url=url, behaviour=behaviour)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", loop="asyncio", http=WireProtocol)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)


def _with_login(login: str, pace: Pace) -> Change:
    """Return a change that names a login in the root document, and delays each response."""

    @wrap_operations("get_root")
    def named(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        links = {**reply.body["links"], "login": {"href": login}, "uaa": {"href": login}}
        return replace(reply, body={"links": links})

    def delayed(behaviour: Behaviour) -> Behaviour:
        async def schedule(_operation: str, answer: Callable[[], Reply], _sessions: object) -> Reply:
            await pace.wait()
            return answer()

        return replace(behaviour, schedule=schedule)

    return combine(named, delayed)
