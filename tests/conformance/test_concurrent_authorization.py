"""Judgment of authorization while requests with several credentials are in progress."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    raise_if_cut_short,
    require_each_trial,
    require_exchanges,
)
from purge_conformance.analysis.late_effects import may_be_late, require_no_delay
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, PrerequisiteFailed, Trial, Undecided
from purge_conformance.analysis.purge import require_purge_at
from purge_conformance.analysis.purge_series import plain_purges, require_plain_purges_correct
from purge_conformance.analysis.rejected import attempts
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.analysis.view import target_responses
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import event_identity, resources
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.rejected import Attempt
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import Where

UNAUTHORIZED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
SUCCESSES = {HTTPStatus.OK, HTTPStatus.CREATED}
SCENARIOS = {Scenario.REJECTED_PURGES: "reads", Scenario.CONCURRENT_PURGES: "purges"}  # -> what the admin sends


@pytest.mark.requirement("AUTH-16")
def test_concurrent_requests_are_authorized_by_their_own_credentials(view: JudgmentView) -> None:
    """A request MUST be authorized by its own credentials, whatever other requests are in progress."""
    rejected_alone = _rejected_alone(view)
    sent = {scenario: _sent(view, scenario, Step.CONCURRENT_CREDENTIAL) for scenario in SCENARIOS}
    if not any(sent.values()):
        raise_if_cut_short(view, Scenario.REJECTED_PURGES)
        unanswered = find_unanswered(x for scenario in SCENARIOS for x in view.of(scenario, Step.CONCURRENT_CREDENTIAL))
        reason = "No request with another credential was sent while the admin's were in progress."
        raise unanswered or NotExercised(reason)
    others = [x for each in sent.values() for x in each if x.role in rejected_alone]
    if not others:
        raise PrerequisiteFailed("requests that must be rejected already succeed without concurrent ones")
    for scenario, beside in SCENARIOS.items():
        purges = [x for x in sent[scenario] if x.method == "POST" and x in others]
        view.count(f"others-beside-{beside}", purges)
        view.count(f"role-beside-{beside}", (x for x in purges if x.tags[Tag.CREDENTIAL] == CredentialKind.VALID))
        by_kind = {kind: [x for x in purges if x.tags[Tag.CREDENTIAL] == kind] for kind in CredentialKind}
        view.count(f"expired-beside-{beside}", by_kind[CredentialKind.EXPIRED])
        if beside == "purges":
            view.count("no-token-beside-purges", by_kind[CredentialKind.NONE])
            view.count("altered-beside-purges", by_kind[CredentialKind.INVALID])
            first = {x.role: x for x in by_kind[CredentialKind.VALID]}
            view.count("further-role-beside-purges", [*first.values()][1:])
    lists = [x for x in others if x.method == "GET" and Tag.CONCURRENT in x.tags]
    view.count("list-with-invalid-token", (x for x in lists if x.tags[Tag.CREDENTIAL] != CredentialKind.VALID))
    with_empty_list = _roles_with_empty_list(view)
    view.count("role-list-beside-reads", (x for x in lists if x.role in with_empty_list))
    admin = [x for scenario, each in sent.items() if each for x in _admin_requests(view, scenario)]
    view.count("admin-purge", (x for x in admin if x.method == "POST"))
    view.count("admin-read", (x for x in admin if x.method == "GET"))
    lossy = _lossy_purges(view, rejected_alone)
    losses = {a.request.n: str(a.describe_loss()) for a in lossy if not may_be_late(view, a.before)}
    require_each_trial(view, (Trial(x.n, tuple(_other_findings(x, losses))) for x in others if not _is_role_list(x)))
    require_each_trial(view, (Trial(x.n, tuple(_list_findings(x))) for x in lists if x.role in with_empty_list))
    shown = _lists_with_same_events(view)
    require_each_trial(view, (Trial(x.n, tuple(_admin_findings(x, shown))) for x in admin))
    _require_single_purges_complete(view)
    if len(losses) < len(lossy):
        require_no_delay(view)


def _other_findings(x: Exchange, losses: dict[int, str]) -> Iterator[Finding]:
    """Yield that a request that must be rejected succeeded, or that events were lost after it."""
    beside = f"while an admin's {SCENARIOS[x.scenario]} are in progress"
    if x.succeeded:
        yield Finding(f"{x.method} with the credential {x.role} rejected, {beside}, too", describe_response(x), x.n)
    elif x.method == "POST" and x.n in losses:
        yield Finding(f"every event remains after this purge by {x.role}, {beside}", losses[x.n], x.n)


def _is_role_list(x: Exchange) -> bool:
    """Whether a request is a list by a role, which all roles may send."""
    return x.method == "GET" and x.tags[Tag.CREDENTIAL] == CredentialKind.VALID


def _list_findings(x: Exchange) -> Iterator[Finding]:
    """Yield that a list shows an event to a role to which it shows none when no other request is in progress."""
    if resources(x):
        words = f"no event in the list of {x.role} while the admin sends the same request, as without that"
        yield Finding(words, f"{len(resources(x))} events", x.n)


def _roles_with_empty_list(view: JudgmentView) -> set[str]:
    """Return the roles to which the list shows no event when no other request is in progress."""
    alone = _sent(view, Scenario.REJECTED_PURGES, Step.CONCURRENT_CREDENTIAL)
    return {x.role for x in alone if x.page and not resources(x) and Tag.CONCURRENT not in x.tags}


def _lists_with_same_events(view: JudgmentView) -> set[int]:
    """Return the admin's lists beside rejected purges, if the newest events before and after them are the same."""
    spans = view.spans(Scenario.REJECTED_PURGES, Step.CONCURRENT_CREDENTIAL)
    reads = {x.n for x in _sent(view, Scenario.REJECTED_PURGES, Step.CONCURRENT_READ)}
    found: set[int] = set()
    for span in spans:
        before, after = (
            [event_identity(row) for x in view.numbered(n) for row in resources(x)] for n in (span.before, span.after)
        )
        if before and before == after:
            found |= {n for n in reads if max(span.before) < n < min(span.after)}
    return found


def _admin_findings(x: Exchange, shown: set[int]) -> Iterator[Finding]:
    """Yield that the admin was rejected, or that a list was empty although the events before and after are `shown`."""
    if x.status in UNAUTHORIZED:
        words = f"neither 401 nor 403 to this {x.method} by the admin, beside requests with other credentials"
        yield Finding(words, describe_response(x), x.n)
    elif x.n in shown and x.page is not None and not resources(x):
        yield Finding("an event in this list of the admin, as before and after it", describe_response(x), x.n)


def _require_single_purges_complete(view: JudgmentView) -> None:
    """Require that the admin's purges that succeed beside rejected ones, and beside no other, are complete.

    Raises:
        RequirementViolated: one is not.
        PrerequisiteFailed: purges by the admin at the same time are not, either.
    """
    scenario = Scenario.CONCURRENT_PURGES
    trials = []
    for number in view.rounds(scenario):
        sent = target_responses(view.of(scenario, Step.ALONE, round=number))
        if not any(x.succeeded and Tag.CONCURRENT in x.tags for x in sent):
            continue
        with suppress(Inconclusive):
            is_complete = _is_complete(view, Step.ALONE, number)
            purge = require_purge_at(view, scenario, Step.ALONE, number)
            finding = Finding(
                "a complete purge by the admin, while purges by others are rejected", "another state", purge.request.n
            )
            trials.append(Trial(purge.request.n, () if is_complete else (finding,)))
    if any(trial.findings for trial in trials) and not _concurrent_purges_complete(view):
        raise PrerequisiteFailed("several purges at once already fail")
    require_each_trial(view, trials, "single-purge")


def _concurrent_purges_complete(view: JudgmentView) -> bool:
    """Whether the list is right after each round of concurrent purges one of which succeeded, as far as it was read."""
    scenario = Scenario.CONCURRENT_PURGES
    for number in view.rounds(scenario):
        for place in {x.place for x in view.of(scenario, Step.CONCURRENT, round=number) if x.succeeded}:
            with suppress(Undecided):
                if not _is_complete(view, place, number):
                    return False
    return True


def _is_complete(view: JudgmentView, where: Where, number: int) -> bool:
    """Whether the list is right after what was sent at a place of concurrent-purges.

    Raises:
        Inconclusive: it was not read, or plain purges already fail.
    """
    purge = require_purge_at(view, Scenario.CONCURRENT_PURGES, where, number)
    return purge.is_complete() or purge.without_apps(require_plain_purges_correct(view)).is_complete()


def _rejected_alone(view: JudgmentView) -> set[str]:
    """Return the credentials whose purges were rejected, and destroyed nothing, while no other request was sent."""
    purges = require_exchanges(view, Scenario.REJECTED_PURGES, Step.CREDENTIAL, if_none="No purge was rejected.")
    harmful = {a.request.role for a in attempts(view, Step.CREDENTIAL) if a.describe_loss()}
    return {x.role for x in purges if x.status in UNAUTHORIZED} - {x.role for x in purges if x.succeeded} - harmful


def _sent(view: JudgmentView, scenario: Scenario, *steps: Step) -> list[Exchange]:
    """Return the exchanges of these steps in all rounds of a scenario that the target answered."""
    return [x for number in view.rounds(scenario) for x in target_responses(view.of(scenario, *steps, round=number))]


def _admin_requests(view: JudgmentView, scenario: Scenario) -> list[Exchange]:
    """Return the admin's requests beside those of others, up to the last success: the token may expire or be revoked.

    Raises:
        PrerequisiteFailed: plain purges by the admin are rejected as well.
    """
    if any(x.status in UNAUTHORIZED for x, _ in plain_purges(view)):
        raise PrerequisiteFailed("the admin's purges are already rejected without concurrent ones")
    successes = (x.n for x in view.exchanges if x.role == ADMIN and x.status in SUCCESSES)
    last_success = max(successes, default=0)
    sent = _sent(view, scenario, Step.CONCURRENT, Step.CONCURRENT_READ, Step.ALONE)
    return [x for x in sent if x.role == ADMIN and x.n <= last_success and Tag.CONCURRENT in x.tags]


def _lossy_purges(view: JudgmentView, rejected_alone: set[str]) -> list[Attempt]:
    """Return the purges beside reads after which events were lost.

    Where a purge that destroys events alone was among them, it is unknown which one did.
    """
    if not view.of(Scenario.REJECTED_PURGES, Step.CONCURRENT_CREDENTIAL):
        return []
    tried = attempts(view, Step.CONCURRENT_CREDENTIAL)
    harmful = {a.after.n for a in tried if a.request.method == "POST" and a.request.role not in rejected_alone}
    return [a for a in tried if a.after.n not in harmful and a.describe_loss()]
