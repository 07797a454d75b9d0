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
    from purge_conformance.target.doctor.check import ProbeResult

UNAUTHORIZED = 401
ROLE_SCOPES = {
    ADMIN: ADMIN_SCOPE,
    "admin_read_only": "cloud_controller.admin_read_only",
    "global_auditor": "cloud_controller.global_auditor",
}


def checks(probe: ProbeResult, settings: Settings) -> Iterable[Check]:
    """Yield what is to be said of each token: of its scopes and its end as far as it can be read, and of its answer."""
    is_reachable = any(x.status is not None for x in probe.answers)
    for role in settings.tokens if is_reachable else ():
        name = f"token of {role}"
        try:
            yield _check_token(name, role, settings.tokens[role], probe)
        except TokenExpired as reason:
            yield _unusable_token(name, role, str(reason))


def _check_token(name: str, role: str, token: str, probe: ProbeResult) -> Check:
    answers = [x for x in probe.answers if x.role == role]
    if role in probe.expired_tokens:
        return _unusable_token(name, role, probe.expired_tokens[role])
    return (
        _check_expired_role(name, token, answers, probe.answers)
        if role == EXPIRED
        else _check_valid_role(name, role, token, answers)
    )


def _unusable_token(name: str, role: str, reason: str) -> Check:
    next_step, is_fatal = f"Give a new one: --token {role}=SOURCE.", role == ADMIN
    return Check(
        name, Status.PROBLEM, reason.rstrip("."), "a valid one", next_step, "authentication", is_fatal=is_fatal
    )


def _check_expired_role(name: str, token: str, answers: Sequence[Exchange], exchanges: Sequence[Exchange]) -> Check:
    expires_at = expiry(token)
    offset = clock.offset_from_dates(exchanges)
    now = time.time() + max(0.0, offset.lower if offset else 0.0)  # whichever clock it is held to, the later one counts
    next_step = "Give one that has come to its end, or leave this role out."
    if expires_at is not None and expires_at > now:
        got = f"it is good for {expires_at - now:,.0f} s more"
        return Check(name, Status.PROBLEM, got, "an expired one", next_step, "configuration", is_fatal=True)
    if expires_at is None and answers and all(x.status != UNAUTHORIZED for x in answers):
        return warning(name, "when it ends cannot be read, and it is accepted", "an expired one", next_step)
    return ok(name, "it is refused" if expires_at is None else "it has come to its end")


def _check_valid_role(name: str, role: str, token: str, answers: Sequence[Exchange]) -> Check:
    token_scopes, role_scope = scopes(token), ROLE_SCOPES.get(role)
    if any(x.status == UNAUTHORIZED for x in answers):
        next_step = f"Give a valid one: --token {role}=SOURCE."
        return Check(
            name, Status.PROBLEM, "the target refuses it with 401", "that it is accepted", next_step, "authentication"
        )
    if token_scopes is not None and role != ADMIN and ADMIN_SCOPE in token_scopes:
        next_step = f"Give a token of a {role}; with this one the target would be accused of letting anybody in."
        return Check(name, Status.PROBLEM, f"it has the scope {ADMIN_SCOPE}", "no admin's", next_step, is_fatal=True)
    if token_scopes is not None and role_scope and role_scope not in token_scopes:
        return warning(name, f"it has no scope {role_scope}", "that it has", f"Give a token of a user who is {role}.")
    return ok(name, f"it has the scope {role_scope}" if token_scopes is not None and role_scope else "it is accepted")
