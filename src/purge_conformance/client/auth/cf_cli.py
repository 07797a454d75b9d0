"""The login that the cf CLI left: who is logged in where, as `cf login` wrote it. It is read, never written.

Source: cloudfoundry/cli, util/configv3/json_config.go and load_config.go.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.client.auth.secret_source import SecretSource
from purge_conformance.client.auth.token import Token, build_token, strip_scheme
from purge_conformance.config.cf_home import Session, read_session
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXPIRY_MARGIN_S = 60.0  # seconds before its end that a token of the file is not taken any more
RENEW_COMMAND = "cf oauth-token"  # prints a new token, and has the CLI keep what renews it


@dataclass
class CfCli:
    """Gives a role the token of the cf CLI's login, and then those that the CLI itself renews it by.

    Its refresh token is left to it: a UAA may take each one only once, and whoever else used it would log the user out.
    """

    role: str
    path: Path
    target: Target
    environ: Mapping[str, str] = field(repr=False)
    is_renewable: bool = True
    _last_token: str = field(default="", init=False, repr=False)

    def fetch(self) -> Token:
        """Return the token that the CLI wrote, if it is new and lives; or else the one that the CLI prints then.

        Raises:
            BadSetting: there is no login at the target, or the CLI cannot renew it.
        """
        value = strip_scheme(self._require_session().access_token, self.role)
        expires_at = expiry(value)
        if value == self._last_token or (expires_at is not None and expires_at <= time.time() + EXPIRY_MARGIN_S):
            source = SecretSource(f"token of {self.role} by `{RENEW_COMMAND}`", "command", RENEW_COMMAND, self.environ)
            value = strip_scheme(source.read(), self.role)
        self._last_token = value
        refresh_token = self._require_session().refresh_token  # and nobody logged in elsewhere meanwhile
        return replace(build_token(value), other_secrets=(refresh_token,) if refresh_token else ())

    def _require_session(self) -> Session:
        """Return the login at the target.

        Raises:
            BadSetting: there is none.
        """
        login = read_session(self.path)
        if not _is_same(parse_target(login.target), self.target):
            raise BadSetting(
                f"The cf CLI is logged in at {login.target}, not at {self.target.url}, and its token goes nowhere "
                f"else. Log in there, or give another token of {self.role}."
            )
        return login


def _is_same(first: Target, second: Target) -> bool:
    return first.url.lower() == second.url.lower()
