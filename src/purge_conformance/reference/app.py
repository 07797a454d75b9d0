"""The ASGI application: routes, and the way of every request through one transaction to its answer."""

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
from purge_conformance.reference.provider_states import States
from purge_conformance.reference.routes import OPEN_ROUTES, ROUTES, operation_of
from purge_conformance.reference.store.tables import moment, told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send

LONGEST_REQUEST_ID = 255
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One server among those of a process: its database, its behaviour, its secret, its place."""

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
    """Make one instance of the server as an ASGI application.

    Args:
        sessions: the database of this instance alone (see `database.opened_database`).
        secret: signs and verifies tokens (see `auth.tokens`).
        base_url: scheme, host, port and prefix that links begin with, without a slash at the end.
        behaviour: conforming, unless faults or variants changed it (see `changes.behaviour_with`).
        states_path: where it takes provider states, or None.
    """
    conduct = behaviour or Behaviour()
    states = States(sessions, conduct)
    instance = Instance(sessions=sessions, behaviour=conduct, secret=secret, base_url=base_url)
    answers = dict(_answers(instance, states))
    with told_by(conduct.clock), sessions.begin() as session:
        conduct.furnish(session)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raw_body = await asgi.body_of(receive)
        if raw_body is None:
            return
        headers = asgi.headers_of(scope)
        operation, call = _called(instance, scope, headers, raw_body)
        answer = partial(_answered, instance, answers[operation], call)
        with told_by(conduct.clock):
            reply = await conduct.pace(operation, answer, sessions)
            reply = conduct.finish(_with_headers(reply, headers.get("x-vcap-request-id", "")))
        await asgi.write(reply, send)

    served = conduct.served(app)
    return states.beside(served, states_path) if states_path else served


def _called(
    instance: Instance, scope: Scope, headers: Mapping[str, str], raw_body: bytes
) -> tuple[str, Callable[[Session], Call]]:
    """Tell the operation that a request is for, and make what takes it into a transaction."""
    path = instance.behaviour.routed(scope["path"]).removeprefix(scope["root_path"])
    operation, parts = operation_of(scope["method"], path)

    def call(session: Session) -> Call:
        return Call(
            session=session,
            behaviour=instance.behaviour,
            base_url=instance.base_url,
            secret=instance.secret,
            method=scope["method"],
            path=path,
            parts=parts,
            query_string=scope["query_string"],
            authorization=headers.get("authorization"),
            content_type=headers.get("content-type", ""),
            raw_body=raw_body,
            headers=headers,
        )

    return operation, call


def _answers(instance: Instance, states: States) -> Iterator[tuple[str, Handler]]:
    """Yield each operation with what answers it: its handler behind the guards, as the behaviour has it."""
    for handler in (*OPEN_ROUTES.values(), root.unknown_request):
        yield handler.__name__, instance.behaviour.around(handler.__name__, handler)
    for handler in ROUTES.values():
        operation = handler.__name__
        yield operation, instance.behaviour.around(operation, states.meeting(operation, guarded(handler)))


def guarded(handler: Handler) -> Handler:
    """Let a handler be called only with a token that holds and reaches, and with a body that can be read."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        caller = _authenticated(call)
        if not (caller.may_read if call.method in ("GET", "HEAD") else caller.may_write):
            raise problems.not_authorized()
        return handler(replace(call, caller=caller, body=bodies.parsed(call.raw_body, call.content_type)))

    return answer


def _authenticated(call: Call) -> auth.Caller:
    token = auth.bearer_token(call.authorization)
    try:
        return auth.caller_of(call.behaviour.claims(token, call.secret))
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise problems.invalid_token() from error


def _answered(instance: Instance, answer: Handler, call: Callable[[Session], Call]) -> Reply:
    """Run a handler in one transaction; whatever goes wrong undoes it, and becomes a refusal that tells no secret."""
    try:
        with instance.sessions.begin() as session:
            return answer(call(session))
    except ApiError as error:
        return instance.behaviour.refusal(error)
    except OperationalError:
        log.exception("the database did not answer")
        return instance.behaviour.refusal(problems.database_unavailable())
    except Exception:
        log.exception("a request to %s failed", instance.base_url)
        return instance.behaviour.refusal(problems.unknown_error())


def _with_headers(reply: Reply, wished_id: str) -> Reply:
    date = format_datetime(moment(), usegmt=True)
    every = {"date": date, "x-content-type-options": "nosniff", "x-vcap-request-id": _request_id(wished_id)}
    return replace(reply, headers={**every, **reply.headers})


def _request_id(wished: str) -> str:
    """Give a request an id that begins with the client's own, as Cloud Controller does."""
    kept = re.sub(r"[^\w-]", "", wished, flags=re.ASCII)[:LONGEST_REQUEST_ID]
    return f"{kept}::{uuid4()}" if kept else str(uuid4())
