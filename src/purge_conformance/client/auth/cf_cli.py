"""The login that the cf CLI left: who is logged in where, as `cf login` wrote it. It is read, never written.

Source: cloudfoundry/cli, util/configv3/json_config.go and load_config.go.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry
from purge_conformance.client.auth.secret_source import Place
from purge_conformance.client.auth.token import Token, bare, token
from purge_conformance.config.cf_home import Session, session
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NEAR = 60.0  # seconds before its end that a token of the file is not taken any more
RENEWING = "cf oauth-token"  # prints a new token, and has the CLI keep what renews it


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
    _given: str = field(default="", init=False, repr=False)

    def fetch(self) -> Token:
        """Return the token that the CLI wrote, if it is new and lives; or else the one that the CLI prints then.

        Raises:
            BadSetting: there is no login at the target, or the CLI cannot renew it.
        """
        value = bare(self._session().access_token, self.role)
        end = expiry(value)
        if value == self._given or (end is not None and end <= time.time() + NEAR):
            renewing = Place(f"token of {self.role} by `{RENEWING}`", "command", RENEWING, self.environ)
            value = bare(renewing.read(), self.role)
        self._given = value
        others = self._session().refresh_token  # and nobody logged in elsewhere meanwhile
        return replace(token(value), others=(others,) if others else ())

    def _session(self) -> Session:
        """Return the login at the target.

        Raises:
            BadSetting: there is none.
        """
        found = session(self.path)
        if not _is_same(parse_target(found.target), self.target):
            raise BadSetting(
                f"The cf CLI is logged in at {found.target}, not at {self.target.url}, and its token goes nowhere "
                f"else. Log in there, or give another token of {self.role}."
            )
        return found


def _is_same(one: Target, other: Target) -> bool:
    return one.url.lower() == other.url.lower()
