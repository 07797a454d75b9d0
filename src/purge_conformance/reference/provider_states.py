"""Provider states of the reference server (`spec/hook.md`): apps, and errors of the next request of an operation."""

from __future__ import annotations

import json
from collections import deque
from functools import wraps
from typing import TYPE_CHECKING, Any

from purge_conformance.reference import asgi
from purge_conformance.reference.api import app_states
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.store.tables import told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler

VERSION = 1
SETUP, TEARDOWN = "setup", "teardown"
NOTHING = "nothing"
MALFORMED, UNSUPPORTED = 400, 501
OPERATIONS = {"purge": "purge_events", "list": "list_events", "get": "get_event"}
ERRORS: Mapping[str, Callable[[], ApiError]] = {
    "conflict for the next request": problems.conflict,
    "internal error for the next request": problems.unknown_error,
    "service unavailable for the next request": problems.database_unavailable,
}


class States:
    """What sets the states: apps in the database, and errors that wait for a request of their operation."""

    def __init__(self, sessions: sessionmaker[Session], behaviour: Behaviour) -> None:
        """Let every request pass."""
        self._sessions, self._behaviour = sessions, behaviour
        self._waiting: dict[str, deque[str]] = {operation: deque() for operation in OPERATIONS.values()}

    def meeting(self, operation: str, handler: Handler) -> Handler:
        """Let the next request of an operation meet the error that waits for it, before anything is done."""

        @wraps(handler)
        def answer(call: Call) -> Reply:
            if waiting := self._waiting[operation]:
                refusal = ERRORS[waiting.popleft()]
                raise refusal()
            return handler(call)

        return answer if operation in self._waiting else handler

    def beside(self, app: ASGIApp, path: str) -> ASGIApp:
        """Take provider states at a path, in front of an application that knows nothing of them."""

        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] != scope.get("root_path", "") + path:
                await app(scope, receive, send)
                return
            body = await asgi.body_of(receive)
            if body is not None:
                await asgi.write(self._answer(scope["method"], body), send)

        return routed

    def _answer(self, method: str, body: bytes) -> Reply:
        asked = _object(body)
        state, params = str(asked.get("state")), asked.get("params")
        if (
            method != "POST"
            or asked.get("version") != VERSION
            or asked.get("action") not in {SETUP, TEARDOWN}
            or not isinstance(params, dict)
        ):
            return Reply(
                status=MALFORMED, body='POST {"version": 1, "state", "params", "action": "setup" or "teardown"}'
            )
        if state == NOTHING:
            return Reply(body={})
        if state in app_states.STATES and asked["action"] == SETUP:
            return self._put(state, params)
        operation = OPERATIONS.get(str(params.get("operation")))
        if state not in ERRORS or operation is None:
            known = ", ".join([*app_states.STATES, *ERRORS])
            return Reply(status=UNSUPPORTED, body=f"No such state here. There are: {known}")
        if asked["action"] == SETUP:
            self._waiting[operation].append(state)
        else:
            self._waiting[operation].clear()
        return Reply(body={})

    def _put(self, state: str, params: dict[str, Any]) -> Reply:
        with told_by(self._behaviour.clock), self._sessions.begin() as session:
            guid = app_states.put(session, state, params, self._behaviour.record)
        return Reply(body={"app": guid}) if guid else Reply(status=MALFORMED, body="There is no such app")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}
