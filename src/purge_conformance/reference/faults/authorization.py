"""Faults of who may do what, and of refusals that do something all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
from sqlalchemy import delete, select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import PATH, PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import Change, around, instead_of, registering
from purge_conformance.reference.store.tables import AppUsageEvent, now

if TYPE_CHECKING:
    from purge_conformance.reference.api.auth import Caller
    from purge_conformance.reference.api.errors import ApiError

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

Claims = Callable[[str, str], Mapping[str, Any]]
LIST, GET, PURGE = "list_events", "get_event", "purge_events"
ADMIN_CLAIMS: Mapping[str, Any] = {"jti": "anybody", "scope": list(auth.ROLE_SCOPES["admin"])}
SPACE_DEVELOPER = "space_developer"
A_WHILE = timedelta(seconds=0.3)
THE_PURGE, THE_ACTIONS, AN_EVENT = (re.compile(path) for path in (PURGE_PATH, f"{PATH}/actions", f"{PATH}/[^/]+"))


def _reading_tokens_at(operation: str, claims: Claims) -> Change:
    """Read the claims of a token in another way, at one operation alone."""

    @around(operation)
    def change(call: Call, answer: Handler) -> Reply:
        return answer(replace(call, behaviour=replace(call.behaviour, claims=claims)))

    return change


def _expired_too(token: str, secret: str) -> Mapping[str, Any]:
    options: Any = {"verify_exp": False}
    return jwt.decode(token, secret, algorithms=["HS256"], audience=auth.AUDIENCE, options=options)


def _too(algorithm: str) -> Claims:
    """Make what reads the claims of a token without its signature, where its header names this algorithm."""

    def claims(token: str, secret: str) -> Mapping[str, Any]:
        if jwt.get_unverified_header(token)["alg"] != algorithm:
            return auth.verified_claims(token, secret)
        return jwt.decode(token, options={"verify_signature": False})

    return claims


fault("expired-token-lists")(_reading_tokens_at(LIST, _expired_too))
fault("expired-token-gets")(_reading_tokens_at(GET, _expired_too))
fault("expired-token-purges")(_reading_tokens_at(PURGE, _expired_too))
fault("unsigned-token-purges")(_reading_tokens_at(PURGE, _too("none")))
fault("capitalized-unsigned-token-purges")(_reading_tokens_at(PURGE, _too("None")))


def _admitting(operation: str, admitted: Callable[[str | None], bool]) -> Change:
    """Take whoever sends such an Authorization for an admin, at one operation."""

    @around(operation)
    def change(call: Call, answer: Handler) -> Reply:
        if not admitted(call.authorization):
            return answer(call)
        behaviour = replace(call.behaviour, claims=lambda *_: ADMIN_CLAIMS)
        return answer(replace(call, authorization="bearer anybody", behaviour=behaviour))

    return change


fault("anonymous-may-purge")(_admitting(PURGE, lambda header: header is None))
fault("basic-credentials-purge")(_admitting(PURGE, lambda header: (header or "").startswith("Basic ")))


@fault("admin-read-only-may-purge")
def _(behaviour: Behaviour) -> Behaviour:
    def may_purge(caller: Caller) -> bool:
        return behaviour.may_purge(caller) or auth.ADMIN_READ_ONLY in caller.scopes

    return replace(behaviour, may_purge=may_purge)


@fault("space-developer-may-purge")
def _(behaviour: Behaviour) -> Behaviour:
    def claims(token: str, secret: str) -> Mapping[str, Any]:
        found = behaviour.claims(token, secret)
        return {**found, "scope": [*found["scope"], *[SPACE_DEVELOPER] * (found["user_name"] == SPACE_DEVELOPER)]}

    def may_purge(caller: Caller) -> bool:
        return behaviour.may_purge(caller) or SPACE_DEVELOPER in caller.scopes

    return replace(behaviour, claims=claims, may_purge=may_purge)


def _forbidding(operation: str) -> Change:
    @around(operation)
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return reply if call.authorization is None else _for_auditors_alone(call, reply)

    return change


def _for_auditors_alone(call: Call, reply: Reply) -> Reply:
    claims = call.behaviour.claims(auth.bearer_token(call.authorization), call.secret)
    if auth.ADMIN in claims["scope"]:
        raise problems.not_authorized()
    return reply


fault("admin-may-not-get")(_forbidding(GET))


def _after_refusal(status: int, act: Callable[[Call], object]) -> Change:
    """Refuse a purge as ever, and do something all the same."""

    def other(call: Call, error: ApiError) -> Reply:
        act(call)
        return call.behaviour.refusal(error)

    return around(PURGE)(instead_of(status, other))


def _seed_what_is_missing(call: Call) -> None:
    there = set(call.session.scalars(select(AppUsageEvent.guid)))
    call.session.add_all(seed for seed in call.behaviour.seeds(call.session, now()) if seed.guid not in there)


fault("forbidden-purge-seeds")(_after_refusal(403, _seed_what_is_missing))


@fault("object-body-422-destroys")
@around(PURGE)
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)  # as an admin, or it is refused before
    if not isinstance(call.raw_body and reply.body, dict):
        return reply
    return call.behaviour.refusal(problems.unprocessable("Request body must be empty"))


def _at(method: str, path: re.Pattern[str], act: Callable[[Call], object], shown: Callable[[Call], Reply]) -> Change:
    """Do something where a request is answered otherwise, on a path that has no such method."""

    @around("unknown_request")
    def change(call: Call, answer: Handler) -> Reply:
        if call.method != method or not path.fullmatch(call.path):
            return answer(call)
        act(call)
        return shown(call)

    return change


def _purge(call: Call) -> None:
    call.behaviour.purge_and_reseed(call.session)


def _nothing(_call: Call) -> None:
    pass


def _destroy_named(call: Call) -> None:
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == call.path.rpartition("/")[2]))


def _as_unknown(call: Call) -> Reply:
    return call.behaviour.refusal(problems.unknown_request())


def _as_done(_call: Call) -> Reply:
    return Reply(body={})


fault("options-method-purges")(_at("OPTIONS", THE_PURGE, _purge, _as_unknown))
fault("event-delete-destroys")(_at("DELETE", AN_EVENT, _destroy_named, _as_unknown))
fault("event-patch-destroys")(_at("PATCH", AN_EVENT, _destroy_named, _as_unknown))
fault("actions-post-purges")(_at("POST", THE_ACTIONS, _purge, _as_unknown))
fault("put-method-200")(_at("PUT", THE_PURGE, _nothing, _as_done))
