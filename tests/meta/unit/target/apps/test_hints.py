"""A response that says why the suite has no apps gives a next step."""

from __future__ import annotations

import pytest

from meta.support.story import EvidenceBuilder
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.apps.hints import CREATE_BY_HOOK, GIVE_RIGHT, RAISE_QUOTA, creation_hint


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (422, "memory quota_exceeded", RAISE_QUOTA),
        (422, "name must be unique", ""),
        (403, "not authorized", GIVE_RIGHT),
        (401, "invalid token", GIVE_RIGHT),
        (404, "unknown request", CREATE_BY_HOOK),
        (501, "", CREATE_BY_HOOK),
        (500, "quota", ""),
    ],
)
def test_hint_follows_from_the_response(status: int, body: str, hint: str) -> None:
    """A right, a route or a quota that is missing is named; other responses leave the reason to speak."""
    answer = EvidenceBuilder().add_exchange(
        Scenario.FOUNDATION, Step.CREATE, method="POST", path="/v3/apps", status=status, body=body.encode()
    )
    assert creation_hint(answer) == hint
