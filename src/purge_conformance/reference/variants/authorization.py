"""Variants of unexpected paths, bodies and headers, of sessions, and of what an error quotes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from itertools import count
from posixpath import normpath
from typing import TYPE_CHECKING, Any

import jwt

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.auth import bearer_token
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.usage_events import PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.callers import answer_as_auditor
from purge_conformance.reference.mutation import (
    EVENT_OPERATIONS,
    Change,
    alter_event_json,
    variant,
    with_headers,
    wrap_all_operations,
    wrap_operations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.reference.asgi import ASGIApp, Receive, Scope, Send

JSON = "application/json"
LOST_REQUEST = 5  # the number of the purge that a gateway does not pass on
LOST_RESPONSE = 6  # the number of the successful purge whose response a gateway loses


def _canonical(path: str) -> str:
    return normpath(re.sub("/+", "/", re.sub(";[^/]*", "", path))).removesuffix(".json").lower()


def _is_alternative_spelling(call: Call) -> bool:
    return call.path != PURGE_PATH == _canonical(call.path)


@variant("odd-paths-redirected")
@wrap_operations("unknown_request")
def odd_paths_redirected(call: Call, answer: Handler) -> Reply:
    if _is_alternative_spelling(call):
        return Reply(status=308, headers={"location": call.url(PURGE_PATH)}, content_type=None)
    return answer(call)


@variant("odd-paths-refused-as-html")
@wrap_operations("unknown_request")
def odd_paths_refused_as_html(call: Call, answer: Handler) -> Reply:
    if _is_alternative_spelling(call):
        return Reply(status=400, body="<h1>Bad Request</h1>", content_type="text/html; charset=utf-8")
    return answer(call)


@variant("authenticates-before-routing")
@wrap_operations("unknown_request")
def authenticates_before_routing(call: Call, answer: Handler) -> Reply:
    token = bearer_token(call.authorization)
    try:
        call.behaviour.read_claims(token, call.secret)
    except (jwt.InvalidTokenError, ValueError) as error:
        raise problems.invalid_token() from error
    return answer(call)


@variant("refusals-quote-request")
@wrap_operations(*EVENT_OPERATIONS, "unknown_request")
def refusals_quote_request(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        request_line = f"{call.method} {call.path}?{call.query_string.decode(errors='replace')}"
        detail = f"{error.detail} ({request_line})"
        return call.behaviour.error_reply(ApiError(error.status, error.code, error.title, detail))


@variant("other-body-types-415")
@wrap_operations("purge_events")
def other_body_types_415(call: Call, answer: Handler) -> Reply:
    if call.raw_body and not call.content_type.lower().startswith(JSON):
        raise ApiError(415, 10004, "CF-InvalidRequest", f"The body must be {JSON}")
    return answer(call)


def _with_authorizations(choose: Callable[[tuple[str, ...]], str]) -> Change:
    """Decorate a function that returns the header that counts, of several."""

    @wrap_all_operations
    def change(call: Call, answer: Handler) -> Reply:
        if call.authorization is None or not call.further_authorizations:
            return answer(call)
        return answer(replace(call, authorization=choose((call.authorization, *call.further_authorizations))))

    return change


variant("last-authorization-counts")(_with_authorizations(lambda values: values[-1]))
variant("authorizations-joined")(_with_authorizations(", ".join))


@variant("several-authorizations-400")
@wrap_all_operations
def several_authorizations_400(call: Call, answer: Handler) -> Reply:
    if call.further_authorizations:
        return call.behaviour.error_reply(ApiError(400, 10004, "CF-InvalidRequest", "Several Authorization headers"))
    return answer(call)


@variant("malformed-credentials-400")
@wrap_operations(*EVENT_OPERATIONS)
def malformed_credentials_400(call: Call, answer: Handler) -> Reply:
    if len((call.authorization or "a token").split()) != len(("bearer", "token")):
        raise ApiError(400, 10004, "CF-InvalidRequest", "Authorization must hold a scheme and a token")
    return answer(call)


@variant("method-overrides-honoured")
def method_overrides_honoured(behaviour: Behaviour) -> Behaviour:
    def wrap_app(app: ASGIApp) -> ASGIApp:
        async def with_override(scope: Scope, receive: Receive, send: Send) -> None:
            name = dict(scope.get("headers", ())).get(b"x-http-method-override")
            is_post = scope.get("method") == "POST"  # of other methods it is ignored
            await app({**scope, "method": name.decode()} if name and is_post else scope, receive, send)

        return behaviour.wrap_app(with_override)

    return replace(behaviour, wrap_app=wrap_app)


@variant("asked-in-other-forms")
@wrap_operations("list_events", "get_event")
def asked_in_other_forms(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if "html" in call.headers.get("accept", ""):
        return Reply(status=406, body="", content_type="text/html; charset=utf-8")
    if "if-none-match" in call.headers or "if-modified-since" in call.headers:
        return Reply(status=304, content_type=None)
    if "range" in call.headers:
        return replace(reply, status=206, headers={"content-range": "bytes 0-99/*"})
    return reply


@variant("passwords-masked")
@alter_event_json
def passwords_masked(event: dict[str, Any]) -> dict[str, Any]:
    name = "https://***:***@git.example.org/buildpack.git?for=dev@example.org"
    return {**event, "buildpack": {**event["buildpack"], "name": name}}


@variant("sessions")
def sessions(behaviour: Behaviour) -> Behaviour:
    authorization_by_cookie: dict[str, str] = {}  # cookie -> Authorization header

    @wrap_operations(*EVENT_OPERATIONS)
    def use_session(call: Call, answer: Handler) -> Reply:
        if call.authorization is None:
            return answer(replace(call, authorization=authorization_by_cookie.get(call.headers.get("cookie", ""))))
        reply = answer(call)
        cookie = f"session={hashlib.sha256(call.authorization.encode()).hexdigest()}"
        authorization_by_cookie[cookie] = call.authorization
        return with_headers(reply, {"set-cookie": f"{cookie}; Path=/; HttpOnly"})

    return use_session(behaviour)


def _gateway_error(status: int) -> Reply:
    return Reply(status=status, body=f"<h1>{status}</h1>", content_type="text/html; charset=utf-8")


@variant("gateway-loses-purges-at-times")
def gateway_loses_purges_at_times(behaviour: Behaviour) -> Behaviour:
    requests, successes = count(1), count(1)

    @wrap_operations("purge_events")
    def lose_some(call: Call, answer: Handler) -> Reply:
        if next(requests) == LOST_REQUEST:
            return _gateway_error(502)
        reply = answer(call)
        return _gateway_error(504) if next(successes) == LOST_RESPONSE else reply

    return lose_some(behaviour)


variant("every-role-lists-events")(wrap_operations("list_events")(answer_as_auditor))
variant("every-role-reads-events")(wrap_operations("list_events", "get_event")(answer_as_auditor))
