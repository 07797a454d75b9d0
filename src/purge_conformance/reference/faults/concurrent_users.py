"""Faults of authorization while requests of several users are in progress: shared users and shared answers."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jwt

from purge_conformance.reference import asgi
from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import envelope
from purge_conformance.reference.api.usage_events import PATH, PURGE_PATH
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.mutation import Change, fault

if TYPE_CHECKING:
    from purge_conformance.reference.asgi import ASGIApp, Message, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour

PURGE_S, LIST_S = 0.1, 0.05  # seconds that a request is in progress before it is answered
Headers = list[tuple[bytes, bytes]]
Wrapped = Callable[["ASGIApp", "Scope", "Receive", "Send"], Awaitable[None]]


def _wrap(make: Callable[[], Wrapped]) -> Change:
    """Decorate a function that returns what handles the requests of one server."""

    def change(behaviour: Behaviour) -> Behaviour:
        handle = make()

        def wrap_app(app: ASGIApp) -> ASGIApp:
            inner = behaviour.wrap_app(app)

            async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
                await handle(inner, scope, receive, send)

            return wrapped

        return replace(behaviour, wrap_app=wrap_app)

    return change


def _is_purge(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["path"].endswith(PURGE_PATH))


def _is_list(scope: Scope) -> bool:
    return bool(scope["method"] == "GET" and scope["path"].endswith(PATH))


def _authorization(scope: Scope) -> Headers:
    return [(name, value) for name, value in scope["headers"] if name == b"authorization"]


def _as_user(scope: Scope, authorization: Headers) -> Scope:
    """Return a request with another Authorization header."""
    others = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
    return {**scope, "headers": [*others, *authorization]}


class _Answer:
    """Collects an answer, to send it several times."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def collect(self, message: Message) -> None:
        self.messages.append(message)

    async def replay(self, send: Send) -> None:
        for message in self.messages:
            await send(dict(message))

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"]) if self.messages else 0


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


@fault("current-user-is-shared")
@_wrap
def current_user_is_shared() -> Wrapped:
    current: Headers = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        current[:] = _authorization(scope)
        if _is_purge(scope):
            await asyncio.sleep(PURGE_S)
            scope = _as_user(scope, [*current])
        await app(scope, receive, send)

    return handle


@fault("rejected-purge-acts-as-current-user")
@_wrap
def rejected_purge_acts_as_current_user() -> Wrapped:
    current: Headers = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        own = current[:] = _authorization(scope)
        if _is_purge(scope):
            await asyncio.sleep(PURGE_S)
            if current != own:
                await app(_as_user(scope, [*current]), _no_body, _Answer().collect)
        await app(scope, receive, send)

    return handle


@fault("concurrent-purges-share-an-answer")
@_wrap
def concurrent_purges_share_an_answer() -> Wrapped:
    running: list[_Answer] = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_purge(scope):
            await app(scope, receive, send)
            return
        if running:
            await running[0].replay(send)
            return
        answer = _Answer()
        await app(scope, receive, answer.collect)
        if answer.status == HTTPStatus.OK:
            running.append(answer)
            await asyncio.sleep(PURGE_S)
            running.clear()
        await answer.replay(send)

    return handle


@fault("concurrent-lists-share-an-answer")
@_wrap
def concurrent_lists_share_an_answer() -> Wrapped:
    running: dict[bytes, _Answer] = {}

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        key = scope["query_string"]
        if not _is_list(scope):
            await app(scope, receive, send)
            return
        if key in running:
            await running[key].replay(send)
            return
        answer = _Answer()
        await app(scope, receive, answer.collect)
        if answer.status == HTTPStatus.OK:
            running[key] = answer
            await asyncio.sleep(LIST_S)
            del running[key]
        await answer.replay(send)

    return handle


def _claims(scope: Scope) -> dict[str, Any]:
    """Return what the token of a request says, verified or not; nothing if it is no token."""
    tokens = [value.decode("latin-1").rpartition(" ")[2] for _, value in _authorization(scope)]
    with suppress(jwt.InvalidTokenError):
        return dict(jwt.decode(tokens[0], options={"verify_signature": False})) if tokens else {}
    return {}


def _claims_admin(scope: Scope) -> bool:
    """Whether the token of a request says, verified or not, that the user is an admin."""
    return auth.ADMIN in _claims(scope).get("scope", ())


def _stopped_by_rejected(reply: Reply) -> Change:
    """Return the change that answers an admin's purge so, and does nothing, if another is rejected meanwhile."""
    return _wrap(lambda: _stop_if_others_are_rejected(reply))


def _stop_if_others_are_rejected(reply: Reply) -> Wrapped:
    admins: list[Headers] = []  # which have purged before
    running: list[_Answer] = []
    stopped: list[_Answer] = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        own, answer = _authorization(scope), _Answer()
        if not _is_purge(scope) or own not in admins:
            stopped[:] = running[:1] if _is_purge(scope) else stopped
            await app(scope, receive, answer.collect)
            admins.extend([own] if _is_purge(scope) and answer.status == HTTPStatus.OK else [])
        else:
            running.append(answer)
            await asyncio.sleep(PURGE_S)
            running.remove(answer)
            if answer in stopped:
                await asgi.send_reply(reply, answer.collect)
            else:
                await app(scope, receive, answer.collect)
        await answer.replay(send)

    return handle


fault("rejected-purge-stops-anothers")(_stopped_by_rejected(Reply(body={})))
fault("rejected-purge-breaks-anothers")(
    _stopped_by_rejected(Reply(status=500, body=envelope(problems.unknown_error())))
)


def _counts_beside_admins(counts: Callable[[Scope], bool]) -> Change:
    """Return the change that carries out purges with such credentials while a purge by an admin is in progress."""

    def make() -> Wrapped:
        running: list[Headers] = []

        async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            if not _is_purge(scope):
                await app(scope, receive, send)
                return
            answer = _Answer()
            await app(scope, receive, answer.collect)
            if answer.status == HTTPStatus.OK:
                running.append(_authorization(scope))
                await asyncio.sleep(PURGE_S)
                running.pop()
            elif running and counts(scope):
                answer = _Answer()
                await app(_as_user(scope, running[0]), _no_body, answer.collect)
            await answer.replay(send)

        return handle

    return _wrap(make)


def _is_expired(scope: Scope) -> bool:
    return bool(_claims(scope).get("exp", math.inf) < time.time())


fault("expired-token-counts-beside-admins")(_counts_beside_admins(_is_expired))
fault("local-role-counts-beside-admins")(
    _counts_beside_admins(lambda scope: set(_claims(scope).get("scope", ())) == {auth.READ, auth.WRITE})
)


@fault("rejected-purge-rejects-others")
@_wrap
def rejected_purge_rejects_others() -> Wrapped:
    running: list[Scope] = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_purge(scope) and not _claims_admin(scope):
            running.append(scope)
            await asyncio.sleep(PURGE_S)
            running.remove(scope)
        elif _is_purge(scope):
            await asyncio.sleep(PURGE_S / 2)
            scope = _as_user(scope, []) if running else scope
        await app(scope, receive, send)

    return handle


@fault("expired-token-counts-beside-reads")
@_wrap
def expired_token_counts_beside_reads() -> Wrapped:
    running: list[Headers] = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_purge(scope) and running and _is_expired(scope):
            scope = _as_user(scope, running[0])
        is_read = _is_list(scope) and _claims_admin(scope) and not _is_expired(scope)
        running.extend([_authorization(scope)] if is_read else [])
        await asyncio.sleep(LIST_S if is_read else 0)
        await app(scope, receive, send)
        if is_read:
            running.pop()

    return handle


fault("purge-without-token-counts-beside-admins")(_counts_beside_admins(lambda scope: not _authorization(scope)))


@fault("concurrent-lists-of-users-share-an-answer")
@_wrap
def concurrent_lists_of_users_share_an_answer() -> Wrapped:
    running: dict[bytes, _Answer] = {}

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        key = scope["query_string"]
        if not _is_list(scope) or "scope" not in _claims(scope):
            await app(scope, receive, send)
            return
        answer = running.get(key)
        if answer is None:
            answer = _Answer()
            await app(scope, receive, answer.collect)
            running[key] = answer
            await asyncio.sleep(LIST_S)
            running.pop(key, None)
        await answer.replay(send)

    return handle


@fault("admin-lists-as-role-in-progress")
@_wrap
def admin_lists_as_role_in_progress() -> Wrapped:
    running: list[Headers] = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        is_role = _is_purge(scope) and "scope" in _claims(scope) and not _claims_admin(scope)
        if is_role:
            running.append(_authorization(scope))
            await asyncio.sleep(PURGE_S)
            running.pop()
        elif _is_list(scope) and _claims_admin(scope) and running:
            scope = _as_user(scope, running[-1])
        await app(scope, receive, send)

    return handle
