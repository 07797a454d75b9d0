"""The ASGI application: it routes each request and handles it in one transaction."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from email.utils import format_datetime
from functools import partial, wraps
from typing import TYPE_CHECKING
from uuid import uuid4

import jwt
from sqlalchemy.exc import OperationalError

from purge_conformance.reference import asgi
from purge_conformance.reference.api import auth, bodies, root
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.provider_states import ProviderStates
from purge_conformance.reference.routes import OPEN_ROUTES, ROUTES, find_operation
from purge_conformance.reference.store.tables import use_clock, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send

MAX_REQUEST_ID_LENGTH = 255
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One of the servers of a process."""

    sessions: sessionmaker[Session]
    behaviour: Behaviour
    secret: str
    base_url: str


def create_app(
    sessions: sessionmaker[Session],
    *,
    secret: str,
    base_url: str,
    behaviour: Behaviour | None = None,
    states_path: str | None = None,
) -> ASGIApp:
    """Create one instance of the server as an ASGI application.

    Args:
        sessions: of the database of this instance (see `store.database.open_database`).
        secret: signs and verifies tokens (see `api.auth.sign_tokens`).
        base_url: scheme, host, port and prefix of links, without a trailing slash.
        behaviour: with faults and variants (see `registry.behaviour_with`); by default it conforms.
        states_path: path of the endpoint for provider states, or None.
    """
    effective_behaviour = behaviour or Behaviour()
    states = ProviderStates(sessions, effective_behaviour)
    instance = Instance(sessions=sessions, behaviour=effective_behaviour, secret=secret, base_url=base_url)
    handlers = dict(_handlers(instance, states))
    with use_clock(effective_behaviour.clock), sessions.begin() as session:
        effective_behaviour.initial_data(session)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raw_body = await asgi.read_body(receive)
        if raw_body is None:
            return
        headers = asgi.read_headers(scope)
        operation, call = _route_request(instance, scope, headers, raw_body)
        handle = partial(_handle_in_transaction, instance, handlers[operation], call)
        with use_clock(effective_behaviour.clock):
            reply = await effective_behaviour.schedule(operation, handle, sessions)
            reply = effective_behaviour.finalize(_add_headers(reply, headers.get("x-vcap-request-id", "")))
        await asgi.send_reply(reply, send)

    asgi_app = effective_behaviour.wrap_app(app)
    return states.add_endpoint(asgi_app, states_path) if states_path else asgi_app


def _route_request(
    instance: Instance, scope: Scope, headers: Mapping[str, str], raw_body: bytes
) -> tuple[str, Callable[[Session], Call]]:
    """Return the operation of a request, and a function that makes its `Call` in a transaction."""
    path = instance.behaviour.rewrite_path(scope["path"]).removeprefix(scope["root_path"])
    operation, parts = find_operation(scope["method"], path)

    def call(session: Session) -> Call:
        return Call(
            session=session,
            behaviour=instance.behaviour,
            base_url=instance.base_url,
            secret=instance.secret,
            method=scope["method"],
            path=path,
            path_parameters=parts,
            query_string=scope["query_string"],
            authorization=headers.get("authorization"),
            content_type=headers.get("content-type", ""),
            raw_body=raw_body,
            headers=headers,
            further_authorizations=asgi.read_repeated(scope, "authorization")[1:],
        )

    return operation, call


def _handlers(instance: Instance, states: ProviderStates) -> Iterator[tuple[str, Handler]]:
    """Yield each operation with its handler, after authentication and parsing, and as the behaviour wraps it."""
    for handler in (*OPEN_ROUTES.values(), root.unknown_request):
        yield handler.__name__, instance.behaviour.wrap_handler(handler.__name__, handler)
    for handler in ROUTES.values():
        operation = handler.__name__
        yield (
            operation,
            instance.behaviour.wrap_handler(
                operation, states.inject_errors(operation, authenticate_and_parse(handler))
            ),
        )


def authenticate_and_parse(handler: Handler) -> Handler:
    """Wrap a handler: first check the token, its scopes and the body."""

    @wraps(handler)
    def handle(call: Call) -> Reply:
        caller = _authenticate(call)
        if not (caller.may_read if call.method in ("GET", "HEAD") else caller.may_write):
            raise problems.not_authorized()
        return handler(replace(call, caller=caller, body=bodies.parse_body(call.raw_body, call.content_type)))

    return handle


def _authenticate(call: Call) -> auth.Caller:
    token = auth.bearer_token(call.authorization)
    try:
        return auth.caller_from_claims(call.behaviour.read_claims(token, call.secret))
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise problems.invalid_token() from error


def _handle_in_transaction(instance: Instance, handle: Handler, call: Callable[[Session], Call]) -> Reply:
    """Run a handler in one transaction; any exception rolls it back and becomes an error without internal details."""
    try:
        with instance.sessions.begin() as session:
            return handle(call(session))
    except ApiError as error:
        return instance.behaviour.error_reply(error)
    except OperationalError:
        log.exception("The database did not answer")
        return instance.behaviour.error_reply(problems.database_unavailable())
    except Exception:
        log.exception("A request to %s failed", instance.base_url)
        return instance.behaviour.error_reply(problems.unknown_error())


def _add_headers(reply: Reply, requested_id: str) -> Reply:
    date = format_datetime(utc_now(), usegmt=True)
    default_headers = {
        "date": date,
        "x-content-type-options": "nosniff",
        "x-vcap-request-id": _request_id(requested_id),
    }
    return replace(reply, headers={**default_headers, **reply.headers})


def _request_id(requested: str) -> str:
    """Return a new request id that begins with the client's own, as Cloud Controller does."""
    prefix = re.sub(r"[^\w-]", "", requested, flags=re.ASCII)[:MAX_REQUEST_ID_LENGTH]
    return f"{prefix}::{uuid4()}" if prefix else str(uuid4())
