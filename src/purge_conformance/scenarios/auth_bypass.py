"""Attempts to bypass authorization: alternative spellings, method overrides, impersonation and forged tokens."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.close_tokens import close_credentials, other_scheme_credentials
from purge_conformance.client.auth.credentials import ANONYMOUS, GARBAGE, Credential
from purge_conformance.client.client import Request
from purge_conformance.config.roles import ADMIN_SCOPE
from purge_conformance.evidence.steps import Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.scenarios.authorization import non_admin_credentials, send_and_observe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

ACTIONS, _, ACTION = PURGE_PATH.rpartition("/")
# The router may read these as the path of the purge where the authorization check does not.
COMMON_PATH_SPELLINGS = (  # sent without a token, too
    f"{PURGE_PATH}/",
    f"{PURGE_PATH}.json",
    f"{PURGE_PATH};x=1",
    f"{ACTIONS}//{ACTION}",
)
PATH_SPELLINGS = (
    f"{ACTIONS}/{ACTION.upper()}",
    f"{ACTIONS}/./{ACTION}",
    f"{ACTIONS}/x/../{ACTION}",
    f"{ACTIONS}%2F{ACTION}",
    f"{ACTIONS}/%{ord(ACTION[0]):02X}{ACTION[1:]}",
    PURGE_PATH.replace("/v3/", "/v3//"),
    PURGE_PATH.replace("/v3/", "/V3/"),
    f"{PURGE_PATH}%20",
    f"{PURGE_PATH}%00",
    f"{PURGE_PATH}%0A",
    f"{ACTIONS}/x/..;/{ACTION}",
    f"{ACTIONS}%5C{ACTION}",
)
METHOD_OVERRIDE_HEADERS = dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "POST")
USER_HEADERS = dict.fromkeys(("X-Forwarded-User", "X-Remote-User", "Remote-User", "X-User", "X-Auth-User"), "admin")
LOCAL_ORIGIN_HEADERS = {
    **dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "X-Client-IP"), "127.0.0.1"),
    "X-Forwarded-Host": "localhost",
    "X-Requested-With": "XMLHttpRequest",
}
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
JSON_MEDIA_TYPE = "application/json"
OTHER_BODIES = {  # content type -> body
    "text/plain": "admin=true",
    "application/xml": "<admin>true</admin>",
    "multipart/form-data; boundary=part": (
        '--part\r\nContent-Disposition: form-data; name="admin"\r\n\r\ntrue\r\n--part--\r\n'
    ),
}
ROLE_FIRST, ROLE_LAST, NONE_VALID = "role-first", "role-last", "none-valid"  # of two credentials
METHODS_BESIDE = ("PUT", "HEAD", "OPTIONS")
AS_A_READ = dict.fromkeys(METHOD_OVERRIDE_HEADERS, "GET")  # which other roles may send


def try_bypasses(client: Client, apps: SuiteApps) -> None:
    """Send each kind of attempt between two pages of the newest events, without a token and as a role below admin."""
    apps.record_event()
    tokens = {role: client.tokens[role] for role in client.tokens if client.tokens.is_usable(role)}
    credentials = (
        ANONYMOUS,
        *[role for role in non_admin_credentials(client) if role.kind is CredentialKind.VALID][:1],
    )
    with_header = credentials[-1] if len(credentials) > 1 else GARBAGE  # requests without credentials are limited
    send_and_observe(
        client,
        apps,
        [
            *(Request("POST", path, Step.SPELLING, ANONYMOUS) for path in COMMON_PATH_SPELLINGS),
            *(Request("POST", path, Step.SPELLING, with_header) for path in (*COMMON_PATH_SPELLINGS, *PATH_SPELLINGS)),
        ],
        [
            Request(method, f"{PURGE_PATH}?_method=POST", Step.OVERRIDE, by, METHOD_OVERRIDE_HEADERS)
            for by in credentials
            for method in ("GET", "PUT")
        ],
        list(_spoofed_requests(client, credentials)),
        list(_forged_token_requests()),
        list(_url_token_requests(client, credentials)),
        [_purge_with(who, Step.CLOSE_TOKEN) for who in close_credentials(tokens)],
        [_purge_with(who, Step.OTHER_SCHEME) for who in other_scheme_credentials(tokens)],
        [Request("POST", PURGE_PATH, Step.TWO_CREDENTIALS, who) for who in _two_credentials(credentials[1:])],
        list(_claims_beside(with_header)),
        [Request(method, PURGE_PATH, Step.CLAIMS_BESIDE, with_header) for method in METHODS_BESIDE],
    )


def _purge_with(credential: Credential, step: Step) -> Request:
    return Request("POST", PURGE_PATH, step, credential, tags={Tag.CREDENTIAL: credential.kind})


def _two_credentials(roles: tuple[Credential, ...]) -> Iterator[Credential]:
    """Yield credentials in two Authorization headers: those of a role below admin, and a forged admin's; none valid."""
    token = _forge_token("HS256", "bm8gc2lnbmF0dXJl")
    forged = Credential("forged", f"bearer {token}", f"bearer {token}", CredentialKind.INVALID)
    for name, first, second in (
        *((ROLE_FIRST, role, forged) for role in roles),
        *((ROLE_LAST, forged, role) for role in roles),
        (NONE_VALID, GARBAGE, forged),
    ):
        yield Credential(name, first.value, first.redacted, CredentialKind.INVALID, second=second)


def _claims_beside(credential: Credential) -> Iterator[Request]:
    """Yield purges by a role below admin that claim an admin's rights in a body, a query or a header."""
    claims: dict[str, str] = {
        "access_token": _forge_token("HS256", "bm8gc2lnbmF0dXJl"),
        "client_id": "admin",
        "scope": ADMIN_SCOPE,
        "user": "admin",
    }
    json_type, form_type = ({"Content-Type": name} for name in (JSON_MEDIA_TYPE, FORM_MEDIA_TYPE))
    for who in dict.fromkeys((credential, ANONYMOUS)):
        yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, who, json_type, json.dumps({**claims, "admin": True}))
    yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, form_type, urlencode(claims))
    for media_type, body in OTHER_BODIES.items():
        yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, {"Content-Type": media_type}, body)
    yield Request("POST", f"{PURGE_PATH}?{urlencode(claims)}", Step.CLAIMS_BESIDE, credential)
    yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, AS_A_READ)


def _spoofed_requests(client: Client, credentials: tuple[Credential, ...]) -> Iterator[Request]:
    """Yield requests whose headers or parameters name an admin, or another path."""
    path = urlsplit(client.settings.target.url).path + PURGE_PATH
    path_headers = dict.fromkeys(("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"), path)
    for credential in credentials:
        yield Request(
            "POST", f"{PURGE_PATH}?admin=true", Step.IMPERSONATION, credential, USER_HEADERS | LOCAL_ORIGIN_HEADERS
        )
        yield Request("POST", EVENTS_PATH, Step.IMPERSONATION, credential, path_headers)


def _forged_token_requests() -> Iterator[Request]:
    """Yield purges with a forged token in each place except Authorization: those of RFC 6750 and common others."""
    signed, unsigned = _forge_token("HS256", "bm8gc2lnbmF0dXJl"), _forge_token("none", "")
    names = {"access_token": signed, "token": unsigned}
    yield Request("POST", f"{PURGE_PATH}?{urlencode(names)}", Step.FORGED_TOKEN, ANONYMOUS)
    yield Request("POST", PURGE_PATH, Step.FORGED_TOKEN, ANONYMOUS, {"Content-Type": FORM_MEDIA_TYPE}, urlencode(names))
    cookie = "; ".join(f"{name}={value}" for name, value in names.items())
    yield Request("POST", PURGE_PATH, Step.FORGED_TOKEN, ANONYMOUS, {"Cookie": cookie})
    headers = {"X-Auth-Token": signed, "X-Access-Token": unsigned}
    yield Request("POST", PURGE_PATH, Step.FORGED_TOKEN, ANONYMOUS, headers)


def _forge_token(algorithm: str, signature: str) -> str:
    """Return a JWT with the admin's scope, signed with an invalid signature."""
    claims = {"scope": [ADMIN_SCOPE], "aud": ["cloud_controller"], "jti": "forged", "exp": 2**32, "user_name": "admin"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    return ".".join([*(part.decode().rstrip("=") for part in parts), signature])


def _url_token_requests(client: Client, credentials: tuple[Credential, ...]) -> Iterator[Request]:
    """Yield a purge with a valid token below admin in the URL; only on loopback, since servers log URLs."""
    for credential in credentials[1:] if client.settings.is_loopback else ():
        path = f"{PURGE_PATH}?access_token={client.tokens[credential.role]}"
        yield Request("POST", path, Step.TOKEN_IN_URL, ANONYMOUS)
