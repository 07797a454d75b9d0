"""The oracle of a list's query parameters."""

from __future__ import annotations

import gzip
import json

import pytest

from meta.support.paths import RECORDED
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.query_rules import Validity, classify_query, parse_query
from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION

TIME = "2020-05-28T16:41:23Z"
GUID = "1cb006ee-fb05-47e1-b541-c34179ddc446"
VALID = (
    "",
    "page=1",
    "page=23800",
    "page=2&per_page=1",
    "per_page=5000",
    "order_by=created_at",
    "order_by=-created_at",
    "after_guid=known",
    f"guids={GUID}",
    f"guids={GUID},{GUID.upper()}",
    f"created_ats={TIME}",
    f"created_ats={TIME},{TIME}",
    "created_ats=2024-02-29T00:00:00Z",
    f"created_ats[lt]={TIME}",
    f"created_ats%5Bgte%5D={TIME}&created_ats%5Blte%5D={TIME}",
)
INVALID = (
    "page=0",
    "page=-1",
    "page=abc",
    "page=0.5",
    "page=true",
    "per_page=0",
    "per_page=-1",
    "per_page=abc",
    "per_page=-1.8e308",
    "order_by=foo",
    "order_by=updated_at",
    "order_by=0",
    "created_ats=yesterday",
    "created_ats=0",
    f"created_ats={TIME},yesterday",
    "created_ats[lt]=null",
    "page=0&foo=bar",
    "per_page=abc&after_guid=unknown",
)
OPEN = (
    "page=",
    "page",
    "page=1abc",
    "page=1.5",
    "page=%201",
    "page=%2B1",
    "page=01",
    "page=1e3",
    "page=0x10",
    "page=1_000",
    "page=%D9%A3",
    "page=1&page=2",
    "page=null&page=null",
    "page[]=1",
    "page=9223372036854775808",
    "page=184467440737095517&per_page=50",
    f"page={'9' * 5000}",
    "per_page=5001",
    "per_page=99999999999999999999",
    f"per_page={'9' * 5000}",
    "per_page=4.6e-123",
    "per_page=1e400",
    "per_page=",
    "order_by=",
    "order_by=%2Bcreated_at",
    "order_by=+created_at",
    "order_by=CREATED_AT",
    "after_guid=unknown",
    "after_guid=",
    f"created_ats[xx]={TIME}",
    "guids=a",
    f"guids={GUID},b_1,C-2",
    "guids=",
    "guids=,",
    "guids=a,%20b",
    "guids=%C3%BC",
    f"guids={'a' * 201}",
    "guids[]=a",
    "created_ats=",
    f"created_ats={TIME},",
    "created_ats=2020-05-28T16:41:23.5Z",
    "created_ats=2020-02-30T00:00:00Z",
    "created_ats=2020-13-01T00:00:00Z",
    "created_ats=0000-00-00T00:00:00Z",
    "created_ats=2020-01-01",
    "created_ats=2020-01-01T01:00:00%2B01:00",
    f"created_ats[lt]={TIME},{TIME}",
    "created_ats[lt]=",
    f"created_ats[not]={TIME}",
    f"created_ats[]={TIME}",
    f"created_ats={TIME}&created_ats[lt]={TIME}",
    "foo=bar",
    "=",
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        *((query, Validity.VALID) for query in VALID),
        *((query, Validity.INVALID) for query in INVALID),
        *((query, Validity.UNSPECIFIED) for query in OPEN),
    ],
    ids=lambda value: value[:60],
)
def test_validity_follows_documentation(query: str, expected: Validity) -> None:
    """A query is valid or invalid only if every reading of the documentation agrees."""
    assert (
        classify_query(LIST_OPERATION, parse_query(f"/v3/app_usage_events?{query}"), existing_guids={"known"})
        is expected
    )


@pytest.mark.parametrize("operation", [PURGE_OPERATION, GET_OPERATION])
def test_other_operations_are_unspecified(operation: str) -> None:
    """Purge and GET have no documented parameter, so none is valid or invalid."""
    assert classify_query(operation, {"page": "0"}) is Validity.UNSPECIFIED


def test_plain_values_are_accepted() -> None:
    """A parameter with one value may be a plain text."""
    assert classify_query(LIST_OPERATION, {"per_page": "0"}) is classify_query(LIST_OPERATION, {"per_page": ["0"]})


def test_validity_agrees_with_recorded_answers() -> None:
    """The real Cloud Controller rejected every list with an invalid query, and none with a valid one."""
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        answers = [json.loads(line) for line in lines]
    judged = {Validity.VALID: 0, Validity.INVALID: 0, Validity.UNSPECIFIED: 0}
    for answer in answers:
        if find_operation_id(answer["method"], answer["path"]) == LIST_OPERATION and answer["status"] in {200, 422}:
            said = classify_query(LIST_OPERATION, parse_query(answer["path"]))
            judged[said] += 1
            assert said is not (Validity.INVALID if answer["status"] == 200 else Validity.VALID), answer["path"]
    assert min(judged.values()) > 50
