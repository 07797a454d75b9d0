"""Variants that refuse headers which HTTP lets a server refuse."""

from __future__ import annotations

import re

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.behaviour import Call, Handler, Reply
from purge_conformance.reference.mutation import EVENT_OPERATIONS, variant, with_headers, wrap_operations

LONG = 2_000  # characters of a value that is refused
NOT_JSON = re.compile(r"(?!.*(application/json(?!;q=0(?!\.))|application/\*|\*/\*)).+", re.IGNORECASE)
NO_PLAIN_ENCODING = re.compile(r".*identity;q=0(?!\.)")


def _refusal(headers: dict[str, str]) -> int | None:
    """Return the status that refuses these headers, or None."""
    if NOT_JSON.fullmatch(headers.get("accept", "")) or NO_PLAIN_ENCODING.match(headers.get("accept-encoding", "")):
        return 406
    if "if-match" in headers:
        return 412
    if headers.get("expect", "100-continue") != "100-continue":
        return 417
    is_long = any(len(value) > LONG for name, value in headers.items() if name != "authorization")
    return 431 if is_long else None


@variant("refusable-headers-refused")
@wrap_operations(*EVENT_OPERATIONS)
def refusable_headers_refused(call: Call, answer: Handler) -> Reply:
    if status := _refusal(dict(call.headers)):
        return Reply(status=status, body="", content_type="text/html; charset=utf-8")
    return answer(call)


@variant("requests-of-browsers-403")
@wrap_operations("purge_events")
def requests_of_browsers_403(call: Call, answer: Handler) -> Reply:
    reply = answer(call)  # which checks the token first
    if "origin" in call.headers and "cookie" in call.headers:
        raise ApiError(403, 10003, "CF-NotAuthorized", "Requests of browsers are not allowed")
    return reply


@variant("headers-ascii-only")
@wrap_operations(*EVENT_OPERATIONS)
def headers_ascii_only(call: Call, answer: Handler) -> Reply:
    if not all(value.isascii() for value in call.headers.values()):
        return call.behaviour.error_reply(problems.unreadable_request())
    return answer(call)


REPEATED = {  # header of a request -> header of its answer
    "origin": "access-control-allow-origin",
    "prefer": "preference-applied",
    "traceparent": "traceresponse",
    "x-request-id": "x-request-id",
    "x-correlation-id": "x-correlation-id",
    "idempotency-key": "idempotency-key",
}


@variant("answers-repeat-headers")
@wrap_operations(*EVENT_OPERATIONS)
def answers_repeat_headers(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    repeated = {name: call.headers[asked] for asked, name in REPEATED.items() if asked in call.headers}
    return with_headers(reply, {"vary": "Accept, Origin", **repeated})
