"""The schemas of the OpenAPI document accept and reject what they should."""

from __future__ import annotations

import json
from datetime import date

import pytest

from meta.support.openapi_document import CONTRACT, Json, schema_errors


@pytest.mark.parametrize(
    "body",
    [
        {"errors": []},
        {"errors": [{"code": 0, "detail": "string", "title": "string"}]},
        {"errors": [{"code": 0, "detail": "", "title": "", "test_mode_info": {}}], "more": 1},
        {},
    ],
    ids=json.dumps,
)
def test_error_format_accepts(body: object) -> None:
    """The error format may be empty, since the page marks `errors` as optional, and may have further members."""
    assert schema_errors("/components/schemas/Errors", body) == []


@pytest.mark.parametrize(
    "body",
    [
        {"description": "Unknown request", "error_code": "CF-NotFound", "code": 10000},
        {"errors": None},
        {"errors": {"code": 0, "detail": "string", "title": "string"}},
        {"errors": ["string"]},
        {"errors": [{"code": "0", "detail": "string", "title": "string"}]},
        {"errors": [{"code": 0.5, "detail": "string", "title": "string"}]},
        {"errors": [{"code": 0, "detail": None, "title": "string"}]},
        {"errors": [{"code": 0, "detail": "string"}]},
        [],
        None,
    ],
    ids=json.dumps,
)
def test_error_format_rejects(body: object) -> None:
    """`errors` must be an array of objects with code, detail and title."""
    assert schema_errors("/components/schemas/Errors", body) != []


@pytest.mark.parametrize(
    "change",
    [
        {"guid": None},
        {"guid": ""},
        {"created_at": None},
        {"created_at": "2020-05-28"},
        {"created_at": "2020-05-28T16:41:23"},
        {"created_at": "2020-13-28T16:41:23Z"},
        {"app": None},
        {"app": {"name": "dora"}},
        {"state": "STARTED"},
        {"instance_count": {"current": "2"}},
        {"links": {"self": {"href": "/v3/app_usage_events/1"}}},
    ],
    ids=json.dumps,
)
def test_event_schema_rejects(change: dict[str, Json]) -> None:
    """An event with a member of a wrong type, format or shape is rejected."""
    seeded = CONTRACT["components"]["examples"]["SeededEvent"]["value"]
    assert schema_errors("/components/schemas/AppUsageEvent", seeded | change) != []


@pytest.mark.parametrize(
    "body",
    [
        {"guid": "1", "created_at": "2020-05-28T16:41:23Z", "app": {"guid": "1"}},
        {"guid": "1", "created_at": "2020-05-28T18:41:23.123456+02:00", "app": {"guid": None}, "metadata": {}},
    ],
    ids=["least", "further-member"],
)
def test_event_schema_accepts(body: object) -> None:
    """An event may lack optional members, have further ones, and use any RFC 3339 date-time."""
    assert schema_errors("/components/schemas/AppUsageEvent", body) == []


@pytest.mark.parametrize("member", ["total_results", "total_pages", "first", "last", "next", "previous"])
def test_pagination_requires_members(member: str) -> None:
    """A pagination object without one of its six documented members is rejected."""
    (pagination,) = CONTRACT["components"]["schemas"]["Pagination"]["examples"]
    assert schema_errors("/components/schemas/Pagination", {k: v for k, v in pagination.items() if k != member}) != []


@pytest.mark.parametrize(
    ("body", "legal"),
    [({}, True), (None, True), ([], True), ("", True), ({"a": 1}, False), ([{}], False), ("OK", False), (0, False)],
)
def test_purge_body_is_empty(body: object, legal: bool) -> None:  # noqa: FBT001 - a column of the table
    """The JSON body of a purge holds no data."""
    success = "/paths/~1v3~1app_usage_events~1actions~1destructively_purge_all_and_reseed/post/responses/200"
    assert (schema_errors(f"{success}/x-optional-content/application~1json/schema", body) == []) is legal


@pytest.mark.parametrize("year", [1000, 1900, 2000, 2023, 2024, 9999])
def test_filter_timestamp_is_a_date(year: int) -> None:
    """A filter's timestamp names a day that exists in its year."""
    for month in range(14):
        for day in range(33):
            text = f"{year}-{month:02}-{day:02}T23:59:59Z"
            assert (schema_errors("/components/schemas/FilterTimestamp", text) == []) is is_date(year, month, day), text


def is_date(year: int, month: int, day: int) -> bool:
    """Return whether the day exists."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
