"""Which responses are a router's, a gateway's or a firewall's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.intermediaries import (
    is_closed_on_unusual,
    is_firewall_page,
    is_firewall_refusal,
    is_gateway_error,
    is_of_target,
)
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind, GeneratedAuth

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.records import Exchange

HTML: dict[str, Any] = {"body": b"<html>blocked</html>", "response_headers": (("Content-Type", "text/html"),)}
JSON: dict[str, Any] = {"body": b'{"errors": []}', "response_headers": (("Content-Type", "application/json"),)}
GATEWAY_JSON: dict[str, Any] = {
    "body": b'{"message": "blocked"}',
    "response_headers": (("Content-Type", "application/json"),),
}


def exchange(builder: EvidenceBuilder, path: str, step: Step = Step.GENERATED_GET, **members: Any) -> Exchange:  # noqa: ANN401
    """Return an exchange with these members."""
    return builder.add_exchange(Scenario.GENERATED, step, path=path, **members)


@pytest.mark.parametrize("status", [200, 400, 404, 502, 503])
def test_router_answers_itself(status: int, builder: EvidenceBuilder) -> None:
    """A response with `X-Cf-Routererror` is never the target's."""
    headers = (("X-Cf-Routererror", "unknown_route"),)
    assert not is_of_target(exchange(builder, EVENTS_PATH, status=status, response_headers=headers))


@pytest.mark.parametrize(
    ("path", "step", "headers"),
    [
        (f"{EVENTS_PATH}/%00", Step.GENERATED_GET, ()),
        (f"{EVENTS_PATH}/a;b", Step.GENERATED_GET, ()),
        (f"{EVENTS_PATH}//a", Step.GENERATED_GET, ()),
        (f"{EVENTS_PATH}?guids=%00", Step.GENERATED_LIST, ()),
        (f"{EVENTS_PATH}?guids=<script>", Step.GENERATED_LIST, ()),
        (f"{EVENTS_PATH}/{'a' * 3000}", Step.GENERATED_GET, ()),
        (PURGE_PATH, Step.SPELLING, ()),
        (PURGE_PATH, Step.PURGE, (("X-Original-URL", "/"),)),
        (PURGE_PATH, Step.PURGE, (("Accept", "image/png"),)),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 406, 419, 501])
def test_unusual_request_may_be_refused_by_firewall(
    status: int, path: str, step: Step, headers: tuple[tuple[str, str], ...], builder: EvidenceBuilder
) -> None:
    """A firewall may refuse what is unusual by path or by header; an error of the API is the target's own."""
    members: dict[str, Any] = {"status": status, "request_headers": headers}
    assert is_firewall_refusal(exchange(builder, path, step, **members, **HTML))
    assert is_firewall_refusal(exchange(builder, path, step, **members, **GATEWAY_JSON))
    assert not is_firewall_refusal(exchange(builder, path, step, **members, **JSON))


@pytest.mark.parametrize(
    ("path", "status"), [(f"{EVENTS_PATH}/abc", 403), (f"{EVENTS_PATH}?page=0", 400), (f"{EVENTS_PATH}/%00", 500)]
)
def test_other_responses_are_the_targets(path: str, status: int, builder: EvidenceBuilder) -> None:
    """A page that refuses an ordinary request is the target's, and so is an internal error."""
    assert not is_firewall_refusal(exchange(builder, path, status=status, **HTML))


def test_page_in_place_of_success_is_a_firewalls(builder: EvidenceBuilder) -> None:
    """Some firewalls answer 200 with a page; that a purge succeeded is not shown by it."""
    assert is_firewall_refusal(exchange(builder, PURGE_PATH, Step.SPELLING, status=200, **HTML))
    assert not is_firewall_refusal(exchange(builder, PURGE_PATH, Step.SPELLING, status=200, **JSON))


def test_closed_connection_refuses(builder: EvidenceBuilder) -> None:
    """A connection that is closed on an unusual request refuses it; a timeout proves nothing."""
    closed: dict[str, Any] = {"status": None, "error": "RemoteDisconnected: closed"}
    assert is_closed_on_unusual(exchange(builder, f"{PURGE_PATH}%00", Step.SPELLING, **closed))
    assert not is_closed_on_unusual(exchange(builder, PURGE_PATH, Step.PURGE, **closed))
    timeout: dict[str, Any] = {"status": None, "error": "TimeoutError: timed out"}
    assert not is_closed_on_unusual(exchange(builder, PURGE_PATH, Step.SPELLING, **timeout))


@pytest.mark.parametrize(("answer", "expected"), [(HTML, True), (GATEWAY_JSON, True), (JSON, False)])
def test_gateway_error_has_no_error_object(answer: dict[str, Any], expected: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- expected
    """A 502 to a purge is a gateway's, in HTML or JSON, unless it is an error of the API."""
    assert is_gateway_error(exchange(builder, PURGE_PATH, Step.PURGE, method="POST", status=502, **answer)) is expected


@pytest.mark.parametrize(
    "request_members",
    [
        {"path": f"{EVENTS_PATH}/%00"},
        {"request_headers": (("Range", "bytes=0-99"),)},
        {"request_headers": (("Authorization", ""),)},
        {"request_headers": (("Authorization", "bearer $ADMIN_TOKEN"), ("Authorization", "bearer garbage"))},
        {"request_headers": (("Authorization", "bearer eyJhbGciOiJub25lIn0.e30."),)},
        {"tags": {Tag.CREDENTIAL: CredentialKind.MALFORMED}},
        {"tags": {Tag.AUTH: GeneratedAuth.GENERATED}},
        {"method": "PUT"},
        {"method": "POST", "request_body": "{}"},
        {"method": "POST", "path": f"{PURGE_PATH}?unknown=1"},
    ],
)
@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 416, 501, 503])
def test_page_refuses_suspicious_request(
    status: int, request_members: dict[str, Any], builder: EvidenceBuilder
) -> None:
    """A page that refuses what firewalls look at is never the target's; an error object is."""
    members = {"path": PURGE_PATH, **request_members, "status": status}
    page, error = (exchange(builder, step=Step.CREDENTIAL, **members, **body) for body in (HTML, JSON))
    assert (is_firewall_page(page), is_of_target(page)) == (True, False)
    assert (is_firewall_page(error), is_of_target(error)) == (False, True)


@pytest.mark.parametrize("status", [401, 413, 415, 500])
def test_statuses_of_no_firewall(status: int, builder: EvidenceBuilder) -> None:
    """A missing token, a size, a type and an internal error are the target's own words, also on a page."""
    members: dict[str, Any] = {"method": "POST", "request_body": "{}", "status": status}
    assert is_of_target(exchange(builder, PURGE_PATH, Step.JSON_OBJECT, **members, **HTML))


@pytest.mark.parametrize("body", [b"", b'{"errors": []}'])
def test_page_has_markup(body: bytes, builder: EvidenceBuilder) -> None:
    """A body that is empty, or JSON under the wrong type, is no page."""
    headers = HTML["response_headers"]
    members: dict[str, Any] = {"method": "POST", "request_body": "{}", "status": 403}
    assert is_of_target(exchange(builder, PURGE_PATH, Step.JSON_OBJECT, **members, body=body, response_headers=headers))


@pytest.mark.parametrize("tags", [{}, {Tag.CREDENTIAL: CredentialKind.INVALID}, {Tag.CREDENTIAL: CredentialKind.VALID}])
def test_page_for_ordinary_request_is_the_targets(tags: dict[Tag, str], builder: EvidenceBuilder) -> None:
    """A page that refuses a well-formed token is the target's."""
    bearer = (("Authorization", "bearer $ADMIN_TOKEN"),)
    members: dict[str, Any] = {"method": "POST", "status": 403, "request_headers": bearer, "tags": tags}
    assert is_of_target(exchange(builder, PURGE_PATH, Step.CREDENTIAL, **members, **HTML))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_page_with_503_is_a_load_balancers(method: str, builder: EvidenceBuilder) -> None:
    """A page with 503 is that of a load balancer without a server, unless a hook induced the 503."""
    members: dict[str, Any] = {"method": method, "status": 503}
    assert not is_of_target(exchange(builder, PURGE_PATH, Step.PURGE, **members, **HTML))
    assert is_of_target(exchange(builder, PURGE_PATH, Step.PURGE, **members, **JSON))
    assert is_of_target(exchange(builder, PURGE_PATH, Step.PURGE, **members, **HTML, tags={Tag.INDUCED: "503"}))
