"""Judgments of the profile upstream: codes and titles of errors, and the statuses of a get."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import own_apps
from purge_conformance.analysis.assertions import (
    describe_response,
    require_exchanges,
    require_no,
)
from purge_conformance.analysis.error_format import codes_and_titles, envelope_defect, has_errors
from purge_conformance.analysis.induced_errors import raise_if_not_induced
from purge_conformance.analysis.missing_tokens import NO_OTHER_ROLE, sent_as_other_roles
from purge_conformance.analysis.next_steps import RUN_ALL, give_token, nothing_to_do
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.outcomes import NotExercised, PrerequisiteFailed
from purge_conformance.catalogue.api import EVENTS_PATH, GET_OPERATION, is_purge
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

UAA_RATE_LIMIT = (20008, "CF-UaaRateLimited")
PLAIN_GUID = re.compile(r"[A-Za-z0-9_.~-]{1,255}")  # needs no percent-encoding
STATUSES_OF_NO_GET = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}


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


def _responses_with_credential(view: JudgmentView, kind: CredentialKind) -> list[Exchange]:
    sent = [*view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL), *view.of(Scenario.READS, Step.LIST, Step.GET)]
    return [x for x in sent if x.tags.get(Tag.CREDENTIAL) == kind]


def _codes_and_titles(x: Exchange) -> list[object]:
    """Return the codes and the titles of an error answer, whatever its content type is: Cloud Controller has others."""
    errors = x.json.get("errors") if isinstance(x.json, dict) and (x.status or 0) >= HTTPStatus.BAD_REQUEST else None
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    values = (row.get(name) for row in rows for name in ("code", "title"))
    return [value for value in values if isinstance(value, int | str)]


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
