"""Checks that each role's token is accepted and has the scopes of that role."""

from __future__ import annotations

import time
from http import HTTPStatus
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

ROLE_SCOPES = {
    ADMIN: ADMIN_SCOPE,
    "admin_read_only": "cloud_controller.admin_read_only",
    "global_auditor": "cloud_controller.global_auditor",
}


def checks(probe: ProbeResult, settings: Settings) -> Iterable[Check]:
    """Yield one finding per token, from its scopes and expiry, if readable, and from the responses to it."""
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
    next_step, is_fatal = f"Give a valid one: --token {role}=SOURCE.", role == ADMIN
    return Check(
        name, Status.PROBLEM, reason.rstrip("."), "a valid token", next_step, "authentication", is_fatal=is_fatal
    )


def _check_expired_role(name: str, token: str, answers: Sequence[Exchange], exchanges: Sequence[Exchange]) -> Check:
    expires_at = expiry(token)
    offset = clock.offset_from_dates(exchanges)
    now = time.time() + max(0.0, offset.lower if offset else 0.0)  # the later one of both clocks
    next_step = "Give a token that has already expired, or no --token expired."
    if expires_at is not None and expires_at > now:
        got = f"it expires in {expires_at - now:,.0f} s"
        return Check(name, Status.PROBLEM, got, "an expired token", next_step, is_fatal=True)
    if expires_at is None and answers and all(x.status != HTTPStatus.UNAUTHORIZED for x in answers):
        return warning(name, "it is accepted, and its expiry cannot be read", "an expired token", next_step)
    return ok(name, "it is rejected with 401" if expires_at is None else "it has expired, as it should")


def _check_valid_role(name: str, role: str, token: str, answers: Sequence[Exchange]) -> Check:
    token_scopes, role_scope = scopes(token), ROLE_SCOPES.get(role)
    if any(x.status == HTTPStatus.UNAUTHORIZED for x in answers):
        next_step = f"Give a valid one: --token {role}=SOURCE."
        return Check(
            name, Status.PROBLEM, "the target rejects it with 401", "an accepted token", next_step, "authentication"
        )
    if token_scopes is not None and role != ADMIN and ADMIN_SCOPE in token_scopes:
        next_step = f"Give a token of a user who is only {role}; a run with this one would accuse the target wrongly."
        got = f"it has the scope {ADMIN_SCOPE}"
        return Check(name, Status.PROBLEM, got, "a token without it", next_step, is_fatal=True)
    if token_scopes is not None and role_scope and role_scope not in token_scopes:
        next_step = f"Give a token of a user with that scope: --token {role}=SOURCE."
        return warning(name, "it lacks the scope of its role", f"the scope {role_scope}", next_step)
    return ok(name, f"it has the scope {role_scope}" if token_scopes is not None and role_scope else "it is accepted")
