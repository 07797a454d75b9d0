"""UP-ERROR-08 and UP-STATUS-01: the UAA's rate limit, and the statuses of a get."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.outcomes import NotExercised, RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

module = importlib.import_module("purge_conformance.conformance.test_upstream_errors")
CODE, TITLE = 20008, "CF-UaaRateLimited"
RETRY: tuple[tuple[str, str], ...] = (("Retry-After", "7"),)
UUID = "11111111-1111-4111-8111-111111111111"


def answer(builder: EvidenceBuilder, status: int, code: int, title: str, headers: tuple[tuple[str, str], ...]) -> None:
    """Add a list that is answered with an error."""
    data = {"errors": [{"code": code, "title": title, "detail": "later"}]}
    builder.add_exchange(Scenario.LISTS, Step.OPENING, status=status, data=data, response_headers=headers)


@pytest.mark.parametrize(("status", "code", "title"), [(429, 10013, "CF-RateLimitExceeded"), (200, CODE, TITLE)])
def test_other_limits_are_not_judged(status: int, code: int, title: str, builder: EvidenceBuilder) -> None:
    """Neither the rate limit of the target itself, nor anything in a success, is one of the UAA."""
    answer(builder, status, code, title, ())
    with pytest.raises(NotExercised):
        module.test_uaa_rate_limit_code(builder.judgment_view)


def test_limit_as_documented_passes(builder: EvidenceBuilder) -> None:
    """The documented status, code and title with Retry-After pass, and count for both cases."""
    answer(builder, 429, CODE, TITLE, RETRY)
    view = builder.judgment_view
    module.test_uaa_rate_limit_code(view)
    assert {case: len(trials) for case, trials in view.cases.items()} == {"code": 1, "retry-after": 1}


@pytest.mark.parametrize(
    ("status", "code", "title", "headers"),
    [(503, CODE, TITLE, RETRY), (429, 10013, TITLE, RETRY), (429, CODE, "CF-Other", RETRY), (429, CODE, TITLE, ())],
)
def test_other_limit_is_found(
    status: int, code: int, title: str, headers: tuple[tuple[str, str], ...], builder: EvidenceBuilder
) -> None:
    """Another status, code or title, or no Retry-After, fails."""
    answer(builder, status, code, title, headers)
    with pytest.raises(RequirementViolated):
        module.test_uaa_rate_limit_code(builder.judgment_view)


def get(builder: EvidenceBuilder, guid: str, status: int) -> Any:  # noqa: ANN401 -- what pytest.raises has
    """Add a get, and judge its status."""
    builder.add_exchange(Scenario.GENERATED, Step.GENERATED_GET, path=f"{EVENTS_PATH}/{guid}", status=status, data={})
    view = builder.judgment_view
    module.test_get_has_few_statuses(view)
    return view


@pytest.mark.parametrize("status", [200, 401, 403, 404, 418, 500, 503])
def test_other_statuses_of_get_pass(status: int, builder: EvidenceBuilder) -> None:
    """The documented statuses pass, and those that are documented for any request or judged elsewhere."""
    assert len(get(builder, "no-uuid", status).cases["get"]) == 1


@pytest.mark.parametrize("guid", [UUID, "no-uuid"])
@pytest.mark.parametrize("status", [400, 409, 422])
def test_other_status_of_get_is_found(status: int, guid: str, builder: EvidenceBuilder) -> None:
    """A status that the page has and Cloud Foundry's documentation has not fails."""
    with pytest.raises(RequirementViolated):
        get(builder, guid, status)


@pytest.mark.parametrize("guid", ["%FF", "a%20b", "x" * 300, f"{UUID}?unknown=1"])
def test_unusual_get_is_not_judged(guid: str, builder: EvidenceBuilder) -> None:
    """A guid with encoded characters, a very long one and a query may be rejected."""
    with pytest.raises(NotExercised):
        get(builder, guid, 400)
