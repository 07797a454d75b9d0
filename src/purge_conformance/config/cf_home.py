"""The login file of the cf CLI: where it is and what it holds.

Source: cloudfoundry/cli, util/configv3/json_config.go and load_config.go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purge_conformance.config.settings import Target, parse_target
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping


MAX_BYTES = 4 * 1024 * 1024
NEXT_STEP = "Log in with `cf login`."


@dataclass(frozen=True, slots=True)
class Session:
    """A login of the cf CLI.

    Attributes:
        target: URL of the API.
        access_token: secret; with its scheme, as the CLI writes it.
        refresh_token: secret; empty if the CLI logged in with client credentials.
        client_secret: secret; empty for the CLI's own client.
    """

    target: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    client_secret: str = field(repr=False)


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the file of the cf CLI's login: below `$CF_HOME`, or else below the home folder."""
    home = environ.get("CF_HOME") or environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".cf" / "config.json"


def read_session(path: Path) -> Session:
    """Return the login in a file.

    Raises:
        BadSetting: the file cannot be read, or contains no login.
    """
    try:
        with path.open(encoding="utf-8") as file:
            document: Any = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        raise BadSetting(f"{path}, the login of the cf CLI, cannot be read: {error.strerror}. {NEXT_STEP}") from None
    except (ValueError, RecursionError):
        raise BadSetting(f"{path} is not the JSON file that the cf CLI writes. {NEXT_STEP}") from None
    values = document if isinstance(document, dict) else {}
    names = ("Target", "AccessToken", "RefreshToken", "UAAOAuthClientSecret")
    target, access, refresh, client = (text if isinstance(text := values.get(name), str) else "" for name in names)
    if not target or not access:
        raise BadSetting(f"The cf CLI is not logged in, according to {path}. {NEXT_STEP}")
    return Session(target, access, refresh, client)


def read_target(path: Path) -> Target:
    """Return the API that the cf CLI is logged in at.

    Raises:
        BadSetting: it is not logged in.
    """
    return parse_target(read_session(path).target)
