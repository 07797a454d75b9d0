"""Judgments of tokens close to a good one, of other schemes, and of claims beside the token."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.judgments import JUDGMENTS, outcome_of
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.steps import Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

JSON = (("Content-Type", "application/json"),)


def add_page(builder: EvidenceBuilder, scenario: Scenario, *guids: str) -> None:
    """Add a page of the newest events."""
    builder.add_page(scenario, Step.NEWEST_PAGE, [builder.event(guid, "a") for guid in guids])


def add_attempt(
    builder: EvidenceBuilder,
    step: Step,
    role: str,
    status: int,
    *,
    left: tuple[str, ...] = ("old",),
    **more: Any,  # noqa: ANN401 -- the other parts of an exchange
) -> None:
    """Add a plain purge that is rejected, and an attempt between two pages."""
    add_page(builder, Scenario.REJECTED_PURGES, "old")
    builder.add_purge(Scenario.REJECTED_PURGES, Step.CREDENTIAL, status=401, role="none", tags={Tag.CREDENTIAL: "none"})
    add_page(builder, Scenario.REJECTED_PURGES, "old")
    add_page(builder, Scenario.AUTH_BYPASS, "old")
    error = {"errors": [{"code": 1000, "title": "CF-InvalidAuthToken", "detail": "Invalid Auth Token"}]}
    parts: dict[str, Any] = {"method": "POST", "path": PURGE_PATH, "data": error, **more}
    builder.add_exchange(Scenario.AUTH_BYPASS, step, status=status, role=role, **parts)
    add_page(builder, Scenario.AUTH_BYPASS, *left)


@pytest.mark.parametrize(
    ("requirement", "sent"),
    [("AUTH-13", (Step.CLOSE_TOKEN, "cut-end")), ("AUTH-14", (Step.OTHER_SCHEME, "scheme-token"))],
)
@pytest.mark.parametrize(
    ("status", "outcome"), [(401, "passed"), (400, "passed"), (403, "failed"), (500, "failed"), (200, "failed")]
)
def test_close_credential_is_rejected(
    requirement: str, sent: tuple[Step, str], status: int, outcome: str, builder: EvidenceBuilder
) -> None:
    """A credential close to a good one gets 401 or 400: 403 shows that the token was taken for a valid one."""
    add_attempt(builder, *sent, status)
    assert outcome_of(builder, requirement) == outcome


def test_rejected_credential_may_not_purge(builder: EvidenceBuilder) -> None:
    """A purge that is rejected and destroys events all the same is a finding."""
    add_attempt(builder, Step.CLOSE_TOKEN, "altered-middle", 401, left=())
    assert outcome_of(builder, "AUTH-13") == "failed"


@pytest.mark.parametrize(
    ("parts", "case"),
    [
        ({"request_headers": JSON}, "json"),
        ({"request_headers": JSON, "role": "none"}, "json-without-token"),
        ({"request_headers": (("Content-Type", "application/x-www-form-urlencoded"),)}, "form"),
        ({"request_headers": (("Content-Type", "text/plain"),)}, "content-type"),
        ({"path": f"{PURGE_PATH}?scope=cloud_controller.admin"}, "query"),
        ({"method": "PUT"}, "method"),
        ({"method": "PATCH"}, "other-method"),
        ({"method": "DELETE", "role": "none"}, "method-without-token"),
        ({"request_headers": JSON, "path": f"{PURGE_PATH}?user=admin"}, "every-role"),
        (
            {"request_headers": JSON, "path": f"{PURGE_PATH}?user=admin", "tags": {Tag.CREDENTIAL: "expired"}},
            "rejected-token",
        ),
        ({"request_headers": (("X-Admin", "true"),)}, "role-headers"),
        ({"request_headers": (("X-HTTP-Method-Override", "GET"),)}, "method-override"),
    ],
)
def test_claims_beside_the_token_are_counted_by_their_place(
    parts: dict[str, Any], case: str, builder: EvidenceBuilder
) -> None:
    """Each request counts for the case of where it claims an admin's rights."""
    role = str(parts.pop("role", "space_developer"))
    add_attempt(builder, Step.CLAIMS_BESIDE, role, 403, **parts)
    view = builder.judgment_view
    JUDGMENTS["AUTH-15"](view)
    assert [*view.cases] == [case]


@pytest.mark.parametrize(("status", "outcome"), [(403, "passed"), (415, "passed"), (400, "passed"), (200, "failed")])
def test_claims_beside_the_token_authorize_nothing(status: int, outcome: str, builder: EvidenceBuilder) -> None:
    """A purge that a role below admin may not send succeeds with no body."""
    add_attempt(builder, Step.CLAIMS_BESIDE, "space_developer", status, request_headers=JSON)
    assert outcome_of(builder, "AUTH-15") == outcome


@pytest.mark.parametrize("role", ["role-first", "role-last", "none-valid"])
@pytest.mark.parametrize(
    ("status", "left", "outcome"),
    [(400, ("old",), "passed"), (401, ("old",), "passed"), (403, ("old",), "passed"), (401, (), "failed")],
)
def test_two_credentials_authorize_nothing(
    role: str, status: int, left: tuple[str, ...], outcome: str, builder: EvidenceBuilder
) -> None:
    """A target may take either of two headers that authorize nothing, or reject both; a purge without effect passes."""
    for case in {"role-first", "role-last", "none-valid"} - {role}:
        add_attempt(builder, Step.TWO_CREDENTIALS, case, 401)
    add_attempt(builder, Step.TWO_CREDENTIALS, role, status, left=left)
    assert outcome_of(builder, "AUTH-17") == outcome


@pytest.mark.parametrize(
    ("step", "case", "status", "outcome"),
    [
        (Step.CLOSE_TOKEN, "close-token", 401, "passed"),
        (Step.CLOSE_TOKEN, "close-token", 400, "passed"),
        (Step.CLOSE_TOKEN, "close-token", 200, "failed"),
        (Step.OTHER_SCHEME, "other-scheme", 403, "failed"),
        (Step.FORGED_TOKEN, "query-token", 422, "passed"),
        (Step.FORGED_TOKEN, "query-token", 200, "failed"),
    ],
)
@pytest.mark.parametrize(("requirement", "path"), [("AUTH-05", EVENTS_PATH), ("AUTH-06", f"{EVENTS_PATH}/a")])
def test_reads_reject_close_credentials(  # noqa: PLR0913, PLR0917 -- a row of the table
    step: Step, case: str, status: int, outcome: str, requirement: str, path: str, builder: EvidenceBuilder
) -> None:
    """A read with a token close to a good one, or only in the query, is rejected as well."""
    error = {"errors": [{"code": 1000, "title": "CF-InvalidAuthToken", "detail": "Invalid Auth Token"}]}
    for sent, role in ((Step.LIST, "none"), (Step.GET, "none"), (step, "extended")):
        place = EVENTS_PATH if sent is Step.LIST else f"{EVENTS_PATH}/a" if sent is Step.GET else path
        code = status if sent is step else 401
        builder.add_exchange(
            Scenario.READS, sent, path=place, status=code, role=role, data=error, tags={Tag.CREDENTIAL: "none"}
        )
    assert outcome_of(builder, requirement) == outcome
    view = builder.judgment_view
    with suppress(RequirementViolated):
        JUDGMENTS[requirement](view)
    assert case in view.cases


def test_text_that_is_no_token_is_no_role(builder: EvidenceBuilder) -> None:
    """Where no other role has a token, the attempts with text in its place count for no role."""
    add_attempt(builder, Step.SPELLING, "garbage", 401, path=f"{PURGE_PATH}/")
    view = builder.judgment_view
    JUDGMENTS["AUTH-09"](view)
    assert [*view.cases] == ["suffix"]
