"""Tries to purge past authentication and authorization: other spellings, other methods, forged names and tokens."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.client import Request
from purge_conformance.config.roles import ADMIN_SCOPE
from purge_conformance.scenarios.authorization import everybody_else, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

ACTIONS, _, ACTION = PURGE_PATH.rpartition("/")
# Each may be taken for the purge's path by what purges, and not by what guards it.
SPELLINGS = (
    f"{PURGE_PATH}/",
    f"{PURGE_PATH}.json",
    f"{PURGE_PATH};x=1",
    f"{ACTIONS}/{ACTION.upper()}",
    f"{ACTIONS}//{ACTION}",
    f"{ACTIONS}/./{ACTION}",
    f"{ACTIONS}/x/../{ACTION}",
    f"{ACTIONS}%2F{ACTION}",
    f"{ACTIONS}/%{ord(ACTION[0]):02X}{ACTION[1:]}",
)
RARER = (  # as a role alone, or else as nobody
    PURGE_PATH.replace("/v3/", "/v3//"),
    PURGE_PATH.replace("/v3/", "/V3/"),
    f"{PURGE_PATH}%20",
    f"{PURGE_PATH}%00",
    f"{PURGE_PATH}%0A",
    f"{ACTIONS}/x/..;/{ACTION}",
    f"{ACTIONS}%5C{ACTION}",
)
OVERRIDE = dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "POST")
USER = dict.fromkeys(("X-Forwarded-User", "X-Remote-User", "Remote-User", "X-User", "X-Auth-User"), "admin")
NEARBY = {
    **dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "X-Client-IP"), "127.0.0.1"),
    "X-Forwarded-Host": "localhost",
    "X-Requested-With": "XMLHttpRequest",
}
FORM = "application/x-www-form-urlencoded"


def bypasses(client: Client, foundation: SuiteApps) -> None:
    """Try each way as nobody and as a role that is no admin; look at the list before the first and after each kind."""
    foundation.record_event()
    who = (ANONYMOUS, *[role for role in everybody_else(client) if role.kind == "valid"][:1])
    watched(
        client,
        foundation,
        [
            *(Request("POST", path, "spelling", by) for by in who for path in SPELLINGS),
            *(Request("POST", path, "spelling", who[-1]) for path in RARER),
        ],
        [
            Request(method, f"{PURGE_PATH}?_method=POST", "override", by, OVERRIDE)
            for by in who
            for method in ("GET", "PUT")
        ],
        list(_pretences(client, who)),
        list(_forged()),
        list(_in_the_url(client, who)),
    )


def _pretences(client: Client, who: tuple[Credential, ...]) -> Iterator[Request]:
    """Yield requests that say that they come from an admin, or go elsewhere than their path."""
    path = urlsplit(client.settings.target.url).path + PURGE_PATH
    elsewhere = dict.fromkeys(("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"), path)
    for by in who:
        yield Request("POST", f"{PURGE_PATH}?admin=true", "pretence", by, USER | NEARBY)
        yield Request("POST", EVENTS_PATH, "pretence", by, elsewhere)


def _forged() -> Iterator[Request]:
    """Yield purges with a token of nobody's in each place other than Authorization that RFC 6750 or habit has."""
    signed, unsigned = _token("HS256", "bm8gc2lnbmF0dXJl"), _token("none", "")
    names = {"access_token": signed, "token": unsigned}
    yield Request("POST", f"{PURGE_PATH}?{urlencode(names)}", "forged", ANONYMOUS)
    yield Request("POST", PURGE_PATH, "forged", ANONYMOUS, {"Content-Type": FORM}, urlencode(names))
    cookie = "; ".join(f"{name}={value}" for name, value in names.items())
    yield Request("POST", PURGE_PATH, "forged", ANONYMOUS, {"Cookie": cookie})
    yield Request("POST", PURGE_PATH, "forged", ANONYMOUS, {"X-Auth-Token": signed, "X-Access-Token": unsigned})


def _token(algorithm: str, signature: str) -> str:
    """Make a JWT that claims to be an admin's, of nothing that belongs to one."""
    claims = {"scope": [ADMIN_SCOPE], "aud": ["cloud_controller"], "jti": "forged", "exp": 2**32, "user_name": "admin"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    return ".".join([*(part.decode().rstrip("=") for part in parts), signature])


def _in_the_url(client: Client, who: tuple[Credential, ...]) -> Iterator[Request]:
    """Yield a purge with a real token in the URL: no admin's, and on this machine alone, for a URL stays in logs."""
    for by in who[1:] if client.settings.target.is_loopback else ():
        yield Request("POST", f"{PURGE_PATH}?access_token={client.tokens[by.role]}", "in-url", ANONYMOUS)
