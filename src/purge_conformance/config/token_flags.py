"""The `--token ROLE=SOURCE` flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.roles import ROLE_NAME
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterable


CF_SOURCE = "cf"  # the source that is the cf CLI's login


def parse_flags(options: Iterable[str]) -> dict[str, str]:
    """Return role -> source from `ROLE=SOURCE`.

    Raises:
        BadSetting: one is something else, or a role is named twice.
    """
    sources: dict[str, str] = {}
    for option in options:
        role, equals, source = option.partition("=")
        if not equals or not ROLE_NAME.fullmatch(role):  # never shown: it may be a token in the wrong place
            raise BadSetting("--token wants ROLE=SOURCE, for example admin=env:ADMIN_TOKEN; it got something else.")
        if role in sources:
            raise BadSetting(f"--token names the role {role} twice. Give each role once.")
        sources[role] = source
    return sources
