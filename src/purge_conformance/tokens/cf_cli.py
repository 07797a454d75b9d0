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
from purge_conformance.tokens.source import Known, Token, bare, token
from purge_conformance.tokens.uaa import CLI, Grant, Login, Uaa

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 4 * 1024 * 1024
NEAR = 60.0  # seconds before its end that a token of the file is not taken any more
CURE = "Log in with `cf login`."


@dataclass(frozen=True, slots=True)
class Session:
    """What the file says of the login.

    Attributes:
        target: URL of the API.
        access_token: secret; with its scheme, as the CLI writes it.
        refresh_token: secret; empty where the CLI logged in as a client.
        uaa: base URL of the UAA.
        client: the CLI's OAuth client.
        client_secret: its secret.
    """

    target: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    uaa: str
    client: str
    client_secret: str = field(repr=False)


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
    names = ("Target", "AccessToken", "RefreshToken", "UaaEndpoint", "UAAOAuthClient", "UAAOAuthClientSecret")
    target, access, *others = (text if isinstance(text := values.get(name), str) else "" for name in names)
    if not target or not access:
        raise BadSetting(f"Nobody is logged in with the cf CLI, as {path} says. {CURE}")
    return Session(target, access, *others)


def target_of(path: Path) -> Target:
    """Return the API that the cf CLI is logged in at.

    Raises:
        BadSetting: it is logged in nowhere.
    """
    return parse_target(session(path).target)


@dataclass
class CfCli:
    """Gives a role the token of the cf CLI's login, and then new ones for its refresh token."""

    role: str
    path: Path
    uaa: Uaa
    is_renewable: bool = True
    _given: str = field(default="", init=False, repr=False)
    _login: Login | None = field(default=None, init=False, repr=False)
    _of: Session | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Need what renews a login before anything is sent.

        Raises:
            BadSetting: the library is not installed, or the CLI is not logged in at the target.
        """
        self._renewing(session(self.path))

    def fetch(self) -> Token:
        """Return the token that the CLI wrote, if it is new and lives; or else a new one, which nobody writes down.

        Raises:
            BadSetting: there is no login at the target, or it has ended.
            TargetLost: the UAA does not answer.
        """
        found = session(self.path)
        value = bare(found.access_token, self.role)
        login = self._renewing(found)
        end = expiry(value)
        if value != self._given and (end is None or end > time.time() + NEAR):
            self._given = value
            return replace(token(value), others=(found.refresh_token,) if found.refresh_token else ())
        self._given = value
        return login.fetch()

    def _renewing(self, found: Session) -> Login:
        """Return what renews the login; a refresh token that replaced the file's is kept as long as the file is."""
        if not _is_same(parse_target(found.target), self.uaa.target):
            raise BadSetting(
                f"The cf CLI is logged in at {found.target}, not at {self.uaa.target.url}, and its token goes nowhere "
                f"else. Log in there, or give another token of {self.role}."
            )
        if self._login is None or found != self._of:
            self._of = found
            kind = "refresh_token" if found.refresh_token else "client_credentials"
            secret, proof = Known(found.client_secret), Known(found.refresh_token)
            grant = Grant(self.role, kind, found.client or CLI, secret, proof=proof)
            self._login = Login(grant, replace(self.uaa, named=found.uaa))
        return self._login


def _is_same(one: Target, other: Target) -> bool:
    return one.url.lower() == other.url.lower()
