"""Violations of the OpenAPI document by exchanges."""

from __future__ import annotations

import json

import pytest

from purge_conformance.analysis.openapi import Violation, find_operation_id, find_violations
from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.evidence.records import Exchange
from purge_conformance.evidence.steps import Place, Scenario, Step

EVENTS = "/v3/app_usage_events"
PURGE = f"{EVENTS}/actions/destructively_purge_all_and_reseed"
JSON = (("content-type", "application/json; charset=utf-8"),)
ERROR = b'{"errors":[{"code":10010,"detail":"App usage event not found","title":"CF-ResourceNotFound"}]}'
EVENT = {"guid": "g", "created_at": "2020-05-28T16:41:23Z", "app": {"guid": "g"}}
DOCUMENTED = "200 or 400 or 401 or 403 or 404 or 409 or 422 or 500 or 503"


def exchange(
    status: int | None,
    body: bytes,
    *,
    method: str = "GET",
    path: str = f"{EVENTS}/g",
    headers: tuple[tuple[str, str], ...] = JSON,
) -> Exchange:
    """Return an exchange, of a get by default."""
    return Exchange(
        1, Scenario.READS, Place(Step.GET), "admin", method, path, (), None, 0.0, 0.0, status, headers, body
    )


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", PURGE, PURGE_OPERATION),
        ("post", f"{PURGE}?a=b", PURGE_OPERATION),
        ("GET", EVENTS, LIST_OPERATION),
        ("GET", f"{EVENTS}?page=1", LIST_OPERATION),
        ("GET", f"{EVENTS}/some%2Fguid", GET_OPERATION),
        ("GET", PURGE, None),
        ("PUT", EVENTS, None),
        ("GET", f"{EVENTS}/", None),
        ("GET", f"{EVENTS}/a/b", None),
        ("GET", "/v3/app_usage_eventsx", None),
        ("GET", "/", None),
    ],
)
def test_operation_is_found_by_path(method: str, path: str, operation: str | None) -> None:
    """A request belongs to the operation with its method and path template, or to none."""
    assert find_operation_id(method, path) == operation


@pytest.mark.parametrize(
    "answer",
    [
        exchange(200, json.dumps(EVENT | {"more": 1}).encode()),
        exchange(404, ERROR),
        exchange(404, b"{}"),
        exchange(200, b"{}", method="POST", path=PURGE),
        exchange(200, b"null", method="POST", path=PURGE),
        exchange(200, b"", method="POST", path=PURGE),
        exchange(200, b"", method="POST", path=PURGE, headers=()),
        exchange(503, ERROR, method="POST", path=PURGE),
        exchange(None, b""),
        exchange(405, b"", method="PUT", headers=()),
    ],
)
def test_documented_responses_have_no_violation(answer: Exchange) -> None:
    """A documented response, a missing one, and one of no operation have no violation."""
    assert find_violations(answer) == ()


@pytest.mark.parametrize(
    ("answer", "actual"),
    [
        (exchange(418, ERROR), [Violation("status", DOCUMENTED, "418")]),
        (exchange(204, b"", method="POST", path=PURGE, headers=()), [Violation("status", DOCUMENTED, "204")]),
        (
            exchange(404, b"gone", headers=(("Content-Type", "text/plain"),)),
            [Violation("content type", "application/json", "text/plain")],
        ),
        (exchange(404, ERROR, headers=()), [Violation("content type", "application/json", "no Content-Type")]),
        (
            exchange(200, b"<p>", method="POST", path=PURGE, headers=(("Content-Type", "text/html"),)),
            [Violation("content type", "application/json", "text/html")],
        ),
        (
            exchange(404, b'{"errors":[{"code":"1","detail":"","title":""}]}'),
            [Violation("body", '/errors/0/code: type "integer"', '"1" is not of type "integer"')],
        ),
        (
            exchange(200, json.dumps(EVENT | {"created_at": "yesterday"}).encode()),
            [Violation("body", '/created_at: format "date-time"', '"yesterday" is not a "date-time"')],
        ),
    ],
)
def test_violation_names_difference(answer: Exchange, actual: list[Violation]) -> None:
    """An undocumented status, content type or schema is a violation, and the text says where it is."""
    assert list(find_violations(answer)) == actual


@pytest.mark.parametrize("body", [b"", b"[1", b"\xff\xfe", b'{"errors": 5}', b'{"error": []}'])
def test_invalid_body_is_a_violation(body: bytes) -> None:
    """A body that is missing, is not JSON, or has no error format violates the document."""
    assert {violation.check for violation in find_violations(exchange(404, body))} == {"body"}


def test_purge_with_data_is_a_violation() -> None:
    """A purge that returns a data structure violates the document."""
    answer = exchange(200, b'{"resources": []}', method="POST", path=PURGE)
    assert [violation.check for violation in find_violations(answer)] == ["body"]


def test_violation_text_is_bounded() -> None:
    """The text of a violation is bounded, whatever the size of the response."""
    answer = exchange(404, json.dumps({"errors": "x" * 100_000}).encode())
    assert all(len(violation.got) < 400 for violation in find_violations(answer))
