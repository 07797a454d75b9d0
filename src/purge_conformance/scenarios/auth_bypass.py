"""Attempts to bypass authorization: alternative spellings, method overrides, impersonation and forged tokens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.close_tokens import close_credentials, forge_token, other_scheme_credentials
from purge_conformance.client.auth.credentials import ANONYMOUS, GARBAGE, Credential
from purge_conformance.client.client import Request
from purge_conformance.config.roles import ADMIN_SCOPE
from purge_conformance.evidence.steps import Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.scenarios.authorization import non_admin_credentials, send_and_observe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

ACTIONS, _, ACTION = PURGE_PATH.rpartition("/")
# The router may read these as the path of the purge where the authorization check does not.
COMMON_PATH_SPELLING = f"{PURGE_PATH}/"  # sent without a token, too
PATH_SPELLINGS = (
    COMMON_PATH_SPELLING,
    f"{PURGE_PATH}.json",
    f"{PURGE_PATH};x=1",
    f"{ACTIONS}//{ACTION}",
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
BESIDE_EXPIRED = "beside-expired"  # the first of a role, the second one expired
METHODS_BESIDE = ("PUT", "HEAD", "OPTIONS", "GET", "PATCH", "DELETE")
WRITING_METHODS = ("PATCH", "DELETE", "PUT")  # further roles take turns; the first two are sent without a token, too
ROLE_HEADERS = {
    **dict.fromkeys(("X-Admin", "X-Is-Admin", "X-CF-Admin"), "true"),
    **dict.fromkeys(("X-Roles", "X-Role", "X-User-Role", "X-Groups", "X-Remote-User", "X-Authenticated-User"), "admin"),
    **dict.fromkeys(("X-Scope", "X-Scopes", "X-User-Scopes"), ADMIN_SCOPE),
    "Cookie": "admin=true; role=admin; user=admin",
    "X-Forwarded-Client-Cert": 'Hash=0;Subject="CN=admin,OU=cloud_controller";URI=admin',
    **dict.fromkeys(("X-SSL-Client-S-DN", "X-Client-Cert-Subject"), "CN=admin"),
    "X-SSL-Client-Verify": "SUCCESS",
    **dict.fromkeys(("X-WebAuth-User", "X-Consumer-Username", "X-Forwarded-Email", "X-Token-User-Name"), "admin"),
    "X-Internal-Request": "true",
}
CLAIMS = {"client_id": "admin", "scope": ADMIN_SCOPE, "user": "admin"}
REJECTED_KINDS = {CredentialKind.EXPIRED, CredentialKind.INVALID}
AS_A_READ = dict.fromkeys(METHOD_OVERRIDE_HEADERS, "GET")  # which other roles may send


def try_bypasses(client: Client, apps: SuiteApps) -> None:
    """Send each kind of attempt between two pages of the newest events, without a token and as a role below admin."""
    apps.record_event()
    tokens = {role: client.tokens[role] for role in client.tokens if client.tokens.is_usable(role)}
    roles = [role for role in non_admin_credentials(client) if role.kind is CredentialKind.VALID]
    credentials = (ANONYMOUS, *roles[:1])
    with_header = credentials[-1] if len(credentials) > 1 else GARBAGE  # requests without credentials are limited
    send_and_observe(
        client,
        apps,
        [
            Request("POST", COMMON_PATH_SPELLING, Step.SPELLING, ANONYMOUS),
            *(Request("POST", path, Step.SPELLING, with_header) for path in PATH_SPELLINGS),
        ],
        [
            Request(method, f"{PURGE_PATH}?_method=POST", Step.OVERRIDE, with_header, METHOD_OVERRIDE_HEADERS)
            for method in ("GET", "PUT")
        ],
        list(_spoofed_requests(client, credentials, with_header)),
        list(_forged_token_requests()),
        list(_url_token_requests(client, credentials)),
        [_purge_with(who, Step.CLOSE_TOKEN) for who in close_credentials(tokens)],
        [_purge_with(who, Step.OTHER_SCHEME) for who in other_scheme_credentials(tokens)],
        [Request("POST", PURGE_PATH, Step.TWO_CREDENTIALS, who) for who in _two_credentials(client, credentials[1:])],
        list(_claims_beside(with_header)),
        list(_other_methods(with_header, roles[1:])),
        list(_claims_of_rejected_and_others(client, roles[1:])),
    )


def _purge_with(credential: Credential, step: Step) -> Request:
    return Request("POST", PURGE_PATH, step, credential, tags={Tag.CREDENTIAL: credential.kind})


def _two_credentials(client: Client, roles: tuple[Credential, ...]) -> Iterator[Credential]:
    """Yield credentials in two Authorization headers: of a role below admin, and forged or expired admin's; neither."""
    token = forge_token()
    forged = Credential("forged", f"bearer {token}", f"bearer {token}", CredentialKind.INVALID)
    expired = [who for who in non_admin_credentials(client) if who.kind is CredentialKind.EXPIRED]
    for name, first, second in (
        *((BESIDE_EXPIRED, role, who) for role in roles for who in expired),
        *((ROLE_FIRST, role, forged) for role in roles),
        *((ROLE_LAST, forged, role) for role in roles),
        (NONE_VALID, GARBAGE, forged),
    ):
        yield Credential(name, first.value, first.redacted, CredentialKind.INVALID, second=second)


def _claims_beside(credential: Credential) -> Iterator[Request]:
    """Yield purges by a role below admin that claim an admin's rights in a body, a query or a header."""
    json_type = {"Content-Type": JSON_MEDIA_TYPE}
    for who in dict.fromkeys((credential, ANONYMOUS)):
        yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, who, json_type, json.dumps({**_claims(), "admin": True}))
    yield _form_of_claims(credential)
    for media_type, body in OTHER_BODIES.items():
        yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, {"Content-Type": media_type}, body)
    yield Request("POST", f"{PURGE_PATH}?{urlencode(_claims())}", Step.CLAIMS_BESIDE, credential)
    yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, ROLE_HEADERS)
    yield Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, AS_A_READ)


def _claims() -> dict[str, str]:
    return {"access_token": forge_token(), **CLAIMS}


def _form_of_claims(credential: Credential) -> Request:
    form_type = {"Content-Type": FORM_MEDIA_TYPE}
    return Request("POST", PURGE_PATH, Step.CLAIMS_BESIDE, credential, form_type, urlencode(_claims()))


def _claims_of_rejected_and_others(client: Client, roles: Sequence[Credential]) -> Iterator[Request]:
    """Yield purges that claim an admin's rights in a body, the query and headers at once, and others in a form.

    Of each of these roles, of an expired token, of an altered one and of text that is not a token.
    """
    rejected = {who.kind: who for who in non_admin_credentials(client) if who.kind in REJECTED_KINDS}
    body, path = json.dumps({**_claims(), "admin": True}), f"{PURGE_PATH}?{urlencode(_claims())}"
    headers = {"Content-Type": JSON_MEDIA_TYPE, **ROLE_HEADERS}
    for who in (*roles, *rejected.values(), GARBAGE):
        tags = {} if who.kind is CredentialKind.VALID else {Tag.CREDENTIAL: who.kind}
        yield Request("POST", path, Step.CLAIMS_BESIDE, who, headers, body, tags=tags)
        yield replace(_form_of_claims(who), tags=tags)


def _other_methods(credential: Credential, others: Sequence[Credential]) -> Iterator[Request]:
    """Yield requests with each other method on the purge path, by other roles and without a token with some of them."""
    for method in METHODS_BESIDE:
        yield Request(method, PURGE_PATH, Step.CLAIMS_BESIDE, credential)
    for number, who in enumerate(others):
        method = WRITING_METHODS[number % len(WRITING_METHODS)]
        yield Request(method, PURGE_PATH, Step.CLAIMS_BESIDE, who)
    for method in WRITING_METHODS[:2]:
        yield Request(method, PURGE_PATH, Step.CLAIMS_BESIDE, ANONYMOUS)


def _spoofed_requests(
    client: Client, credentials: tuple[Credential, ...], with_header: Credential
) -> Iterator[Request]:
    """Yield requests whose headers or parameters name an admin, or another path."""
    path = urlsplit(client.settings.target.url).path + PURGE_PATH
    path_headers = dict.fromkeys(("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"), path)
    for credential in credentials:
        yield Request(
            "POST", f"{PURGE_PATH}?admin=true", Step.IMPERSONATION, credential, USER_HEADERS | LOCAL_ORIGIN_HEADERS
        )
    yield Request("POST", EVENTS_PATH, Step.IMPERSONATION, with_header, path_headers)


def _forged_token_requests() -> Iterator[Request]:
    """Yield purges with a forged token in each place except Authorization: those of RFC 6750 and common others."""
    signed, unsigned = forge_token(), forge_token("none", "")
    names = {"access_token": signed, "token": unsigned}
    yield Request("POST", f"{PURGE_PATH}?{urlencode(names)}", Step.FORGED_TOKEN, ANONYMOUS)
    yield Request("POST", PURGE_PATH, Step.FORGED_TOKEN, ANONYMOUS, {"Content-Type": FORM_MEDIA_TYPE}, urlencode(names))
    cookie = "; ".join(f"{name}={value}" for name, value in names.items())
    headers = {"Cookie": cookie, "X-Auth-Token": signed, "X-Access-Token": unsigned}
    yield Request("POST", PURGE_PATH, Step.FORGED_TOKEN, ANONYMOUS, headers)


def _url_token_requests(client: Client, credentials: tuple[Credential, ...]) -> Iterator[Request]:
    """Yield a purge with a valid token below admin in the URL; only on loopback, since servers log URLs."""
    for credential in credentials[1:] if client.settings.is_loopback else ():
        path = f"{PURGE_PATH}?access_token={client.tokens[credential.role]}"
        yield Request("POST", path, Step.TOKEN_IN_URL, ANONYMOUS)
