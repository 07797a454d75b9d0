"""Faults of credentials that are close to a good one, and of what a request claims beside its credential."""

from __future__ import annotations

import base64
import hmac
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt

from purge_conformance.reference.api import auth
from purge_conformance.reference.api.usage_events import PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import Change, fault, purge_unchecked, wrap_operations

if TYPE_CHECKING:
    from collections.abc import Iterable

ReadClaims = Callable[[str, str], Mapping[str, Any]]
PREFIX = 8  # characters of a signature
KNOWN = 64  # characters of a token


def _also_read(others: Callable[[str, str], Iterable[str]]) -> Change:
    """Return the change that reads, where a token of a purge is not valid, the first valid one that it stands for."""

    @wrap_operations("purge_events")
    def change(call: Call, answer: Handler) -> Reply:
        original = call.behaviour.read_claims

        def read_claims(token: str, secret: str) -> Mapping[str, Any]:
            try:
                return original(token, secret)
            except jwt.InvalidTokenError:
                for other in others(token, secret):
                    try:
                        return original(other, secret)
                    except jwt.InvalidTokenError:
                        continue
                raise

        return answer(replace(call, behaviour=replace(call.behaviour, read_claims=read_claims)))

    return change


def _signed_again(token: str, secret: str) -> Iterable[tuple[str, str]]:
    """Yield the right signature of a token, and the one that it has; nothing for what is no HS256 token."""
    unsigned, _, sent = token.rpartition(".")
    try:
        algorithm = jwt.get_unverified_header(f"{unsigned}.").get("alg")
    except jwt.InvalidTokenError:
        return
    if algorithm == "HS256" and unsigned.count(".") == 1:
        right = hmac.digest(secret.encode(), unsigned.encode(), "sha256")
        yield base64.urlsafe_b64encode(right).decode().rstrip("="), sent


def _if_signature(matches: Callable[[str, str], bool]) -> Change:
    """Return the change that accepts a signature for which this holds, given the right one and the sent one."""

    def others(token: str, secret: str) -> Iterable[str]:
        for right, sent in _signed_again(token, secret):
            if matches(right, sent):
                yield f"{token.rpartition('.')[0]}.{right}"

    return _also_read(others)


fault("token-in-other-case-counts")(_also_read(lambda token, _: [token.swapcase()]))
fault("extension-of-signature-ignored")(_if_signature(lambda right, sent: sent != right and sent.startswith(right)))
fault("cut-signature-counts")(_if_signature(lambda right, sent: len(sent) > PREFIX and right.startswith(sent)))
fault("middle-of-signature-ignored")(
    _if_signature(lambda right, sent: (right[:PREFIX], right[-PREFIX:]) == (sent[:PREFIX], sent[-PREFIX:]))
)
fault("empty-signature-counts")(_if_signature(lambda _, sent: not sent))
fault("case-of-signature-ignored")(_if_signature(lambda right, sent: right.lower() == sent.lower()))


@fault("any-known-signature-counts")
def any_known_signature_counts(behaviour: Behaviour) -> Behaviour:
    known: set[str] = set()

    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        signature = token.rpartition(".")[2]
        try:
            claims = behaviour.read_claims(token, secret)
        except jwt.InvalidSignatureError:
            if signature not in known:
                raise
            return jwt.decode(token, options={"verify_signature": False})
        known.add(signature)
        return claims

    return replace(behaviour, read_claims=read_claims)


@fault("declared-unsigned-with-signature-counts")
@wrap_operations("purge_events")
def declared_unsigned_with_signature_counts(call: Call, answer: Handler) -> Reply:
    original = call.behaviour.read_claims

    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        if token.rpartition(".")[2] and jwt.get_unverified_header(token).get("alg") == "none":
            return jwt.decode(token, options={"verify_signature": False})
        return original(token, secret)

    return answer(replace(call, behaviour=replace(call.behaviour, read_claims=read_claims)))


def _rewrite_authorization(pattern: str, token: str) -> Change:
    """Return the change that reads a header of a purge that matches as bearer and this expansion of the match."""

    @wrap_operations("purge_events")
    def change(call: Call, answer: Handler) -> Reply:
        match = re.fullmatch(pattern, call.authorization or "")
        return answer(replace(call, authorization=f"bearer {match.expand(token)}") if match else call)

    return change


fault("spaces-in-token-ignored")(_rewrite_authorization(rf"bearer (\S+) (?!\1)([^ ,]{{{PREFIX},}})", r"\1\2"))
fault("first-of-two-tokens-counts")(_rewrite_authorization(rf"bearer (\S{{{KNOWN},}}) \1", r"\1"))
fault("first-of-joined-credentials-counts")(_rewrite_authorization(r"bearer ([^ ,]+), *bearer \S+", r"\1"))
fault("last-of-joined-credentials-counts")(_rewrite_authorization(r"bearer [^ ,]+, *bearer (\S+)", r"\1"))
fault("quotation-marks-ignored")(_rewrite_authorization(r'bearer "(\S+)"', r"\1"))
fault("longer-scheme-counts")(_rewrite_authorization(r"Bearer[A-Z]\w+ (\S+)", r"\1"))
fault("any-scheme-counts")(_rewrite_authorization(r"(?!bearer )\w+ (\S+)", r"\1"))
fault("token-without-scheme-counts")(_rewrite_authorization(r"([^ ]*\.[^ ]*)", r"\1"))
fault("scheme-needs-no-space")(_rewrite_authorization(r"bearer(\S+)", r"\1"))
fault("doubled-scheme-counts")(_rewrite_authorization(r"bearer bearer (\S+)", r"\1"))


@fault("unknown-key-verifies-nothing")
@wrap_operations("purge_events")
def unknown_key_verifies_nothing(call: Call, answer: Handler) -> Reply:
    original = call.behaviour.read_claims

    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        if "kid" in jwt.get_unverified_header(token):
            return jwt.decode(token, options={"verify_signature": False})
        return original(token, secret)

    return answer(replace(call, behaviour=replace(call.behaviour, read_claims=read_claims)))


@fault("key-in-token-counts")
@wrap_operations("purge_events")
def key_in_token_counts(call: Call, answer: Handler) -> Reply:
    original = call.behaviour.read_claims

    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        key = jwt.get_unverified_header(token).get("jwk")
        if key is None:
            return original(token, secret)
        return jwt.decode(token, jwt.PyJWK(key, "HS256"), ["HS256"], audience=auth.AUDIENCE)

    return answer(replace(call, behaviour=replace(call.behaviour, read_claims=read_claims)))


@fault("token-as-user-name-counts")
@wrap_operations("purge_events")
def token_as_user_name_counts(call: Call, answer: Handler) -> Reply:
    scheme, _, encoded = (call.authorization or "").partition(" ")
    with suppress(ValueError):
        user_name = base64.b64decode(encoded, validate=True).decode().partition(":")[0] if scheme == "Basic" else ""
        call = replace(call, authorization=f"bearer {user_name}") if "." in user_name else call
    return answer(call)


@fault("query-token-lists-and-gets")
@wrap_operations("list_events", "get_event")
def query_token_lists_and_gets(call: Call, answer: Handler) -> Reply:
    query = parse_qs(call.query_string.decode(errors="replace"))
    if call.authorization is not None or "access_token" not in query:
        return answer(call)
    claims = {"jti": "anybody", "scope": [auth.READ, auth.ADMIN]}
    others = "&".join(part for part in call.query_string.decode().split("&") if "token=" not in part)
    behaviour = replace(call.behaviour, read_claims=lambda *_: claims)
    return answer(replace(call, authorization="bearer anybody", behaviour=behaviour, query_string=others.encode()))


def _purge_if(claims: Callable[[Call], object]) -> Change:
    """Return the change that lets a caller purge whose request claims so."""

    @wrap_operations("purge_events")
    def change(call: Call, answer: Handler) -> Reply:
        if not claims(call):
            return answer(call)
        purge_unchecked(call)
        return Reply(body={})

    return change


def _json_body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.raw_body) if call.content_type == "application/json" else None
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _form_body(call: Call) -> dict[str, list[str]]:
    is_form = call.content_type == "application/x-www-form-urlencoded"
    return parse_qs(call.raw_body.decode(errors="replace")) if is_form else {}


def _is_not_admins(call: Call) -> bool:
    """Whether the token is a valid one without the admin's scope."""
    try:
        claims = call.behaviour.read_claims(auth.bearer_token(call.authorization), call.secret)
    except Exception:  # noqa: BLE001 -- whatever is wrong with it
        return False
    return auth.ADMIN not in claims["scope"]


fault("json-token-unverified")(_purge_if(lambda call: "access_token" in _json_body(call)))
fault("form-client-believed")(_purge_if(lambda call: _form_body(call).get("client_id") == ["admin"]))
fault("query-scope-believed")(
    _purge_if(lambda call: parse_qs(call.query_string.decode(errors="replace")).get("scope") == [auth.ADMIN])
)
fault("other-body-types-unguarded")(
    _purge_if(lambda call: call.content_type.startswith(("application/xml", "multipart/")) and call.raw_body)
)
fault("client-certificate-believed")(
    _purge_if(lambda call: "CN=admin" in call.headers.get("x-forwarded-client-cert", "") and _is_not_admins(call))
)
fault("read-override-unguarded")(
    _purge_if(lambda call: call.headers.get("x-http-method-override") == "GET" and _is_not_admins(call))
)


def _claims_admin(authorization: str) -> bool:
    """Whether a token has the admin's scope, as it says itself."""
    token = authorization.rpartition(" ")[2]
    try:
        return auth.ADMIN in jwt.decode(token, options={"verify_signature": False}).get("scope", ())
    except jwt.InvalidTokenError:
        return False


def _has_second(call: Call, matches: Callable[[Call], bool]) -> bool:
    """Whether a further Authorization header would match in place of the first."""
    return any(matches(replace(call, authorization=value)) for value in call.further_authorizations)


def _is_expired_admins(call: Call) -> bool:
    """Whether the token was an admin's, whose time is over."""
    token = (call.authorization or "").rpartition(" ")[2]
    with suppress(jwt.InvalidTokenError):
        claims = jwt.decode(token, call.secret, ["HS256"], options={"verify_exp": False, "verify_aud": False})
        return auth.ADMIN in claims.get("scope", ()) and claims.get("exp", math.inf) < time.time()
    return False


fault("second-authorization-may-be-expired")(
    _purge_if(lambda call: _is_not_admins(call) and _has_second(call, _is_expired_admins))
)
fault("second-authorization-unverified")(
    _purge_if(lambda call: _is_not_admins(call) and any(map(_claims_admin, call.further_authorizations)))
)
fault("first-authorization-unverified")(
    _purge_if(lambda call: _claims_admin(call.authorization or "") and _has_second(call, _is_not_admins))
)
fault("two-invalid-authorizations-unguarded")(
    _purge_if(lambda call: any(map(_claims_admin, call.further_authorizations)) and not _is_not_admins(call))
)


def _is_of_last_role(call: Call) -> bool:
    with suppress(Exception):
        claims = call.behaviour.read_claims(auth.bearer_token(call.authorization), call.secret)
        return bool(claims["user_name"] == auth.LOCAL_ROLES[-1])
    return False


fault("body-of-space-manager-believed")(_purge_if(lambda call: call.raw_body and _is_of_last_role(call)))


def _purge_by_method(method: str, is_believed: Callable[[Call], object]) -> Change:
    """Return the change that purges at another method on the purge path, without a query, for some callers."""

    @wrap_operations("unknown_request")
    def change(call: Call, answer: Handler) -> Reply:
        if (call.method, call.path) != (method, PURGE_PATH) or call.query_string or not is_believed(call):
            return answer(call)
        purge_unchecked(call)
        return Reply(status=HTTPStatus.OK, body={})

    return change


fault("put-by-others-purges")(_purge_by_method("PUT", _is_not_admins))
fault("delete-by-others-purges")(_purge_by_method("DELETE", _is_not_admins))
fault("patch-without-token-purges")(_purge_by_method("PATCH", lambda call: call.authorization is None))
