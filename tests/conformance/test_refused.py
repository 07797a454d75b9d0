"""Judgments of rejected requests: they destroy no events and create none."""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    no_event,
    raise_if_cut_short,
    require_each_trial,
    require_exchanges,
    require_no,
)
from purge_conformance.analysis.event_lists import complete_listings, has_purge_between
from purge_conformance.analysis.history import undestroyed_events_per_list
from purge_conformance.analysis.induced_errors import conflicting_purges, raise_if_not_induced
from purge_conformance.analysis.interference import is_of_deleted_app
from purge_conformance.analysis.late_effects import may_be_late, require_no_delay
from purge_conformance.analysis.missing_tokens import NO_OTHER_ROLE, explain_missing_token
from purge_conformance.analysis.outcomes import (
    AttributableViolation,
    Inconclusive,
    NotExercised,
    PrerequisiteFailed,
    RequirementViolated,
    Trial,
)
from purge_conformance.analysis.purge_series import observed_purges, require_plain_purges_correct
from purge_conformance.analysis.rejected import (
    Attempt,
    attempts,
    delayed_losses,
    shows_events,
    unauthorized_purges,
    unexpected_input_attempts,
    waits_after_rejected,
)
from purge_conformance.analysis.retention import is_deleted
from purge_conformance.analysis.sightings import sightings
from purge_conformance.analysis.view import target_responses
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.config.roles import READ_ONLY_ROLES
from purge_conformance.evidence.listing import event_identity
from purge_conformance.evidence.steps import BYPASSES, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange


@pytest.mark.requirement("REFUSE-01")
def test_unauthenticated_purge_destroys_nothing(view: JudgmentView) -> None:
    """A purge that is rejected for lack of authentication MUST NOT destroy events."""
    purges = [a for a in unauthorized_purges(view) if a.request.tags[Tag.CREDENTIAL] != CredentialKind.VALID]
    _require_no_loss(
        view,
        (a for a in purges if _is_rejected(a)),
        _credential_case,
        if_none="No purge without authentication was rejected.",
    )


@pytest.mark.requirement("REFUSE-02")
def test_forbidden_purge_destroys_nothing(view: JudgmentView) -> None:
    """A purge that is forbidden MUST NOT destroy events."""
    require_exchanges(view, Scenario.REJECTED_PURGES, Step.CREDENTIAL, if_none="No purge was sent.")
    sent = view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL)
    by_other_roles = [x for x in sent if x.tags.get(Tag.CREDENTIAL) == CredentialKind.VALID]
    if not target_responses(by_other_roles):
        raise_if_cut_short(view, Scenario.REJECTED_PURGES)
        raise explain_missing_token(by_other_roles, NO_OTHER_ROLE, "global_auditor")
    purges = [a for a in unauthorized_purges(view) if a.request.tags[Tag.CREDENTIAL] == CredentialKind.VALID]
    try:
        _require_no_loss(view, (a for a in purges if _is_rejected(a)), _role_case, if_none="No purge was forbidden.")
    except RequirementViolated as error:
        if delayed_losses(view):  # no other client purges after each of them, and never after reads
            raise AttributableViolation(error.findings, error.case, error.total) from error
        raise


@pytest.mark.requirement("REFUSE-03")
def test_bad_request_destroys_nothing(view: JudgmentView) -> None:
    """A purge that is rejected because of its request MUST NOT destroy events."""
    requests = [*attempts(view, Step.UNKNOWN_ROUTE), *unexpected_input_attempts(view)]
    rejected = (a for a in requests if a.request.method == "POST" and a.request.rejected)
    _require_no_loss(view, rejected, _request_case, if_none="No purge was rejected because of its request.")


@pytest.mark.requirement("REFUSE-04")
def test_other_methods_destroy_nothing(view: JudgmentView) -> None:
    """Methods other than POST on the purge path, and unsafe methods on the list path, MUST NOT destroy events."""
    if_none = "No request with another method was sent."
    _require_no_loss(view, attempts(view, Step.METHOD), lambda _: "", if_none=if_none)
    view.count_parts(view.of(Scenario.REJECTED_PURGES, Step.METHOD), lambda x: [_path_case(x)])


@pytest.mark.requirement("REFUSE-05")
def test_other_methods_are_rejected(view: JudgmentView) -> None:
    """On every path of the resource, an unsupported method except HEAD and OPTIONS SHOULD answer 404, 405 or 501."""
    sent = require_exchanges(
        view, Scenario.REJECTED_PURGES, Step.METHOD, if_none="No request with another method was sent."
    )
    unsupported = [x for x in view.of(Scenario.REJECTED_PURGES, Step.METHOD) if x.method not in {"HEAD", "OPTIONS"}]
    view.count_parts(unsupported, lambda x: [_path_case(x)])
    allowed = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
    require_no(
        Finding("404, 405 or 501", describe_response(x), x.n)
        for x in sent
        if x.method not in {"HEAD", "OPTIONS"} and x.status not in allowed
    )


@pytest.mark.requirement("REFUSE-06")
def test_no_delayed_destruction(view: JudgmentView) -> None:
    """Only a successful purge may destroy events; a rejected request MUST NOT do so, immediately or later."""
    require_exchanges(view, Scenario.REJECTED_PURGES, Step.CREDENTIAL, if_none="No purge was rejected.")
    if delayed := delayed_losses(view):
        words = "every event remains a second after rejected purges, as it does a second after reads"
        raise AttributableViolation(tuple(Finding(words, str(a.describe_loss()), a.after.n) for a in delayed))
    rejectable = [*attempts(view, Step.CREDENTIAL, Step.METHOD, Step.UNKNOWN_ROUTE), *unexpected_input_attempts(view)]
    bypass_attempts = (
        attempts(view, *BYPASSES, scenario=Scenario.AUTH_BYPASS) if view.of(Scenario.AUTH_BYPASS, *BYPASSES) else []
    )
    if any(
        a.describe_loss()
        for a in [*rejectable, *bypass_attempts]
        if _is_rejected(a) or a.request.step is Step.METHOD or a in bypass_attempts
    ):
        raise PrerequisiteFailed("rejected requests already destroy events at once")
    view.count("between-reads", (after for _, after in _undisturbed_pairs(view)))
    view.count("after-rejected-purges", waits_after_rejected(view))
    disappearances = [
        _disappeared(view, before, after, undestroyed)
        for (before, after), undestroyed in zip(
            pairwise(complete_listings(view)), undestroyed_events_per_list(view), strict=False
        )
    ]
    require_no(
        Finding("every event remains", f"{guid} disappeared", n)
        for n, guids, may_be_purge in disappearances
        if not may_be_purge
        for guid in sorted(guids)
    )
    if any(guids for _, guids, _ in disappearances):
        require_no_delay(view)
        raise Inconclusive(
            "Every event except the seeded ones disappeared: another client may have purged.", Cause.RACE
        )


def _undisturbed_pairs(view: JudgmentView) -> Iterator[tuple[Exchange, Exchange]]:
    """Yield the first page of a complete list and the last of the next one, if no purge was sent in between."""
    for before, after in pairwise(complete_listings(view)):
        first, last = before.exchanges[0], after.exchanges[-1]
        if before.rows and not has_purge_between(view, first, last):
            yield first, last


def _has_loss_beside_admin(view: JudgmentView, first: Exchange, last: Exchange) -> bool:
    """Whether events were lost between two exchanges while requests of the admin were in progress, for AUTH-16."""
    if not view.of(Scenario.REJECTED_PURGES, Step.CONCURRENT_CREDENTIAL):
        return False
    beside = attempts(view, Step.CONCURRENT_CREDENTIAL)
    return any(first.n < a.request.n < last.n and a.describe_loss() for a in beside)


def _disappeared(
    view: JudgmentView, before: Listing, after: Listing, undestroyed: frozenset[str]
) -> tuple[int, set[str], bool]:
    """Return what disappeared between two lists without a purge of the suite in between.

    That is the number of the exchange that shows it, the guids of the events, and whether a purge may be the reason:
    one by another client, if no event from before is listed any more, or an earlier one that is late.
    """
    first, last = before.exchanges[0], after.exchanges[-1]
    lost = set(before.by_guid) - set(after.by_guid) - undestroyed
    if has_purge_between(view, first, last) or _has_loss_beside_admin(view, first, last):
        lost = set()
    rows = {guid: before.by_guid[guid] for guid in lost}
    lost = {guid for guid, row in rows.items() if not is_of_deleted_app(view, row, last.n)}
    lost = {guid for guid in lost if not is_deleted(view, rows[guid], last.n)}
    may_be_purge = may_be_late(view, first) or not view.cached(sightings).rules_out_purge(first.n, last.n)
    return after.exchanges[0].n, lost, may_be_purge


@pytest.mark.requirement("REFUSE-07")
def test_rejected_purge_seeds_nothing(view: JudgmentView) -> None:
    """A rejected purge MUST NOT create events."""
    require_exchanges(view, Scenario.REJECTED_PURGES, Step.CREDENTIAL, if_none="No purge was rejected.")
    rejectable = [*attempts(view, Step.CREDENTIAL, Step.METHOD, Step.UNKNOWN_ROUTE), *unexpected_input_attempts(view)]
    judged = [a for a in rejectable if (_is_rejected(a) or a.request.step is Step.METHOD) and not a.describe_loss()]
    if not judged and not shows_events(view, Scenario.REJECTED_PURGES):
        raise no_event(view, "The lists before and after the purges that must be rejected were empty.")
    if not judged:
        raise NotExercised("No purge was rejected, or each rejected purge destroyed events.")
    for a in judged:
        view.count(_request_case(a.request), [a.request])
    findings = [
        Finding(f"no new event after this {a.request.method}, answered with {a.request.status}", f"{guid}", a.after.n)
        for a in judged
        for guid in a.new_seed_guids()
    ]
    if findings:
        require_plain_purges_correct(view)  # otherwise an earlier purge may have seeded the new events late
    require_no(findings)


@pytest.mark.requirement("REFUSE-08")
def test_conflict_destroys_nothing(view: JudgmentView) -> None:
    """A purge that answers 409 SHOULD NOT destroy events."""
    purges = conflicting_purges(view)
    if not purges:
        raise_if_not_induced(view, HTTPStatus.CONFLICT)
    _require_no_loss(view, purges, lambda _: "conflict", if_none="No purge was answered with 409.")


def _is_rejected(attempt: Attempt) -> bool:
    return (attempt.request.status or 0) >= HTTPStatus.BAD_REQUEST


def _credential_case(x: Exchange) -> str:
    """Return the case of REFUSE-01 that a purge belongs to."""
    kind = x.tags[Tag.CREDENTIAL]
    return "no-token" if kind == CredentialKind.NONE else f"{kind}-token"


def _role_case(x: Exchange) -> str:
    """Return the case of REFUSE-02 that a purge belongs to."""
    return x.role.replace("_", "-") if x.role in READ_ONLY_ROLES else "other-role"


def _path_case(x: Exchange) -> str:
    """Return the case of REFUSE-04 and REFUSE-05 that a request with another method belongs to."""
    cases = {PURGE_PATH: "purge-path", EVENTS_PATH: "list-path", f"{EVENTS_PATH}/actions": "actions-path"}
    return cases.get(x.route, "event-path")


def _request_case(x: Exchange) -> str:
    """Return the case of REFUSE-03 and REFUSE-07 that a request belongs to."""
    cases = {
        Step.CREDENTIAL: "credentials",
        Step.METHOD: "methods",
        Step.UNKNOWN_ROUTE: "unknown-path",
        Step.TWO_CREDENTIALS: "two-credentials",
    }
    return cases.get(x.step, "unexpected-input")


def _require_no_loss(
    view: JudgmentView, candidates: Iterable[Attempt], case_of: Callable[[Exchange], str], *, if_none: str
) -> None:
    judged = list(candidates)
    if not judged and not shows_events(view, Scenario.REJECTED_PURGES):
        raise no_event(view, "The list showed no event that a purge that must be rejected could destroy.")
    if not judged:
        raise NotExercised(if_none)
    survivors = {event_identity(row) for purge in observed_purges(view) for row in purge.surviving_events.values()}
    lossy = [a for a in judged if a.describe_loss()]
    late = [a for a in lossy if may_be_late(view, a.before)]
    unattributable = [*late, *(a for a in lossy if survivors and a.lost_keys() <= survivors)]
    if unattributable and all(a in unattributable for a in lossy):
        if late:
            require_no_delay(view)
        raise PrerequisiteFailed("events that an earlier purge did not destroy may disappear at any time")
    require_each_trial(
        view,
        (
            Trial(a.request.n, _loss_findings(a), f"{a.request.role} {a.request.path}", case_of(a.request))
            for a in judged
            if a not in unattributable
        ),
    )


def _loss_findings(attempt: Attempt) -> tuple[Finding, ...]:
    x, loss = attempt.request, attempt.describe_loss()
    words = f"every event remains after this {x.method}, answered with {x.status}"
    return (Finding(words, loss, x.n),) if loss else ()
