"""Judgments of attempts to bypass authentication and authorization."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import describe_response, require_exchanges, require_no
from purge_conformance.analysis.outcomes import PrerequisiteFailed
from purge_conformance.analysis.rejected import successful_bypasses
from purge_conformance.config.roles import ANONYMOUS_ROLE
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from purge_conformance.analysis.view import JudgmentView


@pytest.mark.requirement("AUTH-09")
def test_path_spellings_do_not_bypass(view: JudgmentView) -> None:
    """An alternative spelling of the path MUST NOT bypass authorization."""
    _require_no_bypass(view, Step.SPELLING)


@pytest.mark.requirement("AUTH-10")
def test_overrides_do_not_bypass(view: JudgmentView) -> None:
    """Override headers and parameters MUST NOT bypass authorization."""
    _require_no_bypass(view, Step.OVERRIDE, Step.IMPERSONATION)


@pytest.mark.requirement("AUTH-11")
def test_forged_token_is_rejected(view: JudgmentView) -> None:
    """A forged token outside `Authorization` MUST NOT authorize a purge."""
    _require_no_bypass(view, Step.FORGED_TOKEN)


@pytest.mark.requirement("AUTH-12")
def test_url_token_is_rejected(view: JudgmentView) -> None:
    """A token in the URL MUST NOT authenticate a request."""
    sent = require_exchanges(
        view,
        Scenario.AUTH_BYPASS,
        Step.TOKEN_IN_URL,
        if_none="Not tried: the target is not on this machine, and a URL with a token would be logged.",
    )
    statuses_without_token = [
        x.status for x in view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL) if x.role == ANONYMOUS_ROLE
    ]
    if HTTPStatus.UNAUTHORIZED not in statuses_without_token:
        raise PrerequisiteFailed("a purge without any token is not answered with 401")
    if successful_bypasses(view, Step.FORGED_TOKEN):
        raise PrerequisiteFailed("even a forged token is accepted")
    violations = [x for x in sent if x.status == HTTPStatus.FORBIDDEN or x.succeeded]
    require_no(Finding("401, as without a token", describe_response(x), x.n) for x in violations)


def _require_no_bypass(view: JudgmentView, *steps: Step) -> None:
    require_no(
        Finding(f"this {x.method} does not purge", words, x.n)
        for step in steps
        for x, words in successful_bypasses(view, step)
    )
