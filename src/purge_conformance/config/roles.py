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
ADMIN_SCOPE = "cloud_controller.admin"
JUDGED_ROLES = (ADMIN, "admin_read_only", "global_auditor", "space_developer", EXPIRED)  # by what they may do
KNOWN_ROLES = (  # and the other ones of Cloud Foundry; further names are allowed
    *JUDGED_ROLES,
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
SIMILARITY = 0.75  # of a misspelt name; 1 is equality
MIN_PART_CHARS = 4  # of a name that is a part of a known one


def require_well_spelt(roles: Iterable[str]) -> None:
    """Require that no role has nearly the name of a known one, since another name means another role.

    Raises:
        BadSetting: a role does.
    """
    for role in roles:
        if role not in KNOWN_ROLES and (known := _similar_roles(role)):
            raise BadSetting(
                f"The role {role} is not known. Did you mean {' or '.join(known)}? Known roles: "
                f"{', '.join(KNOWN_ROLES)}. A role of your own needs a name that resembles none of these."
            )


def _similar_roles(role: str) -> list[str]:
    """Return the known roles whose name a role may be a misspelling, a part or an extension of."""
    part = role.removesuffix("s")
    parts = [name for name in JUDGED_ROLES if role.startswith(name) or (len(part) >= MIN_PART_CHARS and part in name)]
    return parts or get_close_matches(role, KNOWN_ROLES, 1, SIMILARITY)
