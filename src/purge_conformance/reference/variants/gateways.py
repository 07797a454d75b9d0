"""Variants of routers and firewalls before the server."""

from __future__ import annotations

import re
import time
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.behaviour import Reply
from purge_conformance.reference.connection_changes import close, wrap_app_with
from purge_conformance.reference.mutation import (
    reject_every_nth_call,
    variant,
    with_headers,
)

if TYPE_CHECKING:
    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send
    from purge_conformance.reference.behaviour import Behaviour, Call

ODD_PATH = re.compile(r"[\x00-\x1f\\;]|//|/\.\.?(/|$)|\.json$|[ ]$|^/V3/")
ODD_QUERY = re.compile(r"[\x00-\x1f<>]")
ODD_HEADERS = {"x-original-url", "x-rewrite-url", "x-http-method-override"}
PAGE = b"<html><body><h1>The request was blocked</h1></body></html>"
ROUTER_ERRORS = ((404, "unknown_route"), (503, "no_endpoints"), (400, "empty_host"))
RATE_LIMIT = ApiError(429, 10013, "CF-RateLimitExceeded", "Rate Limit Exceeded")


def _is_blocked(scope: Scope) -> bool:
    path, query = unquote(scope["path"]), unquote(scope["query_string"].decode("latin-1"))
    names = {name.decode("latin-1").lower() for name, _ in scope["headers"]}
    return bool(ODD_PATH.search(path) or ODD_QUERY.search(query) or names & ODD_HEADERS)


@variant("firewall-closes")
@wrap_app_with
async def firewall_closes(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await (close(scope) if _is_blocked(scope) else app(scope, receive, send))


@variant("firewall-page-403")
@wrap_app_with
async def firewall_page_403(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if not _is_blocked(scope):
        await app(scope, receive, send)
        return
    headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(PAGE))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE})


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
