"""Parses token sources: `--token ROLE=SOURCE`, or a role's entry in the configuration file."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from purge_conformance.client.auth.cf_cli import CfCli
from purge_conformance.client.auth.renewal import Tokens, as_renewable
from purge_conformance.client.auth.secret_source import SOURCE_FORMS, StoredToken, parse_secret_source
from purge_conformance.client.auth.token_request import token_requester
from purge_conformance.client.auth.uaa import CF_CLIENT_ID, Grant, Login, Uaa, User
from purge_conformance.config.cf_home import config_path
from purge_conformance.config.roles import ADMIN, EXPIRED
from purge_conformance.config.settings import Target
from purge_conformance.config.token_flags import CF_SOURCE
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.client.auth.token import Source
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.redaction import Redactor

SOURCES_HELP = f"{SOURCE_FORMS}; cf (the cf CLI's login); or uaa:GRANT (a login at the target's UAA)"
SECRETS_IN_WORDS = {"PROXY_PASSWORD": "password of the proxy"}  # those to warn of if they are short
GRANT_PATTERNS = {  # grant -> the rest of `uaa:GRANT:...`; groups are keys of the configuration file
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
    tokens, uaa = settings.tokens, _uaa(settings)
    for name, secret in settings.secrets:
        uaa.redactor.add_secret(name, secret, SECRETS_IN_WORDS.get(name, ""))
    if isinstance(tokens, Tokens):
        return settings
    tokens = as_renewable(tokens, uaa.redactor) if tokens else open_tokens(settings.token_sources, uaa)
    return replace(settings, tokens=tokens)


def check_sources(settings: Settings) -> None:
    """Require that `log_in` can use each source; opens none and sends nothing.

    Raises:
        BadSetting: a source is not valid, or the role admin is missing.
    """
    if not settings.tokens:
        _parse_sources(settings.token_sources, _uaa(settings), os.environ)


def check_source(role: str, definition: str) -> None:
    """Require that a run can use this source of a role's token; neither opens it nor sends anything.

    Raises:
        BadSetting: it is not valid, or would renew the token of the role `expired`; the message does not quote it.
    """
    parse_source(role, definition, Uaa(Target("http://localhost"), _send_nothing), {})


def _send_nothing(*_: object) -> NoReturn:
    raise AssertionError("a source is only parsed here")


def open_tokens(sources: Mapping[str, object], uaa: Uaa, environ: Mapping[str, str] | None = None) -> Tokens:
    """Fetch a token for each role and return them.

    Args:
        sources: role -> source: a line, or for a login a mapping as in the configuration file.
        uaa: where users of the target log in; its redactor learns every secret.
        environ: environment variables; None: this process's.

    Raises:
        BadSetting: a source is not usable, or the role admin is missing.
        TargetUnreachable: a login server does not respond.
    """
    environment = os.environ if environ is None else environ
    return Tokens(_parse_sources(sources, uaa, environment), redactor=uaa.redactor)


def _parse_sources(sources: Mapping[str, object], uaa: Uaa, environ: Mapping[str, str]) -> dict[str, Source]:
    if ADMIN not in sources:
        raise BadSetting(f"There is no admin token. Give --token admin=SOURCE, where SOURCE is {SOURCES_HELP}.")
    return {role: parse_source(role, text, uaa, environ) for role, text in sources.items()}


def _uaa(settings: Settings) -> Uaa:
    transport = settings.transport
    return Uaa(settings.target, token_requester(transport, settings.limits.timeout), transport.is_loopback)


def parse_source(role: str, definition: object, uaa: Uaa, environ: Mapping[str, str]) -> Source:
    """Return the token source that the user configured for a role.

    Raises:
        BadSetting: the definition is not valid, or would renew the token of the role `expired`.
    """
    if role == EXPIRED and not (isinstance(definition, str) and definition.startswith(("env:", "file:"))):
        raise BadSetting(
            "The role expired needs a token that has already expired, from env:NAME or file:PATH; "
            "other sources renew theirs. Give --token expired=env:NAME."
        )
    if isinstance(definition, str) and definition.startswith("uaa:"):
        definition = _parse_login(role, definition)
    if isinstance(definition, dict):
        return Login(_parse_grant(role, definition, environ, uaa.redactor), uaa)
    if definition == CF_SOURCE:
        return CfCli(role, config_path(environ), uaa.target, environ, uaa.redactor)
    if isinstance(definition, str) and re.match("(env|file|command):.", definition):
        return StoredToken(role, parse_secret_source(f"token of {role}", definition, environ, uaa.redactor))
    raise BadSetting(
        f"The source of the token of {role} is not valid. Give --token {role}=SOURCE, where SOURCE is {SOURCES_HELP}."
    )


def _parse_login(role: str, line: str) -> dict[str, object]:
    """Return the line `uaa:GRANT:...` as the mapping that the configuration file would have."""
    head, _, rest = line.removeprefix("uaa:").partition(":")
    kind, at, origin = head.partition("@")
    pattern = GRANT_PATTERNS.get(kind)
    match = pattern.fullmatch(rest) if pattern else None
    if not match or (at and not (origin and "origin" in GRANT_FIELDS[kind])):
        raise BadSetting(f"The login of {role} is not valid. Give one of: {', '.join(GRANT_EXAMPLES.values())}.")
    return {"grant": kind, **match.groupdict(), **({"origin": origin} if at else {})}


def _parse_grant(
    role: str, definition: Mapping[object, object], environ: Mapping[str, str], redactor: Redactor
) -> Grant:
    """Return the grant that a mapping describes.

    Raises:
        BadSetting: a key is missing or unknown, or a value is not a string; the message quotes no value.
    """
    kind = str(definition.get("grant"))
    if kind not in GRANT_FIELDS:
        raise BadSetting(f"The grant of the login of {role} is unknown. Give one of: {', '.join(GRANT_FIELDS)}.")
    members = {str(key): value for key, value in definition.items() if key != "grant"}
    required = set(GRANT_PATTERNS[kind].groupindex)
    if not required <= members.keys() <= GRANT_FIELDS[kind] or not all(
        isinstance(v, str) and v for v in members.values()
    ):
        raise BadSetting(
            f"The login of {role} by {kind} is not valid. Give the strings {', '.join(sorted(required))}; "
            f"optional: {', '.join(sorted(GRANT_FIELDS[kind] - required)) or 'nothing'}."
        )
    texts = {key: str(value) for key, value in members.items()}
    secrets = {
        key: parse_secret_source(f"{key} of {role}", texts[key], environ, redactor)
        for key in ("secret", "password", "refresh_token")
        if key in texts
    }
    credential = secrets.get("password") or secrets.get("refresh_token")
    user = User(texts["username"], texts.get("origin", "")) if kind == "password" else None
    return Grant(role, kind, texts.get("client", CF_CLIENT_ID), secrets.get("secret"), user, credential)
