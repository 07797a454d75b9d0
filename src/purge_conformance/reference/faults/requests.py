"""Faults of tokens, of refusals, and of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
from sqlalchemy import delete, func, select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import Change, around, instead_of, refusing, registering
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from purge_conformance.reference.api.auth import Caller
    from purge_conformance.reference.api.errors import ApiError

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

EVENT_OPERATIONS = ("list_events", "get_event", "purge_events")
NOT_FOUND = 404
Read = Callable[[str, str], Mapping[str, Any]]


def _reading_tokens(read: Callable[[Read, str, str], Mapping[str, Any]]) -> Change:
    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, claims=lambda token, secret: read(behaviour.claims, token, secret))

    return change


@fault("accepts-unsigned-token")
@_reading_tokens
def _(_right: Read, token: str, _secret: str) -> Mapping[str, Any]:
    options: Any = {"verify_signature": False, "verify_exp": True, "verify_aud": True}
    with_signature_part = token if token.count(".") > 1 else f"{token}."
    return jwt.decode(with_signature_part, audience=auth.AUDIENCE, options=options)


@fault("expired-token-403")
@_reading_tokens
def _(right: Read, token: str, secret: str) -> Mapping[str, Any]:
    try:
        return right(token, secret)
    except jwt.ExpiredSignatureError as error:
        raise problems.not_authorized() from error


@fault("plain-user-sees-events")
@_reading_tokens
def _(right: Read, token: str, secret: str) -> Mapping[str, Any]:
    claims = right(token, secret)
    return {**claims, "scope": [*claims["scope"], auth.GLOBAL_AUDITOR]}


def _letting_purge(may_purge: Callable[[Caller], bool]) -> Change:
    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, may_purge=lambda caller: behaviour.may_purge(caller) or may_purge(caller))

    return change


@fault("auditor-403-as-401")
@_letting_purge
def _(caller: Caller) -> bool:
    if auth.GLOBAL_AUDITOR in caller.scopes:
        raise problems.invalid_token()
    return False


def _purge_and_refuse(call: Call, error: ApiError) -> Reply:
    call.behaviour.purge_and_reseed(call.session)
    return call.behaviour.refusal(error)


def _destroy_and_refuse(call: Call, error: ApiError) -> Reply:
    call.behaviour.destroy(call.session)
    return call.behaviour.refusal(error)


def _nothing(_call: Call, _error: ApiError) -> Reply:
    return Reply(body={})


fault("forbidden-purge-destroys")(around("purge_events")(instead_of(403, _purge_and_refuse)))
fault("unauthenticated-purge-destroys")(around("purge_events")(instead_of(401, _purge_and_refuse)))
fault("conflict-destroys")(around("purge_events")(instead_of(409, _purge_and_refuse)))
fault("unavailable-purge-half-done")(around("purge_events")(instead_of(503, _destroy_and_refuse)))
fault("unknown-guid-200")(around("get_event")(instead_of(404, _nothing)))


@fault("no-token-403")
@around(*EVENT_OPERATIONS)
def _(call: Call, answer: Handler) -> Reply:
    if not call.authorization:
        raise problems.not_authorized()
    return answer(call)


@fault("get-method-purges")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    if (call.method, call.path) == ("GET", PURGE_PATH):
        return _purge_and_refuse(call, problems.unknown_request())
    return answer(call)


@fault("refused-purge-done-later")
def _(behaviour: Behaviour) -> Behaviour:
    queued: list[ApiError] = []

    def queue(call: Call, error: ApiError) -> Reply:
        queued.append(error)
        return call.behaviour.refusal(error)

    @around("list_events")
    def done_at_last(call: Call, answer: Handler) -> Reply:
        if queued and b"order_by" not in call.query_string:
            queued.clear()
            recorded = AppUsageEvent.guid != AppUsageEvent.app_guid
            oldest = call.session.scalar(select(func.min(AppUsageEvent.id)).where(recorded))
            call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.id == oldest))
        return answer(call)

    return done_at_last(around("purge_events")(instead_of(403, queue))(behaviour))


@fault("unknown-route-200")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    return answer(call) if call.path == PURGE_PATH else Reply(body={})


@fault("envelope-code-string")
@refusing
def _(error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": [{**reply.body["errors"][0], "code": str(error.code)}]})


@fault("envelope-not-array")
@refusing
def _(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": reply.body["errors"][0]})


@fault("error-as-text")
@refusing
def _(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, content_type="text/plain; charset=utf-8")


@fault("error-404-as-text")
@refusing
def _(error: ApiError, reply: Reply) -> Reply:
    return replace(reply, content_type="text/plain; charset=utf-8") if error.status == NOT_FOUND else reply
