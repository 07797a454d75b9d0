"""Judgments of the profile upstream: error codes and titles, rights of roles, bounds of parameters."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import (
    describe_response,
    no_event,
    require_exchanges,
    require_no,
    require_status,
    to_sentence,
)
from purge_conformance.analysis.credentials import describe_doubtful_role
from purge_conformance.analysis.error_format import codes_and_titles, envelope_defect, has_errors
from purge_conformance.analysis.foreign_purges import require_found
from purge_conformance.analysis.induced_errors import raise_if_not_induced
from purge_conformance.analysis.missing_tokens import NO_OTHER_ROLE, sent_as_other_roles
from purge_conformance.analysis.next_steps import RUN_ALL, give_token, nothing_to_do
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, PrerequisiteFailed
from purge_conformance.analysis.query_rules import Validity, classify_query, parse_query
from purge_conformance.catalogue.api import EVENTS_PATH, GET_OPERATION, LIST_OPERATION, is_purge
from purge_conformance.config.roles import READ_ONLY_ROLES
from purge_conformance.evidence.listing import is_page
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

BOUNDS = {0: "below-minimum", 1: "minimum", 5000: "maximum", 5001: "above-maximum"}
ROLES = (*sorted(READ_ONLY_ROLES), "org_manager")
UAA_RATE_LIMIT = (20008, "CF-UaaRateLimited")
PLAIN_GUID = re.compile(r"[A-Za-z0-9_.~-]{1,255}")  # needs no percent-encoding
STATUSES_OF_NO_GET = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
BUILD_STATE_UPDATER = "build_state_updater"  # a component, which has none of the roles of users


@pytest.mark.requirement("UP-ERROR-01")
def test_errors_are_not_empty(view: JudgmentView) -> None:
    """An error response MUST hold a list of at least one error."""
    errors = view.error_responses()
    if not errors:
        raise NotExercised("No error occurred.", Cause.CONFIGURATION, RUN_ALL)
    view.count("at-least-one", errors)
    require_no(
        Finding("errors with at least one error", describe_response(x), x.n) for x in errors if not has_errors(x)
    )


@pytest.mark.requirement("UP-ERROR-02")
def test_missing_token_code(view: JudgmentView) -> None:
    """A request without a token MUST be answered with 10002, CF-NotAuthenticated."""
    _require_code(
        view,
        _responses_with_credential(view, CredentialKind.NONE),
        HTTPStatus.UNAUTHORIZED,
        (10002, "CF-NotAuthenticated"),
        case_of=_operation_case,
    )


@pytest.mark.requirement("UP-ERROR-03")
def test_invalid_token_code(view: JudgmentView) -> None:
    """A request with an invalid bearer token MUST be answered with 1000, CF-InvalidAuthToken."""
    kinds = (CredentialKind.MALFORMED, CredentialKind.INVALID, CredentialKind.EXPIRED)
    rejected = [x for kind in kinds for x in _responses_with_credential(view, kind)]
    bearers = [x for x in rejected if x.role not in {"basic", "scheme-only"}]
    _require_code(
        view,
        bearers,
        HTTPStatus.UNAUTHORIZED,
        (1000, "CF-InvalidAuthToken"),
        case_of=lambda x: f"{x.tags[Tag.CREDENTIAL]}-token",
    )


@pytest.mark.requirement("UP-ERROR-04")
def test_forbidden_code(view: JudgmentView) -> None:
    """A forbidden request MUST be answered with 10003, CF-NotAuthorized."""
    reason = "" if sent_as_other_roles(view) else f"No request was forbidden. {NO_OTHER_ROLE}"
    _require_code(
        view,
        view.error_responses(),
        HTTPStatus.FORBIDDEN,
        (10003, "CF-NotAuthorized"),
        case_of=lambda _: "forbidden",
        if_none=reason,
    )


@pytest.mark.requirement("UP-ERROR-05")
def test_unknown_guid_code(view: JudgmentView) -> None:
    """Get with an unknown guid MUST be answered with 10010, CF-ResourceNotFound."""
    gets = require_exchanges(view, Scenario.READS, Step.GET_UNKNOWN, if_none="No unknown guid was requested.")
    apps = own_apps(view)
    _require_code(
        view,
        gets,
        HTTPStatus.NOT_FOUND,
        (10010, "CF-ResourceNotFound"),
        case_of=lambda x: "stopped-app" if x.guid in apps else "random-guid",
    )


@pytest.mark.requirement("UP-ERROR-06")
def test_bad_parameter_code(view: JudgmentView) -> None:
    """An invalid query parameter MUST be answered with 422 and 10008, or 400 and 10005."""
    lists = require_exchanges(view, Scenario.LISTS, Step.INVALID_QUERY, if_none="No invalid query was tried.")
    codes = {
        HTTPStatus.UNPROCESSABLE_ENTITY: (10008, "CF-UnprocessableEntity"),
        HTTPStatus.BAD_REQUEST: (10005, "CF-BadQueryParameter"),
    }
    rejected = _require_envelopes([x for x in lists if x.status in codes])
    if not rejected:
        raise NotExercised("No invalid query was answered with 400 or 422.")
    for x in rejected:
        view.count(f"status-{x.status}", [x])
    for status, code in codes.items():
        require_no(_code_finding(x, code) for x in rejected if x.status == status and code not in codes_and_titles(x))


@pytest.mark.requirement("UP-ERROR-07")
def test_uncaught_error_code(view: JudgmentView) -> None:
    """An uncaught error MUST be answered with 10001, UnknownError."""
    if all(x.status != HTTPStatus.INTERNAL_SERVER_ERROR for x in view.error_responses()):
        raise_if_not_induced(view, HTTPStatus.INTERNAL_SERVER_ERROR)
    _require_code(
        view,
        view.error_responses(),
        HTTPStatus.INTERNAL_SERVER_ERROR,
        (10001, "UnknownError"),
        case_of=lambda _: "uncaught-error",
    )


@pytest.mark.requirement("UP-ERROR-08")
def test_uaa_rate_limit_code(view: JudgmentView) -> None:
    """An answer that the UAA's rate limit causes SHOULD have 429, 20008, CF-UaaRateLimited and Retry-After."""
    limited = [
        x for x in view.exchanges if x.route.startswith(EVENTS_PATH) and set(UAA_RATE_LIMIT) & {*_codes_and_titles(x)}
    ]
    if not limited:
        condition = "the target answers that the rate limit of its UAA was reached"
        raise NotExercised("No answer had the code 20008.", Cause.CONFIGURATION, nothing_to_do(condition))
    for case in ("code", "retry-after"):
        view.count_responses(case, limited)
    code, title = UAA_RATE_LIMIT
    require_no(
        Finding(f"429 with code {code}, title {title} and Retry-After", describe_response(x), x.n)
        for x in limited
        if x.status != HTTPStatus.TOO_MANY_REQUESTS
        or not set(UAA_RATE_LIMIT) <= {*_codes_and_titles(x)}
        or not x.header("Retry-After")
    )


@pytest.mark.requirement("UP-STATUS-01")
def test_get_has_few_statuses(view: JudgmentView) -> None:
    """A get without a query SHOULD NOT be answered with 400, 409 or 422."""
    gets = [
        x
        for x in view.resource_exchanges()
        if find_operation_id(x.method, x.path) == GET_OPERATION and not x.query and PLAIN_GUID.fullmatch(x.guid)
        if x.tags.get(Tag.CREDENTIAL) in {None, CredentialKind.VALID}  # RFC 6750, 3.1: 400 for a malformed request
    ]
    if not gets:
        raise NotExercised("No event was requested by its guid.", Cause.CONFIGURATION, RUN_ALL)
    view.count("get", gets)
    require_no(
        Finding("200, 401, 403 or 404", describe_response(x), x.n) for x in gets if x.status in STATUSES_OF_NO_GET
    )


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


def _responses_with_credential(view: JudgmentView, kind: CredentialKind) -> list[Exchange]:
    sent = [*view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL), *view.of(Scenario.READS, Step.LIST, Step.GET)]
    return [x for x in sent if x.tags.get(Tag.CREDENTIAL) == kind]


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


def _codes_and_titles(x: Exchange) -> list[object]:
    """Return the codes and the titles of an error answer, whatever its content type is: Cloud Controller has others."""
    errors = x.json.get("errors") if isinstance(x.json, dict) and (x.status or 0) >= HTTPStatus.BAD_REQUEST else None
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    values = (row.get(name) for row in rows for name in ("code", "title"))
    return [value for value in values if isinstance(value, int | str)]


def _role_case(x: Exchange) -> str:
    if x.role == BUILD_STATE_UPDATER:
        return "component"
    return x.role.replace("_", "-") if x.role in READ_ONLY_ROLES else "other-role"


def _operation_case(x: Exchange) -> str:
    return "purge" if is_purge(x.method, x.path) else str(x.step)


def _require_code(  # noqa: PLR0913 -- what is judged, and how it is counted
    view: JudgmentView,
    responses: Iterable[Exchange],
    status: int,
    code: tuple[int, str],
    *,
    case_of: Callable[[Exchange], str],
    if_none: str = "",
) -> None:
    """Require that the responses with a status carry a code; other requirements judge other statuses.

    Each is a trial of the case that `case_of` returns.
    """
    judged = _require_envelopes([x for x in responses if x.status == status and x.method != "HEAD"])
    if not judged:
        cause = Cause.CONFIGURATION if if_none else Cause.TARGET
        raise NotExercised(
            if_none or f"No request of this kind was answered with {status}.",
            cause,
            give_token("global_auditor") if if_none else "",
        )
    for x in judged:
        view.count(case_of(x), [x])
    require_no(_code_finding(x, code) for x in judged if code not in codes_and_titles(x))


def _require_envelopes(errors: list[Exchange]) -> list[Exchange]:
    """Return the errors that carry the envelope.

    Raises:
        PrerequisiteFailed: there are errors, and none of them does.
    """
    with_envelope = [x for x in errors if not envelope_defect(x)]
    if errors and not with_envelope:
        raise PrerequisiteFailed("no error has the documented format")
    return with_envelope


def _code_finding(exchange: Exchange, code: tuple[int, str]) -> Finding:
    return Finding(f"code {code[0]}, title {code[1]}", describe_response(exchange), exchange.n)
