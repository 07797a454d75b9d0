"""Judgments of the error envelope and of documented statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import describe_response, raise_if_cut_short, require_each_trial, require_no
from purge_conformance.analysis.error_format import EXPECTED_FORMAT, envelope_defect
from purge_conformance.analysis.induced_errors import raise_if_not_induced
from purge_conformance.analysis.missing_tokens import NO_OTHER_ROLE, sent_as_other_roles
from purge_conformance.analysis.next_steps import give_token, nothing_to_do
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.outcomes import NotExercised, Trial
from purge_conformance.analysis.rejected import is_media_type_rejected
from purge_conformance.catalogue import documented_statuses
from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.evidence.intermediaries import has_error_object
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.evidence.tag_values import Retry
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange


@pytest.mark.requirement("ERROR-01")
def test_401_has_envelope(view: JudgmentView) -> None:
    """A 401 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.UNAUTHORIZED)


@pytest.mark.requirement("ERROR-02")
def test_403_has_envelope(view: JudgmentView) -> None:
    """A 403 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.FORBIDDEN)


@pytest.mark.requirement("ERROR-03")
def test_404_has_envelope(view: JudgmentView) -> None:
    """A 404 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.NOT_FOUND)


@pytest.mark.requirement("ERROR-04")
def test_400_has_envelope(view: JudgmentView) -> None:
    """A 400 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.BAD_REQUEST)


@pytest.mark.requirement("ERROR-05")
def test_422_has_envelope(view: JudgmentView) -> None:
    """A 422 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.UNPROCESSABLE_ENTITY)


@pytest.mark.requirement("ERROR-06")
def test_409_has_envelope(view: JudgmentView) -> None:
    """A 409 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.CONFLICT)


@pytest.mark.requirement("ERROR-07")
def test_500_has_envelope(view: JudgmentView) -> None:
    """A 500 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.INTERNAL_SERVER_ERROR)


@pytest.mark.requirement("ERROR-08")
def test_503_has_envelope(view: JudgmentView) -> None:
    """A 503 response MUST carry the error envelope."""
    _require_envelope(view, HTTPStatus.SERVICE_UNAVAILABLE)


@pytest.mark.requirement("ERROR-09")
def test_other_error_has_envelope(view: JudgmentView) -> None:
    """An error response with any other status SHOULD carry the error envelope."""
    documented = {status for statuses in documented_statuses().values() for status in statuses}
    others = {x.status for x in view.error_responses() if x.status} - documented
    if not others:
        raise_if_cut_short(view, Scenario.READS)
        reason = "No error of the run had an undocumented status."
        raise NotExercised(reason, Cause.CONFIGURATION, nothing_to_do("an error has a status that is not documented"))
    _require_envelope(view, *others)


@pytest.mark.requirement("ERROR-10")
def test_envelope_is_not_empty(view: JudgmentView) -> None:
    """The error envelope SHOULD hold at least one error."""
    found = [x for x in view.error_responses() if not envelope_defect(x)]
    if not found:
        raise NotExercised("No error response carried the envelope.")
    view.count("not-empty", found)
    require_no(
        Finding("at least one error in errors", describe_response(x), x.n) for x in found if not x.json.get("errors")
    )


@pytest.mark.requirement("STATUS-01")
def test_purge_status_is_documented(view: JudgmentView) -> None:
    """Every status of a purge MUST be documented."""
    _require_documented_status(view, PURGE_OPERATION, "purge")


@pytest.mark.requirement("STATUS-02")
def test_list_status_is_documented(view: JudgmentView) -> None:
    """Every status of a list MUST be documented."""
    _require_documented_status(view, LIST_OPERATION, "list")


@pytest.mark.requirement("STATUS-03")
def test_get_status_is_documented(view: JudgmentView) -> None:
    """Every status of a get MUST be documented."""
    _require_documented_status(view, GET_OPERATION, "get")


@pytest.mark.requirement("STATUS-04")
def test_no_intermittent_read_failures(view: JudgmentView) -> None:
    """List and get MUST NOT fail with a 500 that disappears when the request is repeated."""
    reads = [
        x
        for x in view.resource_exchanges()
        if find_operation_id(x.method, x.path) in {LIST_OPERATION, GET_OPERATION} and Tag.CONCURRENT not in x.tags
    ]
    if not reads:
        raise NotExercised("Nothing was read.")
    for case, operation in (("list", LIST_OPERATION), ("get", GET_OPERATION)):
        view.count(case, (x for x in reads if find_operation_id(x.method, x.path) == operation))
    require_each_trial(view, (Trial(x.n, _intermittent_failure(view, x), f"{x.role} {x.path}") for x in reads))


def _intermittent_failure(view: JudgmentView, failed: Exchange) -> tuple[Finding, ...]:
    """Return a finding if a read failed and the same request, repeated, did not fail in the same way."""
    if failed.tags.get(Tag.SUPERSEDED) != Retry.FAILURE:
        return ()
    retry = next((x for x in view.exchanges if x.n > failed.n and _is_same_request(x, failed)), failed)
    if retry.status == failed.status:
        return ()
    return (Finding(f"{retry.status}, as when repeated", describe_response(failed), failed.n),)


def _is_same_request(x: Exchange, other: Exchange) -> bool:
    return (x.path, x.role) == (other.path, other.role)


def _require_envelope(view: JudgmentView, *statuses: int) -> None:
    errors = [x for x in view.error_responses() if x.status in statuses]
    if not errors:
        raise_if_cut_short(view, Scenario.READS)
        raise_if_not_induced(view, *statuses)
        if statuses == (HTTPStatus.FORBIDDEN,) and not sent_as_other_roles(view):
            reason = f"No response had the status 403. {NO_OTHER_ROLE}"
            raise NotExercised(reason, Cause.CONFIGURATION, give_token("global_auditor"))
        raise NotExercised(f"No response had the status {statuses[0]}.")
    view.count("envelope", errors)
    require_no(
        Finding(EXPECTED_FORMAT, f"{defect}: {x.header('Content-Type') or 'none'}: {describe_response(x)}", x.n)
        for x in errors
        if (defect := envelope_defect(x))
    )


def _require_documented_status(view: JudgmentView, operation: str, case: str) -> None:
    exchanges = [x for x in view.resource_exchanges() if find_operation_id(x.method, x.path) == operation]
    judged = [x for x in exchanges if not is_media_type_rejected(x)]
    if not judged:
        raise_if_cut_short(view, Scenario.READS)
        raise NotExercised(f"The operation {operation} got no response.")
    view.count(case, judged)
    documented = documented_statuses()[operation]
    words = ", ".join(str(status) for status in documented)
    require_no(
        Finding(f"one of {words}", describe_response(x), x.n)
        for x in judged
        if x.status not in documented and not _is_documented_elsewhere(operation, x)
    )


def _is_documented_elsewhere(operation: str, x: Exchange) -> bool:
    """Whether the API's documentation beyond the page has a status: 502 for a list, with an error object."""
    return operation == LIST_OPERATION and x.status == HTTPStatus.BAD_GATEWAY and has_error_object(x)
