"""Judgments of purges with unexpected input, of failed purges, and of unknown routes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    across_rounds,
    describe_response,
    require_each_trial,
    require_exchanges,
    require_exchanges_of_all_rounds,
    require_no,
    require_status,
    require_status_of_each,
)
from purge_conformance.analysis.header_purges import (
    TOO_LARGE,
    count_sets,
    good_last_trials,
    header_trials,
    name_of,
    require_header_purges,
)
from purge_conformance.analysis.induced_errors import failed_purges, is_rolled_back, raise_if_not_induced
from purge_conformance.analysis.next_steps import RUN_ALONE
from purge_conformance.analysis.outcomes import NotExercised, Trial
from purge_conformance.analysis.purge import require_purge_at
from purge_conformance.analysis.purge_series import (
    require_observed_purges,
    require_plain_purges_correct,
    require_plain_purges_reliable,
)
from purge_conformance.analysis.rejected import is_media_type_rejected
from purge_conformance.analysis.view import past_firewalls
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.steps import UNEXPECTED_INPUTS, Scenario, Step
from purge_conformance.evidence.tag_values import WITH_OTHER_TOKEN, HeaderSet
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

# Documented, and unrelated to the body.
UNRELATED_STATUSES = {HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE}
OTHER_REASONS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}  # the token; the type of no content
INPUT_CASES = {
    Step.TRUNCATED_JSON: "cut-json",
    Step.JSON_OBJECT: "json-object",
    Step.JSON_ARRAY: "json-array",
    Step.NOT_JSON: "not-json",
    Step.FORM: "form",
    Step.LONG_TEXT: "long-text",
    Step.UNKNOWN_PARAMETER: "unknown-query",
}


@pytest.mark.requirement("BODY-01")
def test_unexpected_input_is_handled(view: JudgmentView) -> None:
    """A purge with a malformed or unexpected body or query MUST either be rejected or ignore it."""
    sent = require_exchanges_of_all_rounds(
        view, Scenario.UNEXPECTED_INPUT, *UNEXPECTED_INPUTS, if_none="No purge with unexpected input was sent."
    )
    judged = [x for x in sent if x.status not in UNRELATED_STATUSES]
    if not judged:
        reason = "Every purge with unexpected input was answered with 409 or 503."
        raise NotExercised(reason, Cause.TARGET, RUN_ALONE)
    require_plain_purges_reliable(view, *(x.status for x in judged))
    for x in judged:
        view.count(INPUT_CASES[x.step], [x])
    require_status_of_each(
        view,
        (x for x in judged if not is_media_type_rejected(x)),
        _success_status(view),
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )


@pytest.mark.requirement("BODY-02")
def test_ignored_input_purge_is_complete(view: JudgmentView) -> None:
    """A purge that ignores an unexpected body or query MUST be complete."""
    plain = require_observed_purges(view)[0]
    purges = list(across_rounds(view, Scenario.UNEXPECTED_INPUT, _purges_ignoring_input))
    if not purges:
        raise NotExercised("Every purge with unexpected input was rejected.")
    words = "a complete purge, as without the input: no old event remains, each started app has its events"
    wrong = [purge for purge in purges if not purge.is_complete() or _seeds_more_often(purge, plain)]
    if wrong:
        unusual = require_plain_purges_correct(view)
        judged = [purge.without_apps(unusual) for purge in wrong]
        wrong = [purge for purge in judged if not purge.is_complete() or _seeds_more_often(purge, plain)]
    findings = {purge.request.n: (Finding(words, "another state", purge.request.n),) for purge in wrong}
    requests = (purge.request for purge in purges)
    require_each_trial(view, (Trial(x.n, findings.get(x.n, ()), x.step, INPUT_CASES[x.step]) for x in requests))


@pytest.mark.requirement("BODY-03")
def test_failed_purge_is_not_partial(view: JudgmentView) -> None:
    """A purge that fails SHOULD NOT leave a partial result."""
    failed = list(failed_purges(view))
    if not failed:
        raise_if_not_induced(view, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
        raise NotExercised("No purge was induced to fail.")
    for purge in failed:
        is_unavailable = purge.request.status == HTTPStatus.SERVICE_UNAVAILABLE
        view.count("unavailable" if is_unavailable else "internal-error", [purge.request])
    partial = [purge for purge in failed if not (is_rolled_back(view, purge) or purge.is_complete())]
    if partial:
        unusual = require_plain_purges_correct(view)
        partial = [purge for purge in partial if not purge.without_apps(unusual).is_complete()]
    words = "either unchanged events or a complete purge"
    require_no(
        Finding(words, f"another state, after {describe_response(purge.request)}", purge.request.n) for purge in partial
    )


def _success_status(view: JudgmentView) -> int:
    """Return the status with which the target answers a plain purge that succeeds."""
    plain = require_exchanges(view, Scenario.PURGE, Step.PURGE, if_none="No purge was sent.")[-1]
    return (plain.succeeded and plain.status) or HTTPStatus.OK


def _purges_ignoring_input(view: JudgmentView, number: int) -> Iterator[PurgeObservation]:
    """Yield the purges with unexpected input that succeeded."""
    for x in require_exchanges(
        view,
        Scenario.UNEXPECTED_INPUT,
        *UNEXPECTED_INPUTS,
        if_none="No purge with unexpected input was sent.",
        round=number,
    ):
        if x.status == HTTPStatus.OK:
            yield require_purge_at(view, x.scenario, x.place, number)


def _seeds_more_often(candidate: PurgeObservation, plain: PurgeObservation) -> bool:
    """Whether a purge seeded more events for an app than a plain purge, if the app was started for both."""
    now, then = (purge.new_events_by_app(exclude_changes=True) for purge in (candidate, plain))
    return any(len(now.get(app, ())) > len(then[app]) for app in candidate.started_apps if app in then)


@pytest.mark.requirement("HEADER-01")
def test_headers_do_not_break_a_purge(view: JudgmentView) -> None:
    """A purge with the headers of clients and proxies MUST be complete, or be refused where HTTP allows that."""
    sent = require_header_purges(view)
    count_sets(view, sent)
    view.count("second-authorization", (x for x in sent if name_of(x) in WITH_OTHER_TOKEN))
    success = _success_status(view)
    require_each_trial(view, [*header_trials(view, sent, success), *good_last_trials(view, success)])


@pytest.mark.requirement("HEADER-02")
def test_unrelated_headers_are_ignored(view: JudgmentView) -> None:
    """A purge SHOULD NOT be refused for headers that say nothing about it."""
    sets = (HeaderSet.CLIENTS, HeaderSet.LONG)
    sent = [x for x in require_header_purges(view) if name_of(x) in sets]
    count_sets(view, sent)
    require_no(
        Finding(f"no refusal for the {name_of(x)} headers", describe_response(x), x.n)
        for x in past_firewalls(sent)
        if x.rejected and x.status not in {*OTHER_REASONS, *(TOO_LARGE if name_of(x) is HeaderSet.LONG else ())}
    )


@pytest.mark.requirement("ROUTE-01")
def test_unknown_route_answers_404(view: JudgmentView) -> None:
    """An unknown route below the resource MUST answer 404."""
    sent = require_exchanges(view, Scenario.REJECTED_PURGES, Step.UNKNOWN_ROUTE, if_none="No unknown route was tried.")
    for x in sent:
        view.count(_route_case(x), [x])
    require_status(sent, HTTPStatus.NOT_FOUND)


def _route_case(x: Exchange) -> str:
    """Return the case that a request for an unknown route is a trial of."""
    if x.route.startswith(f"{PURGE_PATH}/"):
        return "below-purge"
    return "unknown-action" if x.route.startswith(f"{EVENTS_PATH}/actions/") else "below-event"
