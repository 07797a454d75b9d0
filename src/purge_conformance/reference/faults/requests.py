"""Faults of tokens, of rejected requests, of error envelopes and of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jwt
from sqlalchemy import delete, func, select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import (
    EVENT_OPERATIONS,
    Change,
    act_and_reject,
    alter_errors,
    fault,
    on_error,
    purge_unchecked,
    wrap_operations,
)
from purge_conformance.reference.store.tables import AppUsageEvent
from purge_conformance.reference.store.transitions import NOT_SEEDED

if TYPE_CHECKING:
    from purge_conformance.reference.api.auth import Caller
    from purge_conformance.reference.api.errors import ApiError


ReadClaims = Callable[[str, str], Mapping[str, Any]]


def _read_claims_with(read: Callable[[ReadClaims, str, str], Mapping[str, Any]]) -> Change:
    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, read_claims=lambda token, secret: read(behaviour.read_claims, token, secret))

    return change


@fault("accepts-unsigned-token")
@_read_claims_with
def accepts_unsigned_token(_read_claims: ReadClaims, token: str, _secret: str) -> Mapping[str, Any]:
    options: Any = {"verify_signature": False, "verify_exp": True, "verify_aud": True}
    with_signature_part = token if token.count(".") > 1 else f"{token}."
    return jwt.decode(with_signature_part, audience=auth.AUDIENCE, options=options)


@fault("expired-token-403")
@_read_claims_with
def expired_token_403(read_claims: ReadClaims, token: str, secret: str) -> Mapping[str, Any]:
    try:
        return read_claims(token, secret)
    except jwt.ExpiredSignatureError as error:
        raise problems.not_authorized() from error


@fault("plain-user-sees-events")
@_read_claims_with
def plain_user_sees_events(read_claims: ReadClaims, token: str, secret: str) -> Mapping[str, Any]:
    claims = read_claims(token, secret)
    return {**claims, "scope": [*claims["scope"], auth.GLOBAL_AUDITOR]}


def _also_allow_purge(may_purge: Callable[[Caller], bool]) -> Change:
    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, may_purge=lambda caller: behaviour.may_purge(caller) or may_purge(caller))

    return change


@fault("auditor-403-as-401")
@_also_allow_purge
def auditor_403_as_401(caller: Caller) -> bool:
    if auth.GLOBAL_AUDITOR in caller.scopes:
        raise problems.invalid_token()
    return False


_purge_and_reject = act_and_reject(purge_unchecked)
_destroy_if_401 = on_error(401, _purge_and_reject)


def _destroy(call: Call) -> None:
    call.behaviour.destroy(call.session)


def _empty_reply(_call: Call, _error: ApiError) -> Reply:
    return Reply(body={})


fault("forbidden-purge-destroys")(wrap_operations("purge_events")(on_error(403, _purge_and_reject)))
fault("unauthenticated-purge-destroys")(
    wrap_operations("purge_events")(
        lambda call, answer: answer(call) if call.further_authorizations else _destroy_if_401(call, answer)
    )
)
fault("conflict-destroys")(wrap_operations("purge_events")(on_error(409, _purge_and_reject)))
fault("unavailable-purge-half-done")(wrap_operations("purge_events")(on_error(503, act_and_reject(_destroy))))
fault("unknown-guid-200")(wrap_operations("get_event")(on_error(404, _empty_reply)))


@fault("no-token-403")
@wrap_operations(*EVENT_OPERATIONS)
def no_token_403(call: Call, answer: Handler) -> Reply:
    if not call.authorization:
        raise problems.not_authorized()
    return answer(call)


@fault("get-method-purges")
@wrap_operations("unknown_request")
def get_method_purges(call: Call, answer: Handler) -> Reply:
    if (call.method, call.path) == ("GET", PURGE_PATH):
        return _purge_and_reject(call, problems.unknown_request())
    return answer(call)


@fault("refused-purge-done-later")
def refused_purge_done_later(behaviour: Behaviour) -> Behaviour:
    rejections: list[ApiError] = []

    def remember_rejection(call: Call, error: ApiError) -> Reply:
        rejections.append(error)
        return call.behaviour.error_reply(error)

    @wrap_operations("list_events")
    def destroy_on_next_list(call: Call, answer: Handler) -> Reply:
        if rejections and b"order_by" not in call.query_string:
            rejections.clear()
            oldest = call.session.scalar(select(func.min(AppUsageEvent.id)).where(NOT_SEEDED))
            call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.id == oldest))
        return answer(call)

    return destroy_on_next_list(wrap_operations("purge_events")(on_error(403, remember_rejection))(behaviour))


@fault("unknown-route-200")
@wrap_operations("unknown_request")
def unknown_route_200(call: Call, answer: Handler) -> Reply:
    return answer(call) if call.path == PURGE_PATH else Reply(body={})


@fault("envelope-code-string")
@alter_errors
def envelope_code_string(error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": [{**reply.body["errors"][0], "code": str(error.code)}]})


@fault("envelope-not-array")
@alter_errors
def envelope_not_array(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": reply.body["errors"][0]})


@fault("error-as-text")
@alter_errors
def error_as_text(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, content_type="text/plain; charset=utf-8")


@fault("error-404-as-text")
@alter_errors
def error_404_as_text(error: ApiError, reply: Reply) -> Reply:
    return replace(reply, content_type="text/plain; charset=utf-8") if error.status == HTTPStatus.NOT_FOUND else reply
