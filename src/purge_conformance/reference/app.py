"""The ASGI application: routes, and the way of every request through one transaction to its answer."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, replace
from email.utils import format_datetime
from functools import wraps
from typing import TYPE_CHECKING
from uuid import uuid4

import jwt
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from purge_conformance.reference import apps, auth, bodies, events, organizations, problems, processes, root
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.problems import ApiError
from purge_conformance.reference.tables import moment, told_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sqlalchemy.orm import Session, sessionmaker
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_REQUEST_ID = 255
OPEN_ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/"): root.get_root,
    ("GET", "/v3"): root.get_v3_root,
    ("GET", "/v3/info"): root.get_info,
}
ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", events.PATH): events.list_events,
    ("GET", f"{events.PATH}/{{guid}}"): events.get_event,
    ("POST", events.PURGE_PATH): events.purge_events,
    ("GET", "/v3/jobs/{guid}"): root.get_job,
    ("GET", "/v3/organizations"): organizations.list_organizations,
    ("POST", "/v3/organizations"): organizations.create_organization,
    ("GET", "/v3/organizations/{guid}"): organizations.get_organization,
    ("DELETE", "/v3/organizations/{guid}"): organizations.delete_organization,
    ("GET", "/v3/spaces"): organizations.list_spaces,
    ("POST", "/v3/spaces"): organizations.create_space,
    ("GET", "/v3/spaces/{guid}"): organizations.get_space,
    ("DELETE", "/v3/spaces/{guid}"): organizations.delete_space,
    ("GET", "/v3/apps"): apps.list_apps,
    ("POST", "/v3/apps"): apps.create_app,
    ("GET", "/v3/apps/{guid}"): apps.get_app,
    ("DELETE", "/v3/apps/{guid}"): apps.delete_app,
    ("POST", "/v3/apps/{guid}/actions/start"): apps.start_app,
    ("POST", "/v3/apps/{guid}/actions/stop"): apps.stop_app,
    ("POST", "/v3/apps/{guid}/actions/restart"): apps.restart_app,
    ("GET", "/v3/apps/{guid}/processes"): processes.list_app_processes,
    ("GET", "/v3/apps/{guid}/processes/{type}"): processes.get_app_process,
    ("POST", "/v3/apps/{guid}/processes/{type}/actions/scale"): processes.scale_app_process,
    ("GET", "/v3/processes"): processes.list_processes,
    ("GET", "/v3/processes/{guid}"): processes.get_process,
    ("POST", "/v3/processes/{guid}/actions/scale"): processes.scale_process,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One server among those of a process: its database, its behaviour, its secret, its place."""

    sessions: sessionmaker[Session]
    behaviour: Behaviour
    secret: str
    base_url: str


def create_app(
    sessions: sessionmaker[Session], *, secret: str, base_url: str, behaviour: Behaviour | None = None
) -> ASGIApp:
    """Make one instance of the server as an ASGI application.

    Args:
        sessions: the database of this instance alone (see `database.opened_database`).
        secret: signs and verifies tokens (see `auth.tokens`).
        base_url: scheme, host, port and prefix that links begin with, without a slash at the end.
        behaviour: conforming, unless faults or variants changed it (see `changes.behaviour_with`).
    """
    conduct = behaviour or Behaviour()
    instance = Instance(sessions=sessions, behaviour=conduct, secret=secret, base_url=base_url)
    routes = [_route(instance, *place, handler) for place, handler in OPEN_ROUTES.items()]
    routes += [_route(instance, *place, guarded(handler)) for place, handler in ROUTES.items()]
    unknown = _endpoint(instance, root.unknown_request)

    async def no_route(request: Request, _error: Exception) -> Response:
        return await unknown(request)

    app = Starlette(routes=routes, exception_handlers={404: no_route, 405: no_route})
    app.router.redirect_slashes = False
    with told_by(conduct.clock), sessions.begin() as session:
        conduct.furnish(session)

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": conduct.routed(scope["path"])}, receive, send)

    return conduct.served(routed)


def _route(instance: Instance, method: str, path: str, handler: Handler) -> Route:
    return Route(path, _endpoint(instance, handler), methods=[method])


def _endpoint(instance: Instance, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    conduct, operation = instance.behaviour, handler.__name__
    answer = conduct.around(operation, handler)

    async def endpoint(request: Request) -> Response:
        raw_body = await request.body()
        with told_by(conduct.clock):
            reply = await conduct.pace(
                operation, lambda: _answered(instance, answer, request, raw_body), instance.sessions
            )
            return _rendered(conduct.finish(_with_headers(request, reply)))

    return endpoint


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


def _answered(instance: Instance, answer: Handler, request: Request, raw_body: bytes) -> Reply:
    """Run a handler in one transaction; whatever goes wrong undoes it, and becomes a refusal that tells no secret."""
    try:
        with instance.sessions.begin() as session:
            return answer(_call(instance, session, request, raw_body))
    except ApiError as error:
        return instance.behaviour.refusal(error)
    except OperationalError:
        log.exception("the database did not answer")
        return instance.behaviour.refusal(problems.database_unavailable())
    except Exception:
        log.exception("%s %s failed", request.method, request.url.path)
        return instance.behaviour.refusal(problems.unknown_error())


def _call(instance: Instance, session: Session, request: Request, raw_body: bytes) -> Call:
    return Call(
        session=session,
        behaviour=instance.behaviour,
        base_url=instance.base_url,
        secret=instance.secret,
        method=request.method,
        path=request.scope["path"].removeprefix(request.scope.get("root_path", "")),
        parts=request.path_params,
        query_string=request.scope["query_string"],
        authorization=request.headers.get("authorization"),
        content_type=request.headers.get("content-type", ""),
        raw_body=raw_body,
        headers=request.headers,
    )


def _with_headers(request: Request, reply: Reply) -> Reply:
    date = format_datetime(moment(), usegmt=True)
    every = {"date": date, "x-content-type-options": "nosniff", "x-vcap-request-id": _request_id(request)}
    return replace(reply, headers={**every, **reply.headers})


def _rendered(reply: Reply) -> Response:
    is_json = reply.body is not None and not isinstance(reply.body, str | bytes)
    content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")) if is_json else reply.body
    return Response(content, status_code=reply.status, headers=dict(reply.headers), media_type=reply.content_type)


def _request_id(request: Request) -> str:
    """Give a request an id that begins with the client's own, as Cloud Controller does."""
    wished = re.sub(r"[^\w-]", "", request.headers.get("x-vcap-request-id", ""), flags=re.ASCII)[:LONGEST_REQUEST_ID]
    return f"{wished}::{uuid4()}" if wished else str(uuid4())
