"""What a user says of tokens: `--token ROLE=SOURCE`, or a role's entry in the configuration file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from purge_conformance.client.auth.cf_cli import CfCli
from purge_conformance.client.auth.renewal import Tokens
from purge_conformance.client.auth.secret_source import FORMS, Given, place
from purge_conformance.client.auth.uaa import CLI, Grant, Login, Uaa, User
from purge_conformance.config.cf_home import config_path
from purge_conformance.config.roles import ADMIN, EXPIRED
from purge_conformance.config.token_flags import CF
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.client.auth.token import Source

SOURCES = f"{FORMS}; cf, the login of the cf CLI; or uaa:GRANT, a login at the target's UAA"
GRANTS = {  # a login in one line -> what its parts are called in the configuration file
    "password": re.compile(r"(?P<username>.+?):(?P<password>(?:env|file|command):.+)"),
    "client_credentials": re.compile(r"(?P<client>.+?):(?P<secret>(?:env|file|command):.+)"),
    "refresh_token": re.compile(r"(?P<refresh_token>(?:env|file|command):.+)"),
}
KEYS = {
    "password": {"username", "password", "origin", "client", "secret"},
    "client_credentials": {"client", "secret"},
    "refresh_token": {"refresh_token", "client", "secret"},
}
EXAMPLES = {
    "password": "uaa:password[@ORIGIN]:USER:env:NAME",
    "client_credentials": "uaa:client_credentials:CLIENT:env:NAME",
    "refresh_token": "uaa:refresh_token:env:NAME",
}


def opened(given: Mapping[str, object], uaa: Uaa, environ: Mapping[str, str] | None = None) -> Tokens:
    """Return the tokens of the roles, having fetched one of each.

    Args:
        given: role -> source, as a line or, of a login, as the members that the configuration file has.
        uaa: where users of the target log in.
        environ: environment variables; None: this process's.

    Raises:
        BadSetting: a source is not usable, or no token of an admin is among them.
        TargetLost: a login does not answer.
    """
    if ADMIN not in given:
        raise BadSetting(f"No token of an admin was given. Add --token admin=SOURCE: {SOURCES}.")
    known = os.environ if environ is None else environ
    return Tokens({role: source(role, text, uaa, known) for role, text in given.items()})


def source(role: str, given: object, uaa: Uaa, environ: Mapping[str, str]) -> Source:
    """Return the source that a user named for a role.

    Raises:
        BadSetting: it is none, or one that an expired token cannot have.
    """
    if role == EXPIRED and not (isinstance(given, str) and given.startswith(("env:", "file:"))):
        raise BadSetting("The token of the role expired is one that has come to its end: give env:NAME or file:PATH.")
    if isinstance(given, str) and given.startswith("uaa:"):
        given = _members(role, given)
    if isinstance(given, dict):
        return Login(_grant(role, given, environ), uaa)
    if given == CF:
        return CfCli(role, config_path(environ), uaa.target, environ)
    if isinstance(given, str) and re.match("(env|file|command):.", given):
        return Given(role, place(f"token of {role}", given, environ))
    raise BadSetting(f"The token of {role} wants as its source {SOURCES}. It got something else.")


def _members(role: str, line: str) -> dict[str, object]:
    """Return the members of a login that stands in one line."""
    head, _, rest = line.removeprefix("uaa:").partition(":")
    kind, at, origin = head.partition("@")
    pattern = GRANTS.get(kind)
    found = pattern.fullmatch(rest) if pattern else None
    if not found or (at and not (origin and "origin" in KEYS[kind])):
        raise BadSetting(f"The login of {role} wants one of: {', '.join(EXAMPLES.values())}.")
    return {"grant": kind, **found.groupdict(), **({"origin": origin} if at else {})}


def _grant(role: str, given: Mapping[object, object], environ: Mapping[str, str]) -> Grant:
    """Return the login that members tell.

    Raises:
        BadSetting: a member is missing, unknown or no text; none is shown.
    """
    kind = str(given.get("grant"))
    if kind not in KEYS:
        raise BadSetting(f"The login of {role} has no grant that is known. Give one of: {', '.join(KEYS)}.")
    members = {str(key): value for key, value in given.items() if key != "grant"}
    needed = set(GRANTS[kind].groupindex)
    if not needed <= members.keys() <= KEYS[kind] or not all(isinstance(v, str) and v for v in members.values()):
        raise BadSetting(
            f"The login of {role} by {kind} wants the texts {', '.join(sorted(needed))}, "
            f"and may have {', '.join(sorted(KEYS[kind] - needed)) or 'nothing else'}."
        )
    texts = {key: str(value) for key, value in members.items()}
    places = {
        key: place(f"{key} of {role}", texts[key], environ)
        for key in ("secret", "password", "refresh_token")
        if key in texts
    }
    proof = places.get("password") or places.get("refresh_token")
    user = User(texts["username"], texts.get("origin", "")) if kind == "password" else None
    return Grant(role, kind, texts.get("client", CLI), places.get("secret"), user, proof)
