"""Variants of tokens, of what is refused and how, and of which paths and methods are known."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from unicodedata import category
from urllib.parse import unquote

import jwt

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.usage_events import EVENTS, PATH, PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import Change, around, everywhere, instead_of, refusing_at_times, registering
from purge_conformance.reference.store.tables import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@variant("opaque-tokens")
def _(behaviour: Behaviour) -> Behaviour:
    def tokens(secret: str) -> dict[str, str]:
        return {role: hashlib.sha256(f"{role} {secret}".encode()).hexdigest() for role in behaviour.tokens(secret)}

    def claims(token: str, secret: str) -> Mapping[str, Any]:
        role = next((role for role, known in tokens(secret).items() if known == token), "expired")
        if role not in auth.ROLE_SCOPES:
            raise jwt.InvalidTokenError
        return {"jti": role, "scope": list(auth.ROLE_SCOPES[role])}

    return replace(behaviour, tokens=tokens, claims=claims)


def _refuse_as_400(call: Call, error: ApiError) -> Reply:
    detail = f"The query parameter is invalid: {error.detail}"
    return call.behaviour.refusal(ApiError(400, 10005, "CF-BadQueryParameter", detail))


variant("bad-parameter-400")(around("list_events")(instead_of(422, _refuse_as_400)))


@variant("unknown-parameter-ignored")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    relations = {f"created_ats%5B{relation}%5D" for relation in ("lt", "lte", "gt", "gte")}
    pairs = call.query_string.decode(errors="replace").replace("[", "%5B").replace("]", "%5D").split("&")
    kept = "&".join(pair for pair in pairs if pair.partition("=")[0] in {*EVENTS.rules.known, *relations})
    return answer(replace(call, query_string=kept.encode()))


@variant("unknown-after-guid-ignored")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    asked = re.search(rb"(?:^|&)after_guid=([^&]*)", call.query_string)
    if asked and call.behaviour.find_event(call.session, asked[1].decode(errors="replace")) is None:
        return answer(replace(call, query_string=call.query_string.replace(asked[0], b"")))
    return answer(call)


def _refuse_odd_guid(call: Call, error: ApiError) -> Reply:
    odd = not UUID.fullmatch(call.parts["guid"])
    return call.behaviour.refusal(problems.unprocessable("Guid must be a UUID") if odd else error)


@variant("guids-are-uuids")
@around("list_events", "get_event")
def _(call: Call, answer: Handler) -> Reply:
    reply = instead_of(404, _refuse_odd_guid)(call, answer)
    named = re.findall(rb"(?:^|&)(?:guids|after_guid)=([^&]*)", call.query_string)
    if any(not UUID.fullmatch(guid) for text in named for guid in unquote(text.decode()).split(",")):
        raise problems.unprocessable("Guids must be UUIDs")
    return reply


def _known_by_another_method(call: Call) -> bool:
    return call.path in {PATH, PURGE_PATH} or re.fullmatch(f"{PATH}/[^/]+", call.path) is not None


def _allowed(call: Call) -> dict[str, str]:
    return {"allow": "POST" if call.path == PURGE_PATH else "GET, HEAD"}


def _refusing_methods(refusal: Callable[[Call], Reply]) -> Change:
    @around("unknown_request")
    def change(call: Call, answer: Handler) -> Reply:
        if not _known_by_another_method(call):
            return answer(call)
        return replace(refusal(call), headers=_allowed(call))

    return change


@variant("wrong-method-405")
@_refusing_methods
def _(call: Call) -> Reply:
    return call.behaviour.refusal(ApiError(405, 10000, "CF-MethodNotAllowed", "Method not allowed"))


@variant("wrong-method-501")
@_refusing_methods
def _(_call: Call) -> Reply:
    return Reply(status=501, body="Not implemented", content_type="text/plain")


@variant("options-200")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    if call.method != "OPTIONS" or not _known_by_another_method(call):
        return answer(call)
    return Reply(headers=_allowed(call), content_type=None)


@variant("paths-spelt-freely")
def _(behaviour: Behaviour) -> Behaviour:
    def routed(path: str) -> str:
        return re.sub(r"/+", "/", behaviour.routed(path)).removesuffix("/").removesuffix(".json") or "/"

    return replace(behaviour, routed=routed)


variant("ipv6")(lambda behaviour: replace(behaviour, host="::1"))
variant("below-a-path")(lambda behaviour: replace(behaviour, place="/cf/api"))


def _tell_hidden(call: Call, error: ApiError) -> Reply:
    is_hidden = call.behaviour.find_event(call.session, call.parts["guid"]) is not None
    return call.behaviour.refusal(problems.not_authorized() if is_hidden else error)


variant("hidden-get-403")(around("get_event")(instead_of(404, _tell_hidden)))


@variant("plain-users-list-403")
def _(behaviour: Behaviour) -> Behaviour:
    def claims(token: str, secret: str) -> Mapping[str, Any]:
        held = behaviour.claims(token, secret)
        return {**held, "scope": [scope for scope in held["scope"] if scope != auth.READ]}

    return replace(behaviour, claims=claims)


def _later(error: ApiError, wait: timedelta | int) -> Callable[[Call], Reply]:
    """Refuse, and tell when to try again: in seconds, or by a date."""

    def refusal(call: Call) -> Reply:
        until = str(wait) if isinstance(wait, int) else format_datetime(moment() + wait, usegmt=True)
        return replace(call.behaviour.refusal(error), headers={"retry-after": until})

    return refusal


def _in_front(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer as a proxy does."""
    page = f"<html><body><h1>{status}</h1></body></html>"
    return Reply(status=status, body=page, headers=headers or {}, content_type="text/html; charset=utf-8")


RATE_LIMIT = ApiError(429, 10013, "CF-RateLimitExceeded", "Rate Limit Exceeded")

variant("rate-limited")(refusing_at_times(60, _later(RATE_LIMIT, 1)))
variant("rate-limited-in-front")(refusing_at_times(90, lambda _: _in_front(429)))
variant("unavailable-at-times")(refusing_at_times(40, _later(problems.database_unavailable(), 0)))
variant("unavailable-until-date")(refusing_at_times(90, _later(problems.database_unavailable(), timedelta(seconds=1))))


@variant("gateway-fails-at-times")
def _(behaviour: Behaviour) -> Behaviour:
    reads = count(1)

    @everywhere
    def failing(call: Call, answer: Handler) -> Reply:
        if call.method != "GET" or next(reads) % 25:
            return answer(call)
        return _in_front(502 if next(reads) % 2 else 504)

    return failing(behaviour)


@variant("odd-paths-refused-in-front")
@everywhere
def _(call: Call, answer: Handler) -> Reply:
    return _in_front(400) if any(category(character) == "Cc" for character in call.path) else answer(call)


@variant("no-credentials-400")
@everywhere
def _(call: Call, answer: Handler) -> Reply:
    if call.authorization is not None and call.authorization.strip().lower() in {"", "bearer"}:
        return call.behaviour.refusal(ApiError(400, 10004, "CF-InvalidRequest", "Authorization holds no credentials"))
    return answer(call)
