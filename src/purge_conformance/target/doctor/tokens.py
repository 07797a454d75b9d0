"""Checks that each role's token is accepted, has the scopes of that role, and lasts until the run ends."""

from __future__ import annotations

import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.client.auth.jwt import expiry, scopes
from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, EXPIRED, ROLE_SCOPES, sufficient_scopes
from purge_conformance.errors import BadSetting, TokenExpired
from purge_conformance.evidence import clock
from purge_conformance.evidence.steps import Step
from purge_conformance.target.doctor.check import Check, Effect, ok, refusal, warning
from purge_conformance.target.doctor.duration import EXPIRY_MARGIN_S, estimate_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.doctor.check import ProbeResult

AUTHENTICATION = "authentication"


def checks(probe: ProbeResult, settings: Settings) -> Iterable[Check]:
    """Yield the problems of each token, from its scopes and expiry, if readable, and from the responses to it.

    A token without a problem yields one finding, too. So does a secret that is too short to be removed everywhere.
    """
    for what, reason in as_renewable(settings.tokens).redactor.warnings.items():
        got = f"it {reason}, so evidence and reports are without it only where it stands as a credential"
        yield warning(what, got, "a secret that is found wherever the target repeats it", "Use a longer one.")
    is_reachable = any(x.status is not None for x in probe.answers)
    for role in settings.tokens if is_reachable else ():
        try:
            yield from _check_token(role, settings, probe)
        except TokenExpired as reason:
            yield _unusable_token(role, str(reason))


def _check_token(role: str, settings: Settings, probe: ProbeResult) -> Iterable[Check]:
    token, answers = settings.tokens[role], [x for x in probe.answers if x.role == role]
    if role in probe.expired_tokens:
        return [_unusable_token(role, probe.expired_tokens[role])]
    if role != EXPIRED and answers and all(x.status == HTTPStatus.UNAUTHORIZED for x in answers):
        return [_rejected_token(role, answers, probe.answers)]
    expired = _check_expired_role(token, answers, probe.answers) if role == EXPIRED else None
    problems = [expired] if expired else [*_check_scopes(role, token), *_check_lifetime(role, settings, probe)]
    same = _role_of_same_token(role, token, settings)
    if same and not any(problem.effect is Effect.REFUSAL for problem in problems):  # a refusal says what is wrong
        return [_shared_token(role, same)]
    needed = sufficient_scopes(role)
    has_scope = len(needed) == 1 and needed[0] in (scopes(token) or ())  # a scope of this role alone
    return problems or [ok(_name(role), f"it has the scope {needed[0]}" if has_scope else "it is accepted")]


def _name(role: str) -> str:
    return f"token of {role}"


def _unusable_token(role: str, reason: str) -> Check:
    next_step = f"Give a valid one: --token {role}=SOURCE."
    return refusal(_name(role), reason.rstrip("."), "a valid token", next_step, AUTHENTICATION)


def _role_of_same_token(role: str, token: str, settings: Settings) -> str:
    """Return another role that was given the same token; empty if there is none, or for the admin itself.

    Of two roles other than the admin's, the later one counts.
    """
    others = list(settings.tokens)
    for other in () if role == ADMIN else (ADMIN, *others[: others.index(role)]):
        with suppress(TokenExpired, KeyError):
            if settings.tokens[other] == token:
                return other
    return ""


def _shared_token(role: str, other: str) -> Check:
    user = "that has already expired" if role == EXPIRED else f"of a user who is only {role}"
    next_step = f"Give a token {user}, or no --token {role}; a run with this one would accuse the target wrongly."
    return refusal(_name(role), f"it is the token of {other}, too", "another token for each role", next_step)


def _rejected_token(role: str, answers: Sequence[Exchange], exchanges: Sequence[Exchange]) -> Check:
    """Return the problem of a token that was rejected wherever it was tried, each place being tried again."""
    paths = " and ".join(dict.fromkeys(f"GET {x.path}" for x in answers))
    got = f"the target rejects it with 401, {len(answers)} times"
    next_step = f"Give a valid one: --token {role}=SOURCE."
    if any(x.step is Step.ROOT and x.status == HTTPStatus.UNAUTHORIZED for x in exchanges):
        got += ", and answers 401 to GET / without a token as well"
        next_step += " If a gateway before the target asks for a login of its own, run behind it."
    return refusal(_name(role), f"{got} ({paths})", "an accepted token", next_step, AUTHENTICATION)


def _check_expired_role(token: str, answers: Sequence[Exchange], exchanges: Sequence[Exchange]) -> Check:
    expires_at, name = expiry(token), _name(EXPIRED)
    offset = clock.offset_from_dates(exchanges)
    now = time.time() + max(0.0, offset.lower if offset else 0.0)  # the later one of both clocks
    next_step = "Give a token that has already expired, or no --token expired."
    if expires_at is not None and expires_at > now:
        return refusal(name, f"it expires in {expires_at - now:,.0f} s", "an expired token", next_step)
    if expires_at is None and answers and all(x.status != HTTPStatus.UNAUTHORIZED for x in answers):
        return warning(name, "it is accepted, and its expiry cannot be read", "an expired token", next_step)
    return ok(name, "it is rejected with 401" if expires_at is None else "it has expired, as it should")


def require_reader(token: str) -> None:
    """Require that a token, if its scopes can be read, allows to read all events: other users see some or none.

    Raises:
        BadSetting: it has none of the scopes that do.
    """
    token_scopes = scopes(token)
    if token_scopes is not None and not token_scopes & set(ROLE_SCOPES.values()):
        raise BadSetting(
            f"The token of {ADMIN} has none of the scopes {', '.join(sorted(ROLE_SCOPES.values()))}, so it does not "
            f"show all events. Give the token of such a user: --token {ADMIN}=SOURCE."
        )


def _check_scopes(role: str, token: str) -> Iterable[Check]:
    """Yield a problem if a readable token has not the scope of its role, or has more than its role."""
    token_scopes, needed = scopes(token), sufficient_scopes(role)
    if token_scopes is None:
        return
    forbidden = {ADMIN_SCOPE} if role in ROLE_SCOPES else set(ROLE_SCOPES.values())
    if role != ADMIN and (excess := sorted(forbidden & token_scopes)):
        next_step = f"Give a token of a user who is only {role}; a run with this one would accuse the target wrongly."
        yield refusal(_name(role), f"it has the scope {excess[0]}", "a token without it", next_step)
    elif not {*needed} & token_scopes:
        got, expected = "it lacks the scope of its role", f"the scope {needed[0]}"
        next_step = f"Give a token of a user with that scope: --token {role}=SOURCE."
        yield (
            refusal(_name(role), got, expected, next_step, AUTHENTICATION)
            if role == ADMIN
            else warning(_name(role), got, expected, next_step)
        )


def _check_lifetime(role: str, settings: Settings, probe: ProbeResult) -> Iterable[Check]:
    """Yield a problem if the token cannot be renewed and expires before the run is expected to end.

    What counts is the target's clock; the estimate is that of `plan`.
    """
    expires_at = as_renewable(settings.tokens).final_expiry(role)
    if expires_at is None or not probe.work.requests:
        return
    offset = clock.offset_from_dates(probe.answers)
    skew = (max(offset.lower, 0.0) or min(offset.upper, 0.0)) if offset else 0.0  # 0 if it is between the bounds
    left, seconds = expires_at - time.time() - skew, estimate_run(probe.answers, probe.work, settings.limits)
    needed = seconds + EXPIRY_MARGIN_S
    if left >= needed:
        return
    when = f"expires in {left:,.0f} s" if left > 0 else f"expired {-left:,.0f} s ago"
    got = f"it {when}, cannot be renewed from its source, and the run takes about {seconds:,.0f} s"
    next_step = (
        f"Give a new one just before the run, or a source that renews it: --token {role}=cf, {role}=uaa:GRANT, "
        f"{role}=file:PATH or {role}=command:LINE."
    )
    yield refusal(_name(role), got, f"a token that is valid for {needed:,.0f} s or more", next_step, AUTHENTICATION)
