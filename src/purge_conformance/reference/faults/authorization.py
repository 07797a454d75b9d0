"""Faults of authentication and authorization, and of rejected requests that take effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from posixpath import normpath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
from sqlalchemy import delete, select

from purge_conformance.reference.api import auth
from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.usage_events import PATH, PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import (
    EVENT_OPERATIONS,
    Change,
    act_and_reject,
    fault,
    on_error,
    purge_unchecked,
    wrap_operations,
)
from purge_conformance.reference.store.tables import AppUsageEvent, timestamp_now

if TYPE_CHECKING:
    from purge_conformance.reference.api.auth import Caller


ReadClaims = Callable[[str, str], Mapping[str, Any]]
ADMIN_CLAIMS: Mapping[str, Any] = {"jti": "anybody", "scope": list(auth.ROLE_SCOPES["admin"])}
SPACE_DEVELOPER = "space_developer"
PURGE_PATTERN, ACTIONS_PATTERN, EVENT_PATTERN = (
    re.compile(path) for path in (PURGE_PATH, f"{PATH}/actions", f"{PATH}/[^/]+")
)


def _read_claims_at(operation: str, read_claims: ReadClaims) -> Change:
    """Return the change that reads the claims of tokens by this function, for one operation."""

    @wrap_operations(operation)
    def change(call: Call, answer: Handler) -> Reply:
        return answer(replace(call, behaviour=replace(call.behaviour, read_claims=read_claims)))

    return change


def _accept_expired(token: str, secret: str) -> Mapping[str, Any]:
    options: Any = {"verify_exp": False}
    return jwt.decode(token, secret, algorithms=["HS256"], audience=auth.AUDIENCE, options=options)


def _accept_algorithm(algorithm: str) -> ReadClaims:
    """Return a function that verifies no signature if the token's header names this algorithm."""

    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        if jwt.get_unverified_header(token).get("alg") != algorithm:
            return auth.verify_token(token, secret)
        return jwt.decode(token, options={"verify_signature": False})

    return read_claims


fault("expired-token-lists")(_read_claims_at("list_events", _accept_expired))
fault("expired-token-gets")(_read_claims_at("get_event", _accept_expired))
fault("expired-token-purges")(_read_claims_at("purge_events", _accept_expired))
fault("unsigned-token-purges")(_read_claims_at("purge_events", _accept_algorithm("none")))
fault("capitalized-unsigned-token-purges")(_read_claims_at("purge_events", _accept_algorithm("None")))


def _treat_as_admin(operation: str, matches: Callable[[str | None], bool]) -> Change:
    """Return the change that treats a caller with such an Authorization header as an admin, for one operation."""

    @wrap_operations(operation)
    def change(call: Call, answer: Handler) -> Reply:
        if not matches(call.authorization):
            return answer(call)
        behaviour = replace(call.behaviour, read_claims=lambda *_: ADMIN_CLAIMS)
        return answer(replace(call, authorization="bearer anybody", behaviour=behaviour))

    return change


fault("anonymous-may-purge")(_treat_as_admin("purge_events", lambda header: header is None))
fault("basic-credentials-purge")(_treat_as_admin("purge_events", lambda header: (header or "").startswith("Basic ")))


@fault("admin-read-only-may-purge")
def admin_read_only_may_purge(behaviour: Behaviour) -> Behaviour:
    def may_purge(caller: Caller) -> bool:
        return behaviour.may_purge(caller) or auth.ADMIN_READ_ONLY in caller.scopes

    return replace(behaviour, may_purge=may_purge)


@fault("space-developer-may-purge")
def space_developer_may_purge(behaviour: Behaviour) -> Behaviour:
    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        original = behaviour.read_claims(token, secret)
        return {
            **original,
            "scope": [*original["scope"], *[SPACE_DEVELOPER] * (original["user_name"] == SPACE_DEVELOPER)],
        }

    def may_purge(caller: Caller) -> bool:
        return behaviour.may_purge(caller) or SPACE_DEVELOPER in caller.scopes

    return replace(behaviour, read_claims=read_claims, may_purge=may_purge)


@fault("component-may-purge")
def component_may_purge(behaviour: Behaviour) -> Behaviour:
    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        original = behaviour.read_claims(token, secret)
        more = [auth.WRITE] if auth.UPDATE_BUILD_STATE in original["scope"] else []
        return {**original, "scope": [*original["scope"], *more]}

    def may_purge(caller: Caller) -> bool:
        return behaviour.may_purge(caller) or auth.UPDATE_BUILD_STATE in caller.scopes

    return replace(behaviour, read_claims=read_claims, may_purge=may_purge)


@fault("admin-may-not-get")
@wrap_operations("get_event")
def admin_may_not_get(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if call.authorization is not None:
        claims = call.behaviour.read_claims(auth.bearer_token(call.authorization), call.secret)
        if auth.ADMIN in claims["scope"]:
            raise problems.not_authorized()
    return reply


def _seed_missing(call: Call) -> None:
    existing = set(call.session.scalars(select(AppUsageEvent.guid)))
    call.session.add_all(
        seed for seed in call.behaviour.make_seeds(call.session, timestamp_now()) if seed.guid not in existing
    )


fault("forbidden-purge-seeds")(wrap_operations("purge_events")(on_error(403, act_and_reject(_seed_missing))))


@fault("object-body-422-destroys")
@wrap_operations("purge_events")
def object_body_422_destroys(call: Call, answer: Handler) -> Reply:
    reply = answer(call)  # raises unless the caller is an admin
    if not isinstance(call.raw_body and reply.body, dict):
        return reply
    return call.behaviour.error_reply(problems.unprocessable("Request body must be empty"))


def _act_on_unknown_request(
    method: str, path: re.Pattern[str], act: Callable[[Call], object], make_reply: Callable[[Call], Reply]
) -> Change:
    """Return the change that acts on requests of this method on this path, which have no route."""

    @wrap_operations("unknown_request")
    def change(call: Call, answer: Handler) -> Reply:
        if call.method != method or not path.fullmatch(call.path):
            return answer(call)
        act(call)
        return make_reply(call)

    return change


def _do_nothing(_call: Call) -> None:
    pass


def _destroy_event(call: Call) -> None:
    call.session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == call.path.rpartition("/")[2]))


def _unknown_request(call: Call) -> Reply:
    return call.behaviour.error_reply(problems.unknown_request())


def _empty_reply(_call: Call) -> Reply:
    return Reply(body={})


fault("options-method-purges")(_act_on_unknown_request("OPTIONS", PURGE_PATTERN, purge_unchecked, _unknown_request))
fault("event-delete-destroys")(_act_on_unknown_request("DELETE", EVENT_PATTERN, _destroy_event, _unknown_request))
fault("event-patch-destroys")(_act_on_unknown_request("PATCH", EVENT_PATTERN, _destroy_event, _unknown_request))
fault("actions-post-purges")(_act_on_unknown_request("POST", ACTIONS_PATTERN, purge_unchecked, _unknown_request))
fault("put-method-200")(_act_on_unknown_request("PUT", PURGE_PATTERN, _do_nothing, _empty_reply))


def _purge_for_anyone(call: Call) -> Reply:
    purge_unchecked(call)
    return Reply(body={})


def _purge_if(condition: Callable[[Call], object], *operations: str) -> Change:
    """Return the change that purges for any caller if the condition holds for a call of these operations."""

    @wrap_operations(*operations)
    def change(call: Call, answer: Handler) -> Reply:
        return _purge_for_anyone(call) if condition(call) else answer(call)

    return change


def _purge_at_spelling(canonical: Callable[[str], str]) -> Change:
    """Return the change that purges for any caller at paths that are only in canonical form the purge path."""
    return _purge_if(
        lambda call: call.method == "POST" and call.path != PURGE_PATH == canonical(call.path), "unknown_request"
    )


fault("slash-at-end-unguarded")(_purge_at_spelling(lambda path: path.rstrip("/")))
fault("space-at-end-unguarded")(_purge_at_spelling(lambda path: path.rstrip(" ")))
fault("line-break-at-end-unguarded")(_purge_at_spelling(lambda path: path.removesuffix("\n")))
fault("capital-version-unguarded")(_purge_at_spelling(lambda path: path.replace("/V3/", "/v3/", 1)))


@fault("dot-segments-purge-and-404")
@wrap_operations("unknown_request")
def dot_segments_purge_and_404(call: Call, answer: Handler) -> Reply:
    if call.method == "POST" and "/." in call.path and normpath(call.path) == PURGE_PATH:
        purge_unchecked(call)
        return call.behaviour.error_reply(problems.unknown_request())
    return answer(call)


def _has_header(call: Call, name: str, value: str) -> bool:
    return call.headers.get(name) == value


def _query_values(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.query_string.decode(errors="replace"))


def _on_purge_path(call: Call) -> bool:
    return call.path == PURGE_PATH


fault("method-override-unguarded")(
    _purge_if(
        lambda call: _on_purge_path(call) and _has_header(call, "x-http-method-override", "POST"), "unknown_request"
    )
)
fault("forwarded-user-believed")(_purge_if(lambda call: _has_header(call, "x-forwarded-user", "admin"), "purge_events"))

fault("query-token-unverified")(_purge_if(lambda call: _query_values(call).get("access_token"), "purge_events"))


@fault("query-token-counts")
@wrap_operations(*EVENT_OPERATIONS)
def query_token_counts(call: Call, answer: Handler) -> Reply:
    for token in _query_values(call).get("access_token", []):
        return answer(replace(call, authorization=call.authorization or f"bearer {token}"))
    return answer(call)
