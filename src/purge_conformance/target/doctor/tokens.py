"""Does each role's token hold, and is it a token of that role?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry, scopes
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, EXPIRED
from purge_conformance.errors import TokenExpired
from purge_conformance.evidence import clock
from purge_conformance.target.doctor.check import Check, Status, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.doctor.check import Examined

REFUSED = 401
OWN_SCOPES = {
    ADMIN: ADMIN_SCOPE,
    "admin_read_only": "cloud_controller.admin_read_only",
    "global_auditor": "cloud_controller.global_auditor",
}


def checks(seen: Examined, settings: Settings) -> Iterable[Check]:
    """Yield what is to be said of each token: of its scopes and its end as far as it can be read, and of its answer."""
    reached = any(x.status is not None for x in seen.answers)
    for role in settings.tokens if reached else ():
        name = f"token of {role}"
        try:
            yield _held(name, role, settings.tokens[role], seen)
        except TokenExpired as reason:
            yield _ended(name, role, str(reason))


def _held(name: str, role: str, token: str, seen: Examined) -> Check:
    answers = [x for x in seen.answers if x.role == role]
    if role in seen.ended:
        return _ended(name, role, seen.ended[role])
    return _expired(name, token, answers, seen.answers) if role == EXPIRED else _valid(name, role, token, answers)


def _ended(name: str, role: str, reason: str) -> Check:
    cure, is_fatal = f"Give a new one: --token {role}=SOURCE.", role == ADMIN
    return Check(name, Status.PROBLEM, reason.rstrip("."), "a valid one", cure, "authentication", is_fatal=is_fatal)


def _expired(name: str, token: str, answers: Sequence[Exchange], seen: Sequence[Exchange]) -> Check:
    ends = expiry(token)
    offset = clock.from_dates(seen)
    now = time.time() + max(0.0, offset.least if offset else 0.0)  # whichever clock it is held to, the later one counts
    cure = "Give one that has come to its end, or leave this role out."
    if ends is not None and ends > now:
        got = f"it is good for {ends - now:,.0f} s more"
        return Check(name, Status.PROBLEM, got, "an expired one", cure, "configuration", is_fatal=True)
    if ends is None and answers and all(x.status != REFUSED for x in answers):
        return warning(name, "when it ends cannot be read, and it is accepted", "an expired one", cure)
    return ok(name, "it is refused" if ends is None else "it has come to its end")


def _valid(name: str, role: str, token: str, answers: Sequence[Exchange]) -> Check:
    has, own = scopes(token), OWN_SCOPES.get(role)
    if any(x.status == REFUSED for x in answers):
        cure = f"Give a valid one: --token {role}=SOURCE."
        return Check(
            name, Status.PROBLEM, "the target refuses it with 401", "that it is accepted", cure, "authentication"
        )
    if has is not None and role != ADMIN and ADMIN_SCOPE in has:
        cure = f"Give a token of a {role}; with this one the target would be accused of letting anybody in."
        return Check(name, Status.PROBLEM, f"it has the scope {ADMIN_SCOPE}", "no admin's", cure, is_fatal=True)
    if has is not None and own and own not in has:
        return warning(name, f"it has no scope {own}", "that it has", f"Give a token of a user who is {role}.")
    return ok(name, f"it has the scope {own}" if has is not None and own else "it is accepted")
