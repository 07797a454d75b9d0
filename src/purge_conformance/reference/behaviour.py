"""The seams of the server: what a request is, what an answer is, and the decisions that faults and variants replace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.api import auth
from purge_conformance.reference.api.auth import Caller
from purge_conformance.reference.api.errors import ApiError, envelope
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import Listing, find_page
from purge_conformance.reference.store.tables import AppUsageEvent, Clock, timestamp_now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.asgi import ASGIApp


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: its status, what becomes JSON (or text or bytes, which go out as they are), and further headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request on its way through the server, with the transaction that it runs in.

    Attributes:
        session: the transaction; it is committed unless an exception leaves the handler.
        behaviour: how this instance of the server behaves.
        base_url: what links begin with.
        secret: what tokens are signed with.
        method: the HTTP method.
        path: of the URL, without the prefix of the instance.
        parts: what the route names in the path.
        query_string: undecoded.
        authorization: the header, if any.
        content_type: the header, or "".
        headers: all of them, by their names in lower case.
        raw_body: as it came.
        caller: known once the token is verified; before, somebody without any scope.
        body: what the JSON says, once it is parsed; None without a JSON body.
    """

    session: Session
    behaviour: Behaviour
    base_url: str
    secret: str
    method: str
    path: str
    path_parameters: Mapping[str, str]
    query_string: bytes
    authorization: str | None
    content_type: str
    raw_body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = field(default_factory=Caller)
    body: Any = None

    def url(self, path: str) -> str:
        """Make an absolute URL of this server."""
        return self.base_url + path


Handler = Callable[[Call], Reply]
# The operation, what answers it in a transaction of its own, and the maker of further transactions.
Schedule = Callable[[str, Callable[[], Reply], "sessionmaker[Session]"], Awaitable[Reply]]


def _keep_handler(_operation: str, handler: Handler) -> Handler:
    return handler


async def _answer_immediately(_operation: str, answer: Callable[[], Reply], _sessions: sessionmaker[Session]) -> Reply:
    return answer()


def _keep_app(app: ASGIApp) -> ASGIApp:
    return app


def _admin_may_purge(caller: Caller) -> bool:
    return caller.is_admin


def _no_initial_data(_session: Session) -> None:
    pass


def _keep_reply(reply: Reply) -> Reply:
    return reply


def _error_reply(error: ApiError) -> Reply:
    return Reply(status=error.status, body=envelope(error))


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Every decision that a fault or a variant may replace; as it stands here, the server conforms.

    Attributes:
        around: wraps the handler of an operation, authentication and body parsing included.
        pace: when a request is answered; while it waits others are answered, so no transaction may be open then.
        claims: reads the claims of a token with the secret, or raises jwt.InvalidTokenError.
        may_purge: whether a caller may purge.
        refusal: how a refusal is shown.
        seeds: makes the events of a purge at a moment.
        destroy: removes the events that were there before.
        record: writes down what happened to a process.
        find_event: looks one event up by its guid.
        find_events: counts and fetches one page of events.
        finish: takes every answer, with all its headers, as the last before it is sent.
        routed: takes the path of a URL to the path that the routes are compared with.
        served: wraps the whole application, whose scope has the connection as `wire`.
        clock: tells the time, in the database and in Date headers.
        tokens: signs one token for each role with the secret.
        furnish: makes what is there from the start, in an empty database.
        host: the address that a server of its own listens on, in place of the one that was asked for.
        place: what the path of a server of its own begins with.
    """

    wrap_handler: Callable[[str, Handler], Handler] = _keep_handler
    schedule: Schedule = _answer_immediately
    read_claims: Callable[[str, str], Mapping[str, Any]] = auth.verify_token
    may_purge: Callable[[Caller], bool] = _admin_may_purge
    error_reply: Callable[[ApiError], Reply] = _error_reply
    make_seeds: Callable[[Session, str], list[AppUsageEvent]] = store.make_seeds
    destroy: Callable[[Session], None] = store.destroy_events
    record: store.Record = store.record_event
    find_event: Callable[[Session, str], AppUsageEvent | None] = store.find_event
    find_events: Callable[[Session, Listing[AppUsageEvent], ListQuery], tuple[int, Sequence[AppUsageEvent]]] = find_page
    finalize: Callable[[Reply], Reply] = _keep_reply
    rewrite_path: Callable[[str], str] = str
    wrap_app: Callable[[ASGIApp], ASGIApp] = _keep_app
    clock: Clock = field(default_factory=Clock)
    sign_tokens: Callable[[str], dict[str, str]] = auth.sign_tokens
    initial_data: Callable[[Session], None] = _no_initial_data
    host: str | None = None
    path_prefix: str = ""

    def purge_and_reseed(self, session: Session) -> None:
        """Replace all events by one for each started app, within the transaction of the request."""
        seeds = self.make_seeds(session, timestamp_now())
        self.destroy(session)
        session.add_all(seeds)
