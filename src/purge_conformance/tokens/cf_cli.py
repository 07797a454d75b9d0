"""The login that the cf CLI left: who is logged in where, as `cf login` wrote it. It is read, never written.

Source: cloudfoundry/cli, util/configv3/json_config.go and load_config.go.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purge_conformance.credentials import expiry
from purge_conformance.errors import BadSetting
from purge_conformance.settings import Target, parse_target
from purge_conformance.tokens.places import Place
from purge_conformance.tokens.source import Token, bare, token

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 4 * 1024 * 1024
NEAR = 60.0  # seconds before its end that a token of the file is not taken any more
CURE = "Log in with `cf login`."
RENEWING = "cf oauth-token"  # prints a new token, and has the CLI keep what renews it


@dataclass(frozen=True, slots=True)
class Session:
    """What the file says of the login.

    Attributes:
        target: URL of the API.
        access_token: secret; with its scheme, as the CLI writes it.
        refresh_token: secret; empty where the CLI logged in as a client.
    """

    target: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def config_path(environ: Mapping[str, str]) -> Path:
    """Return where the cf CLI keeps its login: below `$CF_HOME`, or else the home folder."""
    home = environ.get("CF_HOME") or environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".cf" / "config.json"


def session(path: Path) -> Session:
    """Return the login of a file.

    Raises:
        BadSetting: there is none.
    """
    try:
        with path.open(encoding="utf-8") as file:
            found: Any = json.loads(file.read(MOST_BYTES))
    except OSError as error:
        raise BadSetting(f"The cf CLI's login cannot be read from {path}: {error.strerror}. {CURE}") from None
    except (ValueError, RecursionError):
        raise BadSetting(f"{path} is not the JSON that the cf CLI writes. {CURE}") from None
    values = found if isinstance(found, dict) else {}
    names = ("Target", "AccessToken", "RefreshToken")
    target, access, refresh = (text if isinstance(text := values.get(name), str) else "" for name in names)
    if not target or not access:
        raise BadSetting(f"Nobody is logged in with the cf CLI, as {path} says. {CURE}")
    return Session(target, access, refresh)


def target_of(path: Path) -> Target:
    """Return the API that the cf CLI is logged in at.

    Raises:
        BadSetting: it is logged in nowhere.
    """
    return parse_target(session(path).target)


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
