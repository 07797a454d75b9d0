"""Names of roles, as `--token ROLE=SOURCE` gives them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Iterable

ADMIN = "admin"
EXPIRED = "expired"
ANONYMOUS_ROLE = "none"  # of a request without a credential; no token has it
ROLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SCOPE_PREFIX = "cloud_controller."
ADMIN_SCOPE = "cloud_controller.admin"
READ_SCOPE = "cloud_controller.read"  # of each role that has none of the following
ROLE_SCOPES = {
    ADMIN: ADMIN_SCOPE,
    "admin_read_only": "cloud_controller.admin_read_only",
    "global_auditor": "cloud_controller.global_auditor",
}
COMPONENT_SCOPES = {"build_state_updater": "cloud_controller.update_build_state"}  # of no user
ROLES = {  # role -> what it may do, as the requirements name it
    ADMIN: "may purge; required",
    "global_auditor": "may read all events but not purge",
    "space_developer": "may neither read events nor purge",
    EXPIRED: "an admin token that has already expired",
}
READ_ONLY_ROLES = ("admin_read_only", "global_auditor")  # may read all events but not purge
JUDGED_ROLES = (*ROLES, "admin_read_only")  # by what they may do
KNOWN_ROLES = (  # and the other ones of Cloud Foundry, also as its API names them
    *JUDGED_ROLES,
    "build_state_updater",
    "org_auditor",
    "org_billing_manager",
    "org_manager",
    "org_user",
    "organization_auditor",
    "organization_billing_manager",
    "organization_manager",
    "organization_user",
    "space_auditor",
    "space_manager",
    "space_supporter",
)
MAX_SUGGESTIONS = 2
MIN_PART_CHARS = 3  # of a name that is a part of a known one
MISSPELT, SIMILAR = 0.85, 0.7  # as difflib measures it; 1 is equality


def sufficient_scopes(role: str) -> tuple[str, ...]:
    """Return the scopes of which a token of a role needs one, the usual one first."""
    own = ROLE_SCOPES.get(role) or COMPONENT_SCOPES.get(role)
    return (own,) if own else (READ_SCOPE, *ROLE_SCOPES.values())


def require_known(roles: Iterable[str]) -> None:
    """Require that each role is known, since a misspelt one would be judged as another one.

    Raises:
        BadSetting: one is not.
    """
    for role in roles:
        if role not in KNOWN_ROLES:
            similar = _similar_roles(role)
            question = f" Did you mean {' or '.join(similar)}?" if similar else ""
            raise BadSetting(f"The role {role} is not known.{question} Give one of these: {', '.join(KNOWN_ROLES)}.")


def _similar_roles(role: str) -> list[str]:
    """Return the known roles that a name may stand for, as a misspelling, a part, an extension or in other words."""
    part = role.replace("_", "").removesuffix("s")
    names = {name.replace("_", ""): name for name in KNOWN_ROLES}
    parts = [joined for joined in names if len(part) >= MIN_PART_CHARS and part in joined]

    def most_similar(cutoff: float) -> list[str]:
        return get_close_matches(part, names, 1, cutoff)

    found = (
        most_similar(MISSPELT)
        or [joined for joined in parts if names[joined] in JUDGED_ROLES]
        or most_similar(SIMILAR)
        or parts
        or _with_same_words(part)
    )
    return [names[joined] for joined in found[:MAX_SUGGESTIONS]]


def _with_same_words(part: str) -> list[str]:
    """Return the known role most of whose name is in this one, word by word, without underscores."""
    lengths = {name: sum(len(word) for word in name.split("_") if word in part) for name in KNOWN_ROLES}
    best = max(KNOWN_ROLES, key=lengths.__getitem__)
    return [best.replace("_", "")] if lengths[best] >= MIN_PART_CHARS else []
