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


def read_session(path: Path) -> Session:
    """Return the login of a file.

    Raises:
        BadSetting: there is none.
    """
    try:
        with path.open(encoding="utf-8") as file:
            document: Any = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        raise BadSetting(f"The cf CLI's login cannot be read from {path}: {error.strerror}. {NEXT_STEP}") from None
    except (ValueError, RecursionError):
        raise BadSetting(f"{path} is not the JSON that the cf CLI writes. {NEXT_STEP}") from None
    values = document if isinstance(document, dict) else {}
    names = ("Target", "AccessToken", "RefreshToken")
    target, access, refresh = (text if isinstance(text := values.get(name), str) else "" for name in names)
    if not target or not access:
        raise BadSetting(f"Nobody is logged in with the cf CLI, as {path} says. {NEXT_STEP}")
    return Session(target, access, refresh)


def read_target(path: Path) -> Target:
    """Return the API that the cf CLI is logged in at.

    Raises:
        BadSetting: it is logged in nowhere.
    """
    return parse_target(read_session(path).target)
