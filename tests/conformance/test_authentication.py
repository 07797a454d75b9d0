"""Who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    describe_response,
    raise_if_cut_short,
    require_exchanges,
    require_no,
    require_status,
    require_status_of_each,
)
from purge_conformance.analysis.history import admin_reads_rejected
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.analysis.view import target_responses
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange

MALFORMED_CREDENTIALS = {
    "empty",
    "scheme-only",
}  # a malformed request, to RFC 6750, section 3.1, which is answered with 400
MISSING_TOKEN_REASONS = {
    "expired": "no expired token was given. Add --token expired=env:NAME or file:PATH.",
    "valid": "no token without the admin scope was given. Add --token global_auditor=env:NAME or another role's.",
}


@pytest.mark.requirement("AUTH-01")
def test_purge_requires_token(view: JudgmentView) -> None:
    """A purge without a token MUST answer 401."""
    _require_unauthenticated(_purges_with(view, "none"))


@pytest.mark.requirement("AUTH-02")
def test_purge_rejects_malformed_token(view: JudgmentView) -> None:
    """A purge with a malformed token MUST answer 401."""
    _require_unauthenticated(_purges_with(view, "malformed"))


@pytest.mark.requirement("AUTH-03")
def test_purge_rejects_invalid_token(view: JudgmentView) -> None:
    """A purge with an invalid token MUST answer 401."""
    require_status_of_each(view, _purges_with(view, "invalid"), 401)


@pytest.mark.requirement("AUTH-04")
def test_purge_rejects_expired_token(view: JudgmentView) -> None:
    """A purge with an expired token MUST answer 401."""
    require_status_of_each(view, _purges_with(view, "expired"), 401)


@pytest.mark.requirement("AUTH-05")
def test_list_requires_token(view: JudgmentView) -> None:
    """List without a valid token MUST answer 401."""
    _require_unauthenticated(
        [*_unauthenticated_reads(view, Step.LIST), *_generated_without_token(view, Step.GENERATED_LIST)]
    )


@pytest.mark.requirement("AUTH-06")
def test_get_requires_token(view: JudgmentView) -> None:
    """Get without a valid token MUST answer 401."""
    _require_unauthenticated(
        [*_unauthenticated_reads(view, Step.GET), *_generated_without_token(view, Step.GENERATED_GET)]
    )


@pytest.mark.requirement("AUTH-07")
def test_purge_requires_admin_scope(view: JudgmentView) -> None:
    """A purge with a valid token that lacks the admin scope MUST answer 403."""
    require_status_of_each(view, _purges_with(view, "valid"), 403)


@pytest.mark.requirement("AUTH-08")
def test_admin_may_read(view: JudgmentView) -> None:
    """An admin MUST be allowed to list and get app usage events."""
    require_exchanges(view, Scenario.READS, Step.LIST, Step.GET, if_none="nothing was read")
    require_no(Finding("200", describe_response(x), x.n) for x in admin_reads_rejected(view))


def _require_unauthenticated(sent: Iterable[Exchange]) -> None:
    sent = list(sent)
    require_status((x for x in sent if x.role not in MALFORMED_CREDENTIALS), 401)
    require_status((x for x in sent if x.role in MALFORMED_CREDENTIALS), 401, 400)


def _purges_with(view: JudgmentView, kind: str) -> list[Exchange]:
    """Return the purges with credentials of that kind."""
    every = [
        *require_exchanges(view, Scenario.REJECTED_PURGES, Step.CREDENTIAL, if_none="no purge was tried"),
        *target_responses(view.of(Scenario.REPEAT, Step.CREDENTIAL)),
    ]
    found = [x for x in every if x.tags[Tag.CREDENTIAL] == kind]
    if not found:
        raise_if_cut_short(view, Scenario.REJECTED_PURGES)
        raise NotExercised(MISSING_TOKEN_REASONS.get(kind, "no purge of that kind was tried"), Cause.CONFIGURATION)
    return found


def _unauthenticated_reads(view: JudgmentView, step: Step) -> list[Exchange]:
    """Return the reads with credentials that authenticate nobody."""
    every = require_exchanges(view, Scenario.READS, step, if_none="there was no event to read")
    return [x for x in every if x.role != "admin" and x.tags[Tag.CREDENTIAL] != "valid"]


def _generated_without_token(view: JudgmentView, step: Step) -> list[Exchange]:
    """Return the generated requests without a token that are valid otherwise."""
    return [
        x for x in view.of(Scenario.GENERATED, step) if x.tags[Tag.AUTH] == "none" and x.tags[Tag.MODE] == "positive"
    ]
