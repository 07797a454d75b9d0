"""Variants of routers and firewalls before the server."""

from __future__ import annotations

import re
import time
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.usage_events import PATH, PURGE_PATH
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.connection_changes import close, wrap_app_with
from purge_conformance.reference.mutation import (
    Change,
    reject_every_nth_call,
    variant,
    with_headers,
    wrap_operations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Call, Handler

ODD_PATH = re.compile(r"[\x00-\x1f\\;]|//|/\.\.?(/|$)|\.json$|[ ]$|^/V3/")
ODD_QUERY = re.compile(r"[\x00-\x1f<>]")
ODD_HEADERS = {"x-original-url", "x-rewrite-url", "x-http-method-override"}
REFUSED_HEADERS = {"range", "expect", "origin"}
BEARER = re.compile(rb"(?i)bearer [\w-]+\.[\w-]+\.[\w-]+")
PAGE = b"<html><body><h1>The request was blocked</h1></body></html>"
ROUTER_ERRORS = ((404, "unknown_route"), (503, "no_endpoints"), (400, "empty_host"))
LISTS_PER_FAILURE = 37
RATE_LIMIT = ApiError(429, 10013, "CF-RateLimitExceeded", "Rate Limit Exceeded")


def _is_blocked(scope: Scope) -> bool:
    path, query = unquote(scope["path"]), unquote(scope["query_string"].decode("latin-1"))
    names = {name.decode("latin-1").lower() for name, _ in scope["headers"]}
    return bool(ODD_PATH.search(path) or ODD_QUERY.search(query) or names & ODD_HEADERS)


@variant("firewall-closes")
@wrap_app_with
async def firewall_closes(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await (close(scope) if _is_blocked(scope) else app(scope, receive, send))


def _with_firewall(is_blocked: Callable[[Scope], object], status: int) -> Change:
    """Return the change that answers what is blocked with this status and a page."""

    @wrap_app_with
    async def answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await (_send_page(send, status) if is_blocked(scope) else app(scope, receive, send))

    return answer


async def _send_page(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """Answer with an HTML page."""
    own = ((b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(PAGE)))
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": PAGE})


def _has_odd_token(scope: Scope) -> bool:
    """Whether an Authorization header holds something else than a bearer token of three parts."""
    values = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    return not all(BEARER.fullmatch(value) for value in values)


def _is_filled_purge(scope: Scope) -> bool:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return scope["path"] == PURGE_PATH and scope["method"] == "POST" and bool(length != b"0" or scope["query_string"])


def _has_headers_of_attacks(scope: Scope) -> bool:
    return bool({name.decode("latin-1").lower() for name, _ in scope["headers"]} & REFUSED_HEADERS)


variant("firewall-page-403")(_with_firewall(_is_blocked, 403))
variant("firewall-refuses-headers")(_with_firewall(_has_headers_of_attacks, 406))
variant("firewall-refuses-odd-tokens")(_with_firewall(_has_odd_token, 403))
variant("firewall-refuses-filled-purges")(_with_firewall(_is_filled_purge, 403))


@variant("load-balancer-without-server-at-times")
def load_balancer_without_server(behaviour: Behaviour) -> Behaviour:
    requests = count(1)

    @wrap_app_with
    async def answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if next(requests) % 150:
            await app(scope, receive, send)
        else:
            await _send_page(send, 503, (b"retry-after", b"1"))

    return answer(behaviour)


@variant("first-deletion-lost")
def first_deletion_lost(behaviour: Behaviour) -> Behaviour:
    deleted: set[str] = set()

    @wrap_app_with
    async def answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["method"] == "DELETE" and not path.startswith(PATH) and path not in deleted:
            deleted.add(path)
            await _send_page(send, 502, (b"x-cf-routererror", b"endpoint_failure"))
        else:
            await app(scope, receive, send)

    return answer(behaviour)


@variant("router-fails-at-times")
def router_fails_at_times(behaviour: Behaviour) -> Behaviour:
    errors = count()

    def reject(_: Call) -> Reply:
        status, error = ROUTER_ERRORS[next(errors) % len(ROUTER_ERRORS)]
        return Reply(
            status=status, body=f"{status}: {error}\n", headers={"x-cf-routererror": error}, content_type="text/plain"
        )

    return reject_every_nth_call(71, reject)(behaviour)


@variant("rate-limited-until-epoch")
def rate_limited_until_epoch(behaviour: Behaviour) -> Behaviour:
    def reject(call: Call) -> Reply:
        return with_headers(call.behaviour.error_reply(RATE_LIMIT), {"x-ratelimit-reset": f"{time.time():.0f}"})

    return reject_every_nth_call(200, reject)(behaviour)


@variant("list-502-as-one-error")
def list_502_as_one_error(behaviour: Behaviour) -> Behaviour:
    lists = count(1)

    @wrap_operations("list_events")
    def fail_at_times(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        error = {"code": 10001, "title": "UnknownError", "detail": "An unknown error occurred."}
        return Reply(status=502, body=error) if next(lists) % LISTS_PER_FAILURE == 0 else reply

    return fail_at_times(behaviour)
