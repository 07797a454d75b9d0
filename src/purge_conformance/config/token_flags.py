"""The flag `--token ROLE=SOURCE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.roles import ROLE_NAME
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterable


CF_SOURCE = "cf"  # the login of the cf CLI


def parse_flags(flags: Iterable[str]) -> dict[str, str]:
    """Return role -> source.

    Raises:
        BadSetting: a flag is not `ROLE=SOURCE`, or two name the same role.
    """
    sources: dict[str, str] = {}
    for flag in flags:
        role, equals, source = flag.partition("=")
        if not equals or not ROLE_NAME.fullmatch(role):  # never printed: it may be a token in the wrong place
            raise BadSetting(
                "--token expects ROLE=SOURCE and got something else. The role before `=` is one word of a-z, 0-9 "
                "and _; for example admin=env:ADMIN_TOKEN."
            )
        if role in sources:
            raise BadSetting(f"--token got the role {role} twice. Give each role once.")
        sources[role] = source
    return sources
