"""Lists of the reference server: pages, filters, order, and invalid parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from meta.support.reference_api import BASE_URL, EVENTS, PURGE

if TYPE_CHECKING:
    from meta.support.reference_api import Api

BAD_TIMESTAMP = "Created ats has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'"
UNKNOWN = "Unknown query parameter(s):"
VALID = "Valid parameters are: 'page', 'per_page', 'order_by', 'created_ats', 'updated_ats', 'guids', 'after_guid'"


@pytest.fixture
def five_events(api: Api) -> list[str]:
    """Start five apps, a few seconds apart; return the guids of the events."""
    space = api.space()
    for number in range(5):
        api.app_in(space, str(number))
    return [event["guid"] for event in api.events()]


def guids(api: Api, **parameters: object) -> list[str]:
    """List with parameters; return the guids."""
    return [event["guid"] for event in api.events(urlencode(parameters))]


def test_pages_are_linked(api: Api, five_events: list[str]) -> None:
    """Each page names its neighbours, the first and the last, and the pages together show each event once."""
    seen, url = [], f"{EVENTS}?per_page=2&order_by=created_at"
    while url:
        body = api.get(url).json
        seen += [event["guid"] for event in body["resources"]]
        url = (body["pagination"]["next"] or {"href": ""})["href"].removeprefix(BASE_URL)
    assert seen == five_events
    assert body["pagination"] == {
        "total_results": 5,
        "total_pages": 3,
        "first": {"href": f"{BASE_URL}{EVENTS}?order_by=%2Bcreated_at&page=1&per_page=2"},
        "last": {"href": f"{BASE_URL}{EVENTS}?order_by=%2Bcreated_at&page=3&per_page=2"},
        "next": None,
        "previous": {"href": f"{BASE_URL}{EVENTS}?order_by=%2Bcreated_at&page=2&per_page=2"},
    }


def test_page_beyond_last_is_empty(api: Api, five_events: list[str]) -> None:
    """A page beyond the last is empty, has the true totals, and has a previous page."""
    body = api.get(f"{EVENTS}?page=9").json
    assert (body["resources"], body["pagination"]["total_results"]) == ([], len(five_events))
    assert body["pagination"]["previous"]["href"].endswith("?page=8&per_page=50")


def test_empty_list_has_one_page(api: Api) -> None:
    """An empty list has one page, which is the first and the last."""
    pagination = api.get(EVENTS).json["pagination"]
    assert (pagination["total_results"], pagination["total_pages"]) == (0, 1)
    assert pagination["first"] == pagination["last"]


def test_order_follows_created_at(api: Api, five_events: list[str]) -> None:
    """The order is by internal id, or by created_at in either direction."""
    assert guids(api, order_by="created_at") == guids(api, order_by="+created_at") == guids(api) == five_events
    assert guids(api, order_by="-created_at") == five_events[::-1]


def test_equal_times_order_by_guid(api: Api, five_events: list[str]) -> None:
    """Events of one second, as a purge seeds them, are ordered by guid."""
    api.post(PURGE)
    assert guids(api, order_by="-created_at") == sorted(guids(api), reverse=True) != five_events


def test_guids_filter_events(api: Api, five_events: list[str]) -> None:
    """`guids` selects the named events, in the order of the list; an empty value selects none."""
    assert guids(api, guids=f"{five_events[3]}, {five_events[0]},nobody") == [five_events[0], five_events[3]]
    assert guids(api, guids="") == []


def test_after_guid_continues(api: Api, five_events: list[str]) -> None:
    """`after_guid` selects later events."""
    assert guids(api, after_guid=five_events[2]) == five_events[3:]


@pytest.mark.parametrize(
    ("relation", "chosen"), [("", [2]), ("[lt]", [0, 1]), ("[lte]", [0, 1, 2]), ("[gt]", [3, 4]), ("[gte]", [2, 3, 4])]
)
def test_created_ats_filters_events(api: Api, five_events: list[str], relation: str, chosen: list[int]) -> None:
    """`created_ats` compares whole seconds."""
    moment = api.events()[2]["created_at"]
    assert guids(api, **{f"created_ats{relation}": moment}) == [five_events[index] for index in chosen]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("page=0", "Page must be a positive integer"),
        ("page[]=1", "Page must be a positive integer"),
        ("per_page=abc", "Per page must be a positive integer"),
        ("per_page=5001", "Per page must be between 1 and 5000"),
        (f"page={'9' * 5000}", "Maximum result (page * per_page) must be less than 9223372036854775807"),
        ("order_by=guid", "Order by can only be: 'created_at'"),
        ("order_by=+created_at", "Order by can only be: 'created_at'"),
        ("created_ats=2020-13-01T00:00:00Z", BAD_TIMESTAMP),
        ("created_ats[lt]=2020-01-01T25:00:00Z", BAD_TIMESTAMP),
        ("created_ats=2020-01-01T00:00:00Z&created_ats[lt]=2020-01-01T00:00:00Z", BAD_TIMESTAMP),
        ("created_ats[eq]=2020-01-01T00:00:00Z", "Created ats Invalid relational operator: 'eq'"),
        (
            "created_ats[lt]=2020-01-01T00:00:00Z,2020-01-01T00:00:00Z",
            "Created ats only accepts one value when using a relational operator",
        ),
        ("updated_ats=2020-01-01T00:00:00Z", "Filtering by 'updated_ats' is not allowed on this resource."),
        ("guids[not]=one", "Guids must be an array"),
        ("foo=1&bar[]=2", f"{UNKNOWN} 'foo', 'bar'. {VALID}"),
        ("after_guid=one,two", "After guid filter accepts only one guid"),
        ("after_guid=nobody", "After guid filter must be a valid app usage event guid."),
        (
            "foo=1&per_page=0&page=0",
            f"Page must be a positive integer, Per page must be a positive integer, {UNKNOWN} 'foo'. {VALID}",
        ),
    ],
)
def test_invalid_parameters_are_named(api: Api, query: str, detail: str) -> None:
    """All errors of the parameters are in the detail of one error 422."""
    answer = api.get(f"{EVENTS}?{query}")
    assert (answer.status, answer.json["errors"][0]["detail"]) == (422, detail)


@pytest.mark.parametrize("query", ["guids=%ff", "guids=%00", "%ff=1"])
def test_unreadable_query_is_rejected(api: Api, query: str) -> None:
    """A query string that is not text is rejected with 400."""
    assert api.get(f"{EVENTS}?{query}").json["errors"][0]["title"] == "CF-InvalidRequest"


@pytest.mark.parametrize("number", ["2abc", "2.5", "02", "%2B2"])
def test_numbers_are_read_like_ruby(api: Api, five_events: list[str], number: str) -> None:
    """Only the leading digits of a number count."""
    assert [event["guid"] for event in api.events(f"per_page={number}")] == five_events[:2]


def test_plain_user_sees_nothing(api: Api, five_events: list[str]) -> None:
    """A user without a global role gets an empty list, even after an unknown guid."""
    assert len(five_events) == 5
    assert api.get(f"{EVENTS}?after_guid=nobody", role="org_auditor").json["pagination"]["total_results"] == 0
