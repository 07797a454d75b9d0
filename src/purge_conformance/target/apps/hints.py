"""What the user does so that the suite can create and start its apps, as the response to one of its requests shows."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

QUOTA = re.compile("quota|limit", re.IGNORECASE)  # as in Cloud Controller's `memory quota_exceeded`
REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
NOT_IMPLEMENTED = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
RAISE_QUOTA = "Raise the quota, or give a space with a larger one: --space GUID"
GIVE_RIGHT = (
    "Give --token admin=SOURCE with the token of a user who may create apps, --space GUID with a space in which the "
    "admin may, or --apps hook with a hook that creates them"
)
CREATE_BY_HOOK = "Give --apps hook and --hook URL or --hook command:LINE: a hook creates the apps where API v3 cannot"


def quota_hint(answer: Exchange) -> str:
    """Return what to do if the target rejected a request because of a quota; empty otherwise."""
    is_full = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and QUOTA.search(answer.text)
    return RAISE_QUOTA if is_full else ""


def creation_hint(answer: Exchange) -> str:
    """Return what to do after a request that created nothing; empty if the response does not say."""
    if answer.status in REFUSED:
        return GIVE_RIGHT
    return CREATE_BY_HOOK if answer.status in NOT_IMPLEMENTED else quota_hint(answer)


def to_next_step(hint: str) -> str:
    """Return a hint as a next step; empty without one."""
    return f"{hint}, then run again." if hint else ""
