"""Variants of tokens, of which requests are rejected and how, and of known paths and methods."""

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
from purge_conformance.reference.mutation import (
    UUID,
    Change,
    on_error,
    reject_every_nth_call,
    variant,
    wrap_all_operations,
    wrap_operations,
)
from purge_conformance.reference.store.tables import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@variant("opaque-tokens")
def opaque_tokens(behaviour: Behaviour) -> Behaviour:
    def tokens(secret: str) -> dict[str, str]:
        return {role: hashlib.sha256(f"{role} {secret}".encode()).hexdigest() for role in behaviour.sign_tokens(secret)}

    def claims(token: str, secret: str) -> Mapping[str, Any]:
        role = next((role for role, expected in tokens(secret).items() if expected == token), "expired")
        if role not in auth.ROLE_SCOPES:
            raise jwt.InvalidTokenError
        return {"jti": role, "scope": list(auth.ROLE_SCOPES[role])}

    return replace(behaviour, sign_tokens=tokens, read_claims=claims)


def _reject_as_400(call: Call, error: ApiError) -> Reply:
    detail = f"The query parameter is invalid: {error.detail}"
    return call.behaviour.error_reply(ApiError(400, 10005, "CF-BadQueryParameter", detail))


variant("bad-parameter-400")(wrap_operations("list_events")(on_error(422, _reject_as_400)))


@variant("unknown-parameter-ignored")
@wrap_operations("list_events")
def unknown_parameter_ignored(call: Call, answer: Handler) -> Reply:
    relations = {f"created_ats%5B{relation}%5D" for relation in ("lt", "lte", "gt", "gte")}
    pairs = call.query_string.decode(errors="replace").replace("[", "%5B").replace("]", "%5D").split("&")
    known_pairs = "&".join(
        pair for pair in pairs if pair.partition("=")[0] in {*EVENTS.rules.known_parameters, *relations}
    )
    return answer(replace(call, query_string=known_pairs.encode()))


@variant("unknown-after-guid-ignored")
@wrap_operations("list_events")
def unknown_after_guid_ignored(call: Call, answer: Handler) -> Reply:
    match = re.search(rb"(?:^|&)after_guid=([^&]*)", call.query_string)
    if match and call.behaviour.find_event(call.session, match[1].decode(errors="replace")) is None:
        return answer(replace(call, query_string=call.query_string.replace(match[0], b"")))
    return answer(call)


def _reject_non_uuid(call: Call, error: ApiError) -> Reply:
    is_odd = not UUID.fullmatch(call.path_parameters["guid"])
    return call.behaviour.error_reply(problems.unprocessable("Guid must be a UUID") if is_odd else error)


@variant("guids-are-uuids")
@wrap_operations("list_events", "get_event")
def guids_are_uuids(call: Call, answer: Handler) -> Reply:
    reply = on_error(404, _reject_non_uuid)(call, answer)
    values = re.findall(rb"(?:^|&)(?:guids|after_guid)=([^&]*)", call.query_string)
    if any(not UUID.fullmatch(guid) for text in values for guid in unquote(text.decode()).split(",")):
        raise problems.unprocessable("Guids must be UUIDs")
    return reply


def _has_other_method(call: Call) -> bool:
    return call.path in {PATH, PURGE_PATH} or re.fullmatch(f"{PATH}/[^/]+", call.path) is not None


def _allow_header(call: Call) -> dict[str, str]:
    return {"allow": "POST" if call.path == PURGE_PATH else "GET, HEAD"}


def _on_wrong_method(reject: Callable[[Call], Reply]) -> Change:
    @wrap_operations("unknown_request")
    def change(call: Call, answer: Handler) -> Reply:
        if not _has_other_method(call):
            return answer(call)
        return replace(reject(call), headers=_allow_header(call))

    return change


@variant("wrong-method-405")
@_on_wrong_method
def wrong_method_405(call: Call) -> Reply:
    return call.behaviour.error_reply(ApiError(405, 10000, "CF-MethodNotAllowed", "Method not allowed"))


@variant("wrong-method-501")
@_on_wrong_method
def wrong_method_501(_call: Call) -> Reply:
    return Reply(status=501, body="Not implemented", content_type="text/plain")


@variant("options-200")
@wrap_operations("unknown_request")
def options_200(call: Call, answer: Handler) -> Reply:
    if call.method != "OPTIONS" or not _has_other_method(call):
        return answer(call)
    return Reply(headers=_allow_header(call), content_type=None)


@variant("paths-spelt-freely")
def paths_spelt_freely(behaviour: Behaviour) -> Behaviour:
    def rewrite_path(path: str) -> str:
        return re.sub(r"/+", "/", behaviour.rewrite_path(path)).removesuffix("/").removesuffix(".json") or "/"

    return replace(behaviour, rewrite_path=rewrite_path)


variant("ipv6")(lambda behaviour: replace(behaviour, host="::1"))
variant("below-a-path")(lambda behaviour: replace(behaviour, path_prefix="/cf/api"))


def _forbid_hidden(call: Call, error: ApiError) -> Reply:
    is_hidden = call.behaviour.find_event(call.session, call.path_parameters["guid"]) is not None
    return call.behaviour.error_reply(problems.not_authorized() if is_hidden else error)


variant("hidden-get-403")(wrap_operations("get_event")(on_error(404, _forbid_hidden)))


@variant("component-lists-nothing")
def component_lists_nothing(behaviour: Behaviour) -> Behaviour:
    def claims(token: str, secret: str) -> Mapping[str, Any]:
        original = behaviour.read_claims(token, secret)
        more = [auth.READ] if auth.UPDATE_BUILD_STATE in original["scope"] else []
        return {**original, "scope": [*original["scope"], *more]}

    return replace(behaviour, read_claims=claims)


@variant("plain-users-list-403")
def plain_users_list_403(behaviour: Behaviour) -> Behaviour:
    def claims(token: str, secret: str) -> Mapping[str, Any]:
        original = behaviour.read_claims(token, secret)
        return {**original, "scope": [scope for scope in original["scope"] if scope != auth.READ]}

    return replace(behaviour, read_claims=claims)


def _retry_later(error: ApiError, wait: timedelta | int) -> Callable[[Call], Reply]:
    """Return a function that rejects a call with Retry-After: seconds, or a date."""

    def reject(call: Call) -> Reply:
        until = str(wait) if isinstance(wait, int) else format_datetime(utc_now() + wait, usegmt=True)
        return replace(call.behaviour.error_reply(error), headers={"retry-after": until})

    return reject


def _proxy_error(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    page = f"<html><body><h1>{status}</h1></body></html>"
    return Reply(status=status, body=page, headers=headers or {}, content_type="text/html; charset=utf-8")


RATE_LIMIT = ApiError(429, 10013, "CF-RateLimitExceeded", "Rate Limit Exceeded")

variant("rate-limited")(reject_every_nth_call(60, _retry_later(RATE_LIMIT, 1)))
variant("uaa-rate-limited")(reject_every_nth_call(150, _retry_later(problems.uaa_rate_limited(), 1)))
variant("rate-limited-in-front")(reject_every_nth_call(90, lambda _: _proxy_error(429)))
variant("unavailable-at-times")(reject_every_nth_call(40, _retry_later(problems.database_unavailable(), 0)))
variant("unavailable-until-date")(
    reject_every_nth_call(90, _retry_later(problems.database_unavailable(), timedelta(seconds=1)))
)


@variant("gateway-fails-at-times")
def gateway_fails_at_times(behaviour: Behaviour) -> Behaviour:
    reads = count(1)

    @wrap_all_operations
    def fail_some_reads(call: Call, answer: Handler) -> Reply:
        if call.method != "GET" or next(reads) % 25:
            return answer(call)
        return _proxy_error(502 if next(reads) % 2 else 504)

    return fail_some_reads(behaviour)


@variant("odd-paths-refused-in-front")
@wrap_all_operations
def odd_paths_refused_in_front(call: Call, answer: Handler) -> Reply:
    return _proxy_error(400) if any(category(character) == "Cc" for character in call.path) else answer(call)


@variant("no-credentials-400")
@wrap_all_operations
def no_credentials_400(call: Call, answer: Handler) -> Reply:
    if call.authorization is not None and call.authorization.strip().lower() in {"", "bearer"}:
        return call.behaviour.error_reply(
            ApiError(400, 10004, "CF-InvalidRequest", "Authorization holds no credentials")
        )
    return answer(call)
