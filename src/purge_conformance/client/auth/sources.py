"""What a user says of tokens: `--token ROLE=SOURCE`, or a role's entry in the configuration file."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.client.auth.cf_cli import CfCli
from purge_conformance.client.auth.renewal import Tokens
from purge_conformance.client.auth.secret_source import SOURCE_FORMS, StoredToken, parse_secret_source
from purge_conformance.client.auth.token_request import token_requester
from purge_conformance.client.auth.uaa import CF_CLIENT_ID, Grant, Login, Uaa, User
from purge_conformance.config.cf_home import config_path
from purge_conformance.config.roles import ADMIN, EXPIRED
from purge_conformance.config.token_flags import CF_SOURCE
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.client.auth.token import Source
    from purge_conformance.config.settings import Settings

SOURCES_HELP = f"{SOURCE_FORMS}; cf, the login of the cf CLI; or uaa:GRANT, a login at the target's UAA"
GRANT_PATTERNS = {  # a login in one line -> what its parts are called in the configuration file
    "password": re.compile(r"(?P<username>.+?):(?P<password>(?:env|file|command):.+)"),
    "client_credentials": re.compile(r"(?P<client>.+?):(?P<secret>(?:env|file|command):.+)"),
    "refresh_token": re.compile(r"(?P<refresh_token>(?:env|file|command):.+)"),
}
GRANT_FIELDS = {
    "password": {"username", "password", "origin", "client", "secret"},
    "client_credentials": {"client", "secret"},
    "refresh_token": {"refresh_token", "client", "secret"},
}
GRANT_EXAMPLES = {
    "password": "uaa:password[@ORIGIN]:USER:env:NAME",
    "client_credentials": "uaa:client_credentials:CLIENT:env:NAME",
    "refresh_token": "uaa:refresh_token:env:NAME",
}


def log_in(settings: Settings) -> Settings:
    """Return the settings with a token for each role; sends the logins that the sources of the tokens need.

    Raises:
        BadSetting: as `open_tokens`.
        TargetUnreachable: as `open_tokens`.
    """
    if settings.tokens:
        return settings
    uaa = Uaa(settings.target, token_requester(settings.transport, settings.limits.timeout))
    return replace(settings, tokens=open_tokens(settings.token_sources, uaa))


def open_tokens(sources: Mapping[str, object], uaa: Uaa, environ: Mapping[str, str] | None = None) -> Tokens:
    """Return the tokens of the roles, having fetched one of each.

    Args:
        sources: role -> source, as a line or, of a login, as the members that the configuration file has.
        uaa: where users of the target log in.
        environ: environment variables; None: this process's.

    Raises:
        BadSetting: a source is not usable, or no token of an admin is among them.
        TargetLost: a login does not answer.
    """
    if ADMIN not in sources:
        raise BadSetting(f"No token of an admin was given. Add --token admin=SOURCE: {SOURCES_HELP}.")
    environment = os.environ if environ is None else environ
    return Tokens({role: parse_source(role, text, uaa, environment) for role, text in sources.items()})


def parse_source(role: str, definition: object, uaa: Uaa, environ: Mapping[str, str]) -> Source:
    """Return the source that a user named for a role.

    Raises:
        BadSetting: it is none, or one that an expired token cannot have.
    """
    if role == EXPIRED and not (isinstance(definition, str) and definition.startswith(("env:", "file:"))):
        raise BadSetting("The token of the role expired is one that has come to its end: give env:NAME or file:PATH.")
    if isinstance(definition, str) and definition.startswith("uaa:"):
        definition = _parse_login(role, definition)
    if isinstance(definition, dict):
        return Login(_parse_grant(role, definition, environ), uaa)
    if definition == CF_SOURCE:
        return CfCli(role, config_path(environ), uaa.target, environ)
    if isinstance(definition, str) and re.match("(env|file|command):.", definition):
        return StoredToken(role, parse_secret_source(f"token of {role}", definition, environ))
    raise BadSetting(f"The token of {role} wants as its source {SOURCES_HELP}. It got something else.")


def _parse_login(role: str, line: str) -> dict[str, object]:
    """Return the members of a login that stands in one line."""
    head, _, rest = line.removeprefix("uaa:").partition(":")
    kind, at, origin = head.partition("@")
    pattern = GRANT_PATTERNS.get(kind)
    match = pattern.fullmatch(rest) if pattern else None
    if not match or (at and not (origin and "origin" in GRANT_FIELDS[kind])):
        raise BadSetting(f"The login of {role} wants one of: {', '.join(GRANT_EXAMPLES.values())}.")
    return {"grant": kind, **match.groupdict(), **({"origin": origin} if at else {})}


def _parse_grant(role: str, definition: Mapping[object, object], environ: Mapping[str, str]) -> Grant:
    """Return the login that members tell.

    Raises:
        BadSetting: a member is missing, unknown or no text; none is shown.
    """
    kind = str(definition.get("grant"))
    if kind not in GRANT_FIELDS:
        raise BadSetting(f"The login of {role} has no grant that is known. Give one of: {', '.join(GRANT_FIELDS)}.")
    members = {str(key): value for key, value in definition.items() if key != "grant"}
    required = set(GRANT_PATTERNS[kind].groupindex)
    if not required <= members.keys() <= GRANT_FIELDS[kind] or not all(
        isinstance(v, str) and v for v in members.values()
    ):
        raise BadSetting(
            f"The login of {role} by {kind} wants the texts {', '.join(sorted(required))}, "
            f"and may have {', '.join(sorted(GRANT_FIELDS[kind] - required)) or 'nothing else'}."
        )
    texts = {key: str(value) for key, value in members.items()}
    secrets = {
        key: parse_secret_source(f"{key} of {role}", texts[key], environ)
        for key in ("secret", "password", "refresh_token")
        if key in texts
    }
    credential = secrets.get("password") or secrets.get("refresh_token")
    user = User(texts["username"], texts.get("origin", "")) if kind == "password" else None
    return Grant(role, kind, texts.get("client", CF_CLIENT_ID), secrets.get("secret"), user, credential)
