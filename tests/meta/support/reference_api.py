"""A client of a reference server within the test: an ASGI application responds without a socket."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from uuid import UUID

import pytest

from purge_conformance.reference import create_app, open_database, sign_tokens
from purge_conformance.reference.store import tables
from purge_conformance.reference.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from purge_conformance.reference.asgi import ASGIApp, Message
    from purge_conformance.reference.behaviour import Behaviour


SECRET = "a secret of sixty-four bytes, which is as long as the longest digest"  # noqa: S105 - nothing is behind it
START = datetime(2026, 1, 1, tzinfo=UTC)
BASE_URL = "http://reference.test"
EVENTS = "/v3/app_usage_events"
STRIDE = 0x9E3779B97F4A7C15F39CC0605CEDC835  # guids in no order
PURGE = f"{EVENTS}/actions/destructively_purge_all_and_reseed"


@dataclass(frozen=True)
class Answer:
    """The response of the server."""

    status: int
    headers: dict[str, str]
    text: str
    wire: str = ""

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Parse the body."""
        return json.loads(self.text)


class Api:
    """A client of one instance; every request comes a second after the one before."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        """Create a client of that instance."""
        self.app, self.clock, self.tokens = app, clock, sign_tokens(SECRET)

    def call(  # noqa: PLR0913 -- the parts of a request
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: str | None = "admin",
        headers: dict[str, str] | None = None,
        second: str = "",
    ) -> Answer:
        """Send a request as a role or without a token; bytes are sent unchanged, anything else as JSON.

        `second` is what a second Authorization header contains.
        """
        sent = {"authorization": f"bearer {self.tokens[role]}"} if role else {}
        sent |= {"content-type": "application/json"} if body is not None else {}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.clock.tick()
        further = [("authorization", second)] if second else []
        return _answer(self.app, method, path, [*(sent | (headers or {})).items(), *further], raw)

    def get(self, path: str, *, role: str | None = "admin") -> Answer:
        """GET as a role."""
        return self.call("GET", path, role=role)

    def post(self, path: str, body: object = None, *, role: str | None = "admin") -> Answer:
        """POST as a role."""
        return self.call("POST", path, body, role=role)

    def space(self, name: str = "space", organization: str = "organization") -> str:
        """Create a space, and its organization unless one of this name exists; return the guid of the space."""
        found = self.get(f"/v3/organizations?names={organization}").json["resources"]
        made = found[0] if found else self.post("/v3/organizations", {"name": organization}).json
        return str(self.post("/v3/spaces", {"name": name, **relationship("organization", made["guid"])}).json["guid"])

    def app_in(self, space: str, name: str, *, started: bool = True) -> str:
        """Create an app; return its guid."""
        guid = str(self.post("/v3/apps", {"name": name, **relationship("space", space)}).json["guid"])
        if started:
            self.post(f"/v3/apps/{guid}/actions/start")
        return guid

    def events(self, query: str = "per_page=5000") -> list[dict[str, Any]]:
        """List the events of one page."""
        return list(self.get(f"{EVENTS}?{query}").json["resources"])


def relationship(relation: str, guid: str) -> dict[str, Any]:
    """Return a relationship as the body of a request."""
    return {"relationships": {relation: {"data": {"guid": guid}}}}


def _answer(app: ASGIApp, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    route, _, query = path.partition("?")
    written = RecordingTransport()
    wire = Wire(cast("asyncio.Transport", written))
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(route),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "root_path": "",
        "wire": wire,
    }
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    for _ in app(scope, receive, send).__await__():
        pytest.fail("The server waited for something, and there is nothing to wait for.")
    sent = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    content = b"".join(part.get("body", b"") for part in messages[1:])
    wire.write(b"HTTP/1.1 200 OK\r\nserver: none\r\ncontent-length: 2\r\n\r\n")
    wire.write(b"0\r\n\r\n")
    return Answer(messages[0]["status"], sent, content.decode(errors="replace"), written.data.decode())


class RecordingTransport:
    """A transport that records what the server writes."""

    def __init__(self) -> None:
        """Start without data."""
        self.data = b""

    def write(self, data: bytes) -> None:
        """Record data."""
        self.data += data

    def close(self) -> None:
        """Record the end of the connection."""
        self.data += b" (closed)"


class Clock:
    """Replaces the server's datetime class: the same second until the next tick."""

    def __init__(self) -> None:
        """Start at a fixed time, with no pending action."""
        self.moment = START
        self.meanwhile: list[Callable[[], object]] = []

    def tick(self) -> None:
        """Let a second pass."""
        self.moment += timedelta(seconds=1)

    def now(self, _zone: tzinfo) -> datetime:
        """Return the time."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Replace asyncio.sleep; run the pending actions."""
        self.moment += timedelta(seconds=max(1, seconds))  # a second at the least, as times are shown
        self.run_pending()

    def run_pending(self) -> None:
        """Run the pending actions."""
        while self.meanwhile:
            self.meanwhile.pop()()


def create_api(behaviour: Behaviour, databases: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Create an instance whose clock and guids are the same in every test."""
    clock, numbers = Clock(), count(1)
    monkeypatch.setattr(tables, "datetime", clock)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    monkeypatch.setattr(tables, "uuid4", lambda: UUID(int=next(numbers) * STRIDE % 2**128))
    sessions = databases.enter_context(open_database())
    return Api(create_app(sessions, secret=SECRET, base_url=BASE_URL, behaviour=behaviour), clock)


@contextmanager
def api_factory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Behaviour], Api]]:
    """Yield the function that creates instances; their databases are closed at the end."""
    with ExitStack() as databases:
        yield lambda behaviour: create_api(behaviour, databases, monkeypatch)
