"""What kept requests from the target, and what the user does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.next_steps import AFTER_LONG_WAIT, AFTER_RATE_LIMIT, PAST_FIREWALL, PAST_ROUTER
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.records import Exchange

PAGE: dict[str, Any] = {"body": b"<html>", "response_headers": (("Content-Type", "text/html"),)}
FIREWALL: dict[str, Any] = {"where": Step.SPELLING, "status": 406, **PAGE}
CLOSED: dict[str, Any] = {"where": Step.SPELLING, "status": None, "error": "RemoteDisconnected: closed"}
ROUTER: dict[str, Any] = {"status": 404, "response_headers": (("X-Cf-Routererror", "no_endpoints"),)}
GATEWAY: dict[str, Any] = {"status": 502, **PAGE}
LIMITED: dict[str, Any] = {"status": 429}
LONG_WAIT: dict[str, Any] = {"status": 429, "tags": {Tag.LONG_WAIT: "Retry-After: 3000"}}
REFUSED: dict[str, Any] = {"status": None, "error": "ConnectionRefusedError: refused"}


def sent(builder: EvidenceBuilder, *members: dict[str, Any]) -> list[Exchange]:
    """Return purges with these members."""
    return [
        builder.add_exchange(Scenario.PURGE, path=PURGE_PATH, method="POST", **{"where": Step.PURGE, **each})
        for each in members
    ]


@pytest.mark.parametrize(
    ("answer", "words", "next_step"),
    [
        (FIREWALL, "a firewall answered 406: 1", PAST_FIREWALL),
        (CLOSED, "the connection was closed on an unusual request, as some firewalls do: 1", PAST_FIREWALL),
        (ROUTER, "the router answered 404 (X-Cf-Routererror: no_endpoints): 1", PAST_ROUTER),
        (GATEWAY, "a gateway answered 502: 1", PAST_ROUTER),
        (LIMITED, "rate limited (429): 1", AFTER_RATE_LIMIT),
        (LONG_WAIT, "asked to wait longer than --patience allows (429, Retry-After: 3000): 1", AFTER_LONG_WAIT),
        (REFUSED, "no response (ConnectionRefusedError: refused): 1", ""),
    ],
)
def test_reason_and_next_step(answer: dict[str, Any], words: str, next_step: str, builder: EvidenceBuilder) -> None:
    """Each obstacle has its words and its next step."""
    found = find_unanswered(sent(builder, {"status": 200}, answer))
    assert found
    assert (found.reason, found.cause) == (f"Of 2 requests the target itself answered 1; {words}.", Cause.NETWORK)
    assert found.next_step == next_step


def test_next_step_after_several_obstacles(builder: EvidenceBuilder) -> None:
    """A limit of the target counts before all else, then the most frequent obstacle."""
    for answers, expected in (
        ((FIREWALL, ROUTER, FIREWALL), PAST_FIREWALL),
        ((FIREWALL, FIREWALL, LIMITED), AFTER_RATE_LIMIT),
        ((LIMITED, LIMITED, LONG_WAIT), AFTER_LONG_WAIT),
    ):
        found = find_unanswered(sent(builder, *answers))
        assert found
        assert found.next_step == expected
