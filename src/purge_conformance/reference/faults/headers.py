"""Faults of a purge with headers that say nothing about it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import jwt

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.behaviour import Call, Handler, Reply
from purge_conformance.reference.mutation import Change, fault, purge_unchecked, wrap_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONG = 2_000  # characters of a value
CONTINUE = "100-continue"


def _if_headers(matches: Callable[[Mapping[str, str]], object], act: Callable[[Call, Handler], Reply]) -> Change:
    """Return the change that answers an admin's purge with such headers, by their names in lower case."""

    @wrap_operations("purge_events")
    def change(call: Call, answer: Handler) -> Reply:
        return act(call, answer) if matches(call.headers) else answer(call)

    return change


def _with(name: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda headers: name in headers


def _reply(status: int) -> Callable[[Call, Handler], Reply]:
    """Return a function that lets the purge happen and answers with another status."""

    def act(call: Call, answer: Handler) -> Reply:
        answer(call)
        return Reply(status=status, body={})

    return act


def _fail(_call: Call, _answer: Handler) -> Reply:
    raise problems.unknown_error()


def _refuse(status: int) -> Callable[[Call, Handler], Reply]:
    def act(_call: Call, _answer: Handler) -> Reply:
        raise ApiError(status, 10004, "CF-InvalidRequest", "The request is invalid")

    return act


def _do_nothing(_call: Call, _answer: Handler) -> Reply:
    return Reply(body={})


def _do_nothing_304(_call: Call, _answer: Handler) -> Reply:
    return Reply(status=304, content_type=None)


def _redirect(call: Call, _answer: Handler) -> Reply:
    return Reply(status=302, headers={"location": call.url("/")}, content_type=None)


def _destroy_only(call: Call, _answer: Handler) -> Reply:
    call.behaviour.destroy(call.session)
    return Reply(body={})


def _is_html_first(headers: Mapping[str, str]) -> bool:
    accept = headers.get("accept", "")
    return accept.startswith("text/html") and "*/*" in accept


fault("accept-with-weights-500")(_if_headers(lambda headers: "*/*;q=" in headers.get("accept", ""), _fail))
fault("html-first-406")(_if_headers(_is_html_first, _refuse(406)))
fault("purge-range-206")(_if_headers(_with("range"), _reply(206)))
fault("purge-if-modified-since-304")(_if_headers(_with("if-modified-since"), _do_nothing_304))
fault("accept-language-empties-purge")(_if_headers(_with("accept-language"), _do_nothing))
fault("purge-traceparent-500")(_if_headers(_with("traceparent"), _fail))
fault("purge-b3-500")(_if_headers(_with("b3"), _fail))
fault("forwarded-purge-keeps-events")(_if_headers(_with("forwarded"), _do_nothing))
fault("forwarded-for-purge-redirected")(
    _if_headers(lambda headers: "via" in headers and "x-forwarded-for" in headers, _redirect)
)
fault("cookie-purge-seeds-nothing")(
    _if_headers(lambda headers: headers.get("cookie", "").startswith("theme"), _destroy_only)
)
fault("request-id-purge-500")(_if_headers(_with("x-vcap-request-id"), _fail))
fault("purge-without-accept-500")(
    _if_headers(lambda headers: "accept" not in headers and "authorization" in headers, _fail)
)
fault("idempotency-key-empties-purge")(_if_headers(_with("idempotency-key"), _do_nothing))
fault("preferred-purge-202")(_if_headers(_with("prefer"), _reply(202)))
fault("unmet-expectation-500")(_if_headers(lambda headers: headers.get("expect", CONTINUE) != CONTINUE, _fail))
fault("expected-continue-500")(_if_headers(lambda headers: headers.get("expect") == CONTINUE, _fail))
fault("accept-of-anything-400")(_if_headers(lambda headers: headers.get("accept") == "*/*", _refuse(400)))
fault("long-header-500")(
    _if_headers(
        lambda headers: any(len(value) > LONG for name, value in headers.items() if name != "authorization"), _fail
    )
)
fault("header-beyond-ascii-500")(
    _if_headers(lambda headers: not all(value.isascii() for value in headers.values()), _fail)
)
fault("origin-purge-400")(_if_headers(_with("origin"), _refuse(400)))


def _authorizations(call: Call) -> tuple[str, ...]:
    return tuple(filter(None, (call.authorization, *call.further_authorizations)))


@fault("several-authorizations-500")
@wrap_operations("purge_events")
def several_authorizations_500(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if len(_authorizations(call)) > 1:
        raise problems.unknown_error()
    return reply


fault("purge-by-curl-or-browser-ignored")(
    _if_headers(lambda headers: headers.get("user-agent", "").startswith(("curl/", "Mozilla/", "cf/")), _do_nothing)
)
fault("last-request-of-connection-500")(
    _if_headers(lambda headers: headers.get("connection", "").lower() == "close", _fail)
)
fault("max-forwards-purge-500")(_if_headers(_with("max-forwards"), _fail))
fault("load-balancer-trace-500")(_if_headers(_with("x-amzn-trace-id"), _fail))
fault("purge-without-length-411")(
    _if_headers(lambda headers: not {"content-length", "transfer-encoding"} & headers.keys(), _refuse(411))
)
fault("chunked-purge-500")(_if_headers(_with("transfer-encoding"), _fail))
fault("upgradable-purge-ignored")(_if_headers(_with("upgrade"), _do_nothing))
fault("capitalized-scheme-401")(
    _if_headers(lambda headers: headers.get("authorization", "").startswith("Bearer "), _refuse(401))
)


@fault("reads-need-lower-case-scheme")
@wrap_operations("list_events", "get_event")
def reads_need_lower_case_scheme(call: Call, answer: Handler) -> Reply:
    if (call.authorization or "").startswith("B"):
        raise problems.invalid_token()
    return answer(call)


@fault("purge-without-good-first-header-500")
@wrap_operations("purge_events")
def purge_without_good_first_header_500(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if call.further_authorizations and _is_admin(call.further_authorizations[-1], call):
            raise problems.unknown_error() from error
        raise


@fault("refused-by-first-header-purged-by-last")
@wrap_operations("purge_events")
def refused_by_first_header_purged_by_last(call: Call, answer: Handler) -> Reply:
    if any(_is_admin(value, call) for value in call.further_authorizations):
        purge_unchecked(call)
    try:
        return answer(call)
    except ApiError as error:
        return call.behaviour.error_reply(error)


def _is_admin(authorization: str, call: Call) -> bool:
    """Whether the token of an Authorization header is valid and an admin's."""
    with suppress(ApiError, jwt.InvalidTokenError):
        claims = call.behaviour.read_claims(auth.bearer_token(authorization), call.secret)
        return auth.caller_from_claims(claims).is_admin
    return False


fault("purge-by-go-ignored")(_if_headers(lambda headers: headers.get("user-agent", "").startswith("Go-"), _do_nothing))
fault("purge-by-python-500")(_if_headers(lambda headers: "python" in headers.get("user-agent", ""), _fail))
fault("accept-of-any-application-type-406")(
    _if_headers(lambda headers: "application/*" in headers.get("accept", ""), _refuse(406))
)
