"""Provider states of the reference server (`spec/hook.md`): apps, and errors of an operation's next request."""

from __future__ import annotations

import json
from collections import deque
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.reference import asgi
from purge_conformance.reference.api import app_states
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.store.tables import use_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler

VERSION = 1
SETUP, TEARDOWN = "setup", "teardown"
NO_STATE = "nothing"
OPERATIONS = {"purge": "purge_events", "list": "list_events", "get": "get_event"}
ERRORS: Mapping[str, Callable[[], ApiError]] = {
    "conflict for the next request": problems.conflict,
    "internal error for the next request": problems.unknown_error,
    "service unavailable for the next request": problems.database_unavailable,
}


class ProviderStates:
    """Sets the states: changes apps in the database, and queues errors for the next requests of an operation."""

    def __init__(self, sessions: sessionmaker[Session], behaviour: Behaviour) -> None:
        """Start without pending errors."""
        self._sessions, self._behaviour = sessions, behaviour
        self._pending_errors: dict[str, deque[str]] = {operation: deque() for operation in OPERATIONS.values()}

    def inject_errors(self, operation: str, handler: Handler) -> Handler:
        """Wrap a handler so that a pending error of its operation is raised before it does anything."""

        @wraps(handler)
        def handle(call: Call) -> Reply:
            if pending := self._pending_errors[operation]:
                make_error = ERRORS[pending.popleft()]
                raise make_error()
            return handler(call)

        return handle if operation in self._pending_errors else handler

    def add_endpoint(self, app: ASGIApp, path: str) -> ASGIApp:
        """Wrap an application so that it serves provider states at a path."""

        async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] != scope.get("root_path", "") + path:
                await app(scope, receive, send)
                return
            body = await asgi.read_body(receive)
            if body is not None:
                await asgi.send_reply(self._handle(scope["method"], body), send)

        return dispatch

    def _handle(self, method: str, body: bytes) -> Reply:
        request = _parse_object(body)
        state, params = str(request.get("state")), request.get("params")
        if (
            method != "POST"
            or request.get("version") != VERSION
            or request.get("action") not in {SETUP, TEARDOWN}
            or not isinstance(params, dict)
        ):
            return Reply(
                status=HTTPStatus.BAD_REQUEST,
                body='POST {"version": 1, "state", "params", "action": "setup" or "teardown"}',
            )
        if state == NO_STATE:
            return Reply(body={})
        if state in app_states.STATES and request["action"] == SETUP:
            return self._apply_state(state, params)
        operation = OPERATIONS.get(str(params.get("operation")))
        if state not in ERRORS or operation is None:
            known_states = ", ".join([*app_states.STATES, *ERRORS])
            return Reply(status=HTTPStatus.NOT_IMPLEMENTED, body=f"No such state here. There are: {known_states}")
        if request["action"] == SETUP:
            self._pending_errors[operation].append(state)
        else:
            self._pending_errors[operation].clear()
        return Reply(body={})

    def _apply_state(self, state: str, params: dict[str, Any]) -> Reply:
        with use_clock(self._behaviour.clock), self._sessions.begin() as session:
            guid = app_states.apply_state(session, state, params, self._behaviour.record)
        return Reply(body={"app": guid}) if guid else Reply(status=HTTPStatus.BAD_REQUEST, body="There is no such app")


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}
