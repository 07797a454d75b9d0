"""Pages: what belongs on them, and where their links must lead, whatever the host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.paging import Page, default_per_page, expected_links, pages_of, walks
from purge_conformance.catalogue.api import EVENTS_PATH

if TYPE_CHECKING:
    from conftest import Story

BASE = "https://cdn.example.org:8443/prefix"


def page(story: Story, number: int = 2, **links: Any) -> Page:  # noqa: ANN401 -- any link
    """Return a page of a filtered list."""
    x = story.say("lists", "walk", path=f"{EVENTS_PATH}?guids=a%2Cb&order_by=%2Bcreated_at&per_page=2&page={number}")
    return Page(x, number, 2, 2, (), 5, 3, links)


@pytest.mark.parametrize(
    ("number", "total", "needed", "due"),
    [(1, 5, 3, 2), (3, 5, 3, 1), (4, 5, 3, 0), (1, 0, 1, 0), (1, 1, 1, 1), (2, 4, 2, 2)],
)
def test_page_is_counted(number: int, total: int, needed: int, due: int, story: Story) -> None:
    """A page knows how many pages its total takes, at least one, and how many events are due on it."""
    found = replace(page(story, number), total=total)
    assert (found.expected_page_count, found.expected_count(total)) == (needed, due)


def holds(found: Page, name: str, total: int = 5, default: str | None = "50") -> bool:
    """Return whether a link of the page leads where it must."""
    return next(is_so for link, _, is_so in expected_links(found, total, default) if link == name)


@pytest.mark.parametrize(
    "href",
    [
        f"{BASE}{EVENTS_PATH}?guids=a%2Cb&order_by=%2Bcreated_at&page=3&per_page=2",
        f"{BASE}{EVENTS_PATH}?page=3&per_page=2&order_by=created_at&guids=a,b",
        f"{EVENTS_PATH}?guids=a,b&order_by=+created_at&page=3&per_page=2",
        f"{EVENTS_PATH}?guids=b,a&order_by=created_at&page=3&per_page=2",
        f"{EVENTS_PATH}?guids=b,%20a,b&order_by=created_at&page=3&per_page=2",
    ],
)
def test_link_leads_next(href: str, story: Story) -> None:
    """A link leads to the next page on any host, below any prefix, its parameters in any order and encoding."""
    assert holds(page(story, next={"href": href}), "next")


@pytest.mark.parametrize(
    ("moment", "is_so"),
    [("2026-07-01T12:00:00%2B00:00", True), ("2026-07-01t12:00:00.0z", True), ("2026-07-01T12:00:00-01:00", False)],
)
def test_link_writes_times_its_own_way(moment: str, is_so: bool, story: Story) -> None:  # noqa: FBT001
    """A link may write the time of a filter otherwise, so long as it is that time."""
    x = story.say("lists", "walk", path=f"{EVENTS_PATH}?created_ats[gt]=2026-07-01T12:00:00Z&per_page=2&page=1")
    link = {"href": f"{EVENTS_PATH}?created_ats[gt]={moment}&per_page=2&page=2"}
    assert holds(Page(x, 1, 2, 2, (), 5, 3, {"next": link}), "next") is is_so


@pytest.mark.parametrize(
    "link",
    [
        None,
        {},
        {"href": None},
        {"href": 3},
        "a string",
        {"href": f"{BASE}{EVENTS_PATH}?guids=a,b&order_by=created_at&page=2&per_page=2"},
        {"href": f"{BASE}{EVENTS_PATH}?order_by=created_at&page=3&per_page=2"},
        {"href": f"{BASE}{EVENTS_PATH}?guids=a&order_by=created_at&page=3&per_page=2"},
        {"href": f"{BASE}{EVENTS_PATH}?guids=a,b&order_by=-created_at&page=3&per_page=2"},
        {"href": f"{BASE}{EVENTS_PATH}?guids=a,b&order_by=created_at&page=3&per_page=50"},
        {"href": f"{BASE}{EVENTS_PATH}?guids=a,b&order_by=created_at&page=3&per_page=2&after_guid=x"},
        {"href": f"{BASE}/v3/apps?guids=a,b&order_by=created_at&page=3&per_page=2"},
        {"href": "http://[broken"},
    ],
)
def test_link_leads_astray(link: object, story: Story) -> None:
    """A link that is missing, or loses a filter, or leads to another page or list, does not hold."""
    assert not holds(page(story, next=link), "next")


@pytest.mark.parametrize(
    ("number", "total", "link", "is_so"),
    [(3, 5, None, True), (3, 5, {"href": f"{EVENTS_PATH}?page=4"}, False), (1, 0, None, True), (1, 4, None, False)],
)
def test_last_page_has_no_next(number: int, total: int, link: object, is_so: bool, story: Story) -> None:  # noqa: FBT001
    """The last page has no next one, and it alone."""
    assert holds(page(story, number, next=link), "next", total) is is_so


def test_first_page_has_no_previous(story: Story) -> None:
    """The first page has no previous one, and it alone."""
    assert holds(page(story, 1), "previous")
    assert not holds(page(story, 2), "previous")


def test_first_may_leave_out_page(story: Story) -> None:
    """A link to the first page need not say page=1."""
    href = f"{BASE}{EVENTS_PATH}?guids=a,b&order_by=created_at&per_page=2"
    assert holds(page(story, first={"href": href}), "first")


@pytest.mark.parametrize(("default", "is_so"), [("2", True), ("50", False), (None, True)])
def test_default_size_may_be_left_out(default: str | None, is_so: bool, story: Story) -> None:  # noqa: FBT001
    """A link need not say how large a page is where that is the default, or where nobody knows what that is."""
    link = {"href": f"{EVENTS_PATH}?guids=a,b&order_by=created_at&page=3"}
    assert holds(page(story, next=link), "next", default=default) is is_so


@pytest.mark.parametrize(
    ("rows", "links", "default"),
    [
        (1, {"first": {"href": f"{EVENTS_PATH}?page=1&per_page=30"}}, "30"),
        (3, {"first": {"href": EVENTS_PATH}, "next": {"href": "x"}}, "3"),
        (3, {"first": {"href": EVENTS_PATH}}, None),
        (3, {"first": {"href": "http://[broken"}}, None),
        (3, {"first": {"href": 1}}, None),
    ],
)
def test_default_size_is_learnt(rows: int, links: object, default: str | None, story: Story) -> None:
    """The default is what the list's own link names, or as many events as there are where more follow."""
    data = {"pagination": links, "resources": [story.event(str(n)) for n in range(rows)]}
    story.say("lists", "plain", data=data)
    assert default_per_page(story.seen) == default


def bounded(story: Story, *lengths: int, pages: int, total: int = 70, asked: int = 1000) -> list[Page]:
    """Return the pages of a walk on which so many events are, of a target with a bound of its own."""
    for number, length in enumerate(lengths, 1):
        following = {"href": "x"} if number < len(lengths) else None
        data = {
            "pagination": {"total_results": total, "total_pages": pages, "next": following},
            "resources": [story.event(f"{number}-{n}") for n in range(length)],
        }
        story.say("lists", "opening", path=f"{EVENTS_PATH}?per_page={asked}&page={number}", data=data)
    story.note("lists", "opening.complete", value=True)
    return list(pages_of(walks(story.seen)[0]))


def test_bound_makes_pages_smaller(story: Story) -> None:
    """Where a target makes large pages smaller, and counts them so, that is how many events they have room for."""
    found = bounded(story, 30, 30, 10, pages=3)
    assert [(page.capacity, page.expected_count(70)) for page in found] == [(30, 30), (30, 30), (30, 10)]


@pytest.mark.parametrize(
    ("lengths", "pages", "asked"),
    [((30, 29, 11), 3, 1000), ((30, 30, 10), 1, 1000), ((19, 19, 19, 13), 4, 1000), ((70,), 1, 1000)],
)
def test_uneven_pages_have_no_bound(lengths: tuple[int, ...], pages: int, asked: int, story: Story) -> None:
    """Pages of several lengths, wrongly counted or smaller than any may be, are not full."""
    assert {page.capacity for page in bounded(story, *lengths, pages=pages, asked=asked)} == {asked}


def test_link_may_name_bound(story: Story) -> None:
    """A link may name the target's bound where more was asked for, and nothing that makes pages smaller."""
    found = bounded(story, 30, pages=1, total=30)[0]
    for named, is_so in (("100", True), ("1000", True), ("29", False), ("19", False), ("x", False)):
        link = {"href": f"{EVENTS_PATH}?page=1&per_page={named}"}
        assert holds(replace(found, links={"last": link}), "last", 30) is is_so


def test_walks_are_those_of_pages(story: Story) -> None:
    """The walks of the experiment are told apart by step; requests that name no page are none, and neither are gets."""
    story.walk("lists", "opening", [story.event("a")])
    story.say("lists", "get", path=f"{EVENTS_PATH}/a")
    story.walk("lists", "walk 4", [story.event("a")], complete=False)
    story.walk("purge", "after.events", [])
    assert [walk.complete for walk in walks(story.seen)] == [True, False]
    assert len(walks(story.seen, "walk")) == 1


def test_unreadable_pages_are_left_out(story: Story) -> None:
    """Of a walk only the pages that could be read are judged as such."""
    story.walk("lists", "opening", [story.event("a")])
    story.say("lists", "opening", path=f"{EVENTS_PATH}?per_page=500&page=2", status=500)
    (found,) = pages_of(walks(story.seen)[0])
    assert (found.number, found.capacity, found.guids, found.total) == (1, 500, ("a",), 1)
