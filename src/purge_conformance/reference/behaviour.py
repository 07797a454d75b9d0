"""The seams of the server: calls, replies, and the decisions that faults and variants replace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.api import auth
from purge_conformance.reference.api.auth import Caller
from purge_conformance.reference.api.errors import ApiError, envelope
from purge_conformance.reference.store import bulk
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.lists import Listing, find_page
from purge_conformance.reference.store.tables import AppUsageEvent, Clock, timestamp_now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.asgi import ASGIApp


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply: its status, its body (encoded as JSON unless it is text or bytes), and further headers."""

    status: int = HTTPStatus.OK
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, with the transaction in which it is handled.

    Attributes:
        session: the transaction; it is committed unless the handler raises an exception.
        behaviour: of this instance of the server.
        base_url: scheme, host, port and prefix of links.
        secret: signs tokens.
        method: the HTTP method.
        path: the path of the URL, without the prefix of the instance.
        path_parameters: values in the path, by their names in the route.
        query_string: undecoded.
        authorization: the first Authorization header, or None.
        further_authorizations: the other Authorization headers.
        content_type: the Content-Type header, or "".
        headers: all headers, by their names in lower case.
        raw_body: undecoded.
        caller: has no scopes until the token is verified.
        body: the parsed JSON; None before it is parsed, or without a JSON body.
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
    further_authorizations: tuple[str, ...] = ()
    caller: Caller = field(default_factory=Caller)
    body: Any = None

    def url(self, path: str) -> str:
        """Return the absolute URL of a path of this server."""
        return self.base_url + path


Handler = Callable[[Call], Reply]
# The operation, a function that answers it in its own transaction, and a factory of further transactions.
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
    """Every decision that a fault or a variant can replace; the defaults conform.

    Attributes:
        wrap_handler: wraps the handler of an operation, including authentication and body parsing.
        schedule: decides when a request is answered; other requests are answered while it waits, so that no
            transaction may be open then.
        read_claims: returns the claims of a token, given the secret, or raises jwt.InvalidTokenError.
        may_purge: whether a caller may purge.
        error_reply: returns the reply that shows an error.
        make_seeds: returns the events of a purge at a time.
        destroy: deletes the events that existed before a purge.
        record: adds the event of a change.
        find_event: finds an event by its guid.
        find_events: counts events and fetches one page of them.
        finalize: changes every reply, with all its headers, before it is sent.
        rewrite_path: maps the path of a URL to the path that is routed.
        wrap_app: wraps the whole application, whose scope contains the connection as `wire`.
        clock: the time of database rows and Date headers.
        sign_tokens: returns one token for each role, given the secret.
        initial_data: fills an empty database.
        host: address of a server that is not mounted beside others, in place of the requested one.
        path_prefix: prefix of the path of a server that is not mounted beside others.
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
        """Replace all events by one for each started app, in the transaction of the request."""
        moment = timestamp_now()
        if (self.make_seeds, self.destroy) == (store.make_seeds, store.destroy_events):
            store.destroy_events(session)  # the same as below, without reading rows
            bulk.insert_seeds(session, moment)
            return
        seeds = self.make_seeds(session, moment)
        self.destroy(session)
        session.add_all(seeds)
