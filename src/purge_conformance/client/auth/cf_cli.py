"""Reads the token of the cf CLI's login from the file that `cf login` writes; never changes that file.

Source: cloudfoundry/cli, util/configv3/json_config.go and load_config.go.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.client.auth.secret_source import SecretSource
from purge_conformance.client.auth.token import SCHEME, Token, build_token, strip_scheme
from purge_conformance.config.cf_home import Session, read_session
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.redaction import Redactor, refresh_variable, token_variable, variable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXPIRY_MARGIN_S = 60.0  # a token of the file that expires sooner is not used
RENEW_COMMAND = "cf oauth-token"  # prints a new token; the CLI stores the new refresh token


@dataclass
class CfCli:
    """The source of a role's token: the cf CLI's login, renewed by the CLI itself.

    The suite does not use the refresh token: a UAA may accept each one only once, so that would log the user out.
    """

    role: str
    path: Path
    target: Target
    environ: Mapping[str, str] = field(repr=False)
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)
    is_renewable: bool = True
    _last_token: str = field(default="", init=False, repr=False)

    def fetch(self) -> Token:
        """Return the token in the CLI's file if it is new and valid, otherwise the one that `cf oauth-token` prints.

        Raises:
            BadSetting: the CLI is not logged in at the target, or cannot renew the token.
        """
        value = strip_scheme(self._require_session().access_token, self.role)
        expires_at = expiry(value)
        if value == self._last_token or (expires_at is not None and expires_at <= time.time() + EXPIRY_MARGIN_S):
            what = f"token of {self.role} from `{RENEW_COMMAND}`"
            source = SecretSource(what, "command", RENEW_COMMAND, self.environ, self.redactor)
            value = strip_scheme(source.read(), self.role)
        self._last_token = value
        self._require_session()  # the command may have stored a new refresh token, which the redactor learns
        return build_token(value)

    def _require_session(self) -> Session:
        """Return the CLI's login.

        Raises:
            BadSetting: there is none, or it is for another target.
        """
        login = read_session(self.path)
        self.redactor.add_secret(token_variable(self.role), SCHEME.sub("", login.access_token))
        self.redactor.add_secret(refresh_variable(self.role), login.refresh_token)
        self.redactor.add_secret(f"{variable(self.role)}_SECRET", login.client_secret)
        if not _is_same(parse_target(login.target), self.target):
            raise BadSetting(
                f"The cf CLI is logged in at {login.target}, not at {self.target.url}; its token is sent only there. "
                f"Run `cf login -a {self.target.url}`, or give another source: --token {self.role}=SOURCE."
            )
        return login


def _is_same(first: Target, second: Target) -> bool:
    return first.url.lower() == second.url.lower()
