"""Judgments of the profile upstream: which reads each role may send, and the bounds of pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    no_event,
    require_exchanges,
    require_no,
    require_status,
    to_sentence,
)
from purge_conformance.analysis.credentials import describe_doubtful_role
from purge_conformance.analysis.foreign_purges import require_found
from purge_conformance.analysis.next_steps import give_token
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.query_rules import Validity, classify_query, parse_query
from purge_conformance.catalogue.api import LIST_OPERATION
from purge_conformance.config.roles import READ_ONLY_ROLES
from purge_conformance.evidence.listing import is_page
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

BOUNDS = {0: "below-minimum", 1: "minimum", 5000: "maximum", 5001: "above-maximum"}
ROLES = (*sorted(READ_ONLY_ROLES), "org_manager")
BUILD_STATE_UPDATER = "build_state_updater"  # a component, which has none of the roles of users


@pytest.mark.requirement("UP-ROLE-01")
def test_roles_may_list(view: JudgmentView) -> None:
    """Every role MUST be allowed to list app usage events."""
    lists = _reads_by_role(view, Step.LIST)
    for x in lists:
        view.count(_role_case(x), [x])
    components = [x for x in lists if x.role == BUILD_STATE_UPDATER]
    require_status(components, HTTPStatus.OK, HTTPStatus.FORBIDDEN)
    users = [x for x in lists if x not in components]
    require_status(_without_doubtful_roles(view, users), HTTPStatus.OK)
    _require_no_doubt(view, users)


@pytest.mark.requirement("UP-ROLE-02")
def test_readers_may_get(view: JudgmentView) -> None:
    """Admin Read-Only and Global Auditor MUST be allowed to get an app usage event."""
    gets = [x for x in _reads_by_role(view, Step.GET) if x.role in READ_ONLY_ROLES]
    if not gets:
        raise NotExercised(
            "There is no token of a role that may read all events.",
            Cause.CONFIGURATION,
            give_token(*sorted(READ_ONLY_ROLES)),
        )
    for x in gets:
        view.count(_role_case(x), [x])
    require_found(view, _without_doubtful_roles(view, gets))
    _require_no_doubt(view, gets)


@pytest.mark.requirement("UP-ROLE-03")
def test_others_may_not_get(view: JudgmentView) -> None:
    """Get of an existing event by any other role MUST answer 404 or 403."""
    gets = [x for x in _reads_by_role(view, Step.GET) if x.role not in READ_ONLY_ROLES]
    if not gets:
        raise NotExercised(
            "There is no token of a role that may not read events.", Cause.CONFIGURATION, give_token("org_manager")
        )
    view.count("other-role", gets)
    require_status(gets, HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN)


@pytest.mark.requirement("UP-PAGE-01")
def test_per_page_bounds(view: JudgmentView) -> None:
    """The parameter `per_page` MUST accept 1 to 5000 and reject 0 and 5001."""
    _require_bounds(view, "per_page", accepted={"1", "5000"}, rejected={"0", "5001"})


@pytest.mark.requirement("UP-PAGE-02")
def test_page_bounds(view: JudgmentView) -> None:
    """The parameter `page` MUST accept integers from 1 and reject 0."""
    _require_bounds(view, "page", accepted={"1"}, rejected={"0"})


def _require_bounds(view: JudgmentView, name: str, *, accepted: set[str], rejected: set[str]) -> None:
    require_exchanges(view, Scenario.LISTS, Step.OPENING, if_none="No list was read.")
    paged = [
        x
        for x in [*view.of(Scenario.LISTS), *view.of(Scenario.PREFLIGHT, Step.EVENTS)]
        if set(x.query) <= {"page", "per_page"}
    ]
    lists = [x for x in paged if name in x.query]
    others = {
        x.n: classify_query(LIST_OPERATION, {k: v for k, v in parse_query(x.path).items() if k != name}) for x in lists
    }
    valid = [x for x in lists if x.query[name] in accepted and others[x.n] is Validity.VALID]
    require_no(Finding(f"200 for {name}={x.query[name]}", describe_response(x), x.n) for x in valid if not is_page(x))
    invalid = [x for x in lists if x.query[name] in rejected]
    for x in (*valid, *invalid):
        view.count(BOUNDS[int(x.query[name])], [x])
    require_no(
        Finding(f"400 or 422 for {name}={x.query[name]}", describe_response(x), x.n)
        for x in invalid
        if x.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    )


def _reads_by_role(view: JudgmentView, step: Step) -> list[Exchange]:
    """Return the reads by every role other than the admin."""
    sent = require_exchanges(view, Scenario.READS, step, if_none=no_event(view, "There was no event to read."))
    reads = [x for x in sent if x.tags.get(Tag.CREDENTIAL) == CredentialKind.VALID]
    if not reads:
        raise NotExercised("There is no token of a role other than the admin.", Cause.CONFIGURATION, give_token(*ROLES))
    return reads


def _without_doubtful_roles(view: JudgmentView, reads: list[Exchange]) -> list[Exchange]:
    """Return the reads except the failed ones with a token that may not have the rights of its role."""
    return [x for x in reads if x.succeeded or not describe_doubtful_role(view.full_evidence, x.role)]


def _require_no_doubt(view: JudgmentView, reads: list[Exchange]) -> None:
    """Require that no read failed whose token may not have the rights of its role.

    Raises:
        Inconclusive: one did, which is not the target's fault.
    """
    for x in reads:
        if not x.succeeded and (why := describe_doubtful_role(view.full_evidence, x.role)):
            reason = f"{to_sentence(why)} So a read that is answered with {x.status} proves nothing."
            raise Inconclusive(reason, Cause.AUTHENTICATION, give_token(x.role))


def _role_case(x: Exchange) -> str:
    if x.role == BUILD_STATE_UPDATER:
        return "component"
    return x.role.replace("_", "-") if x.role in READ_ONLY_ROLES else "other-role"
