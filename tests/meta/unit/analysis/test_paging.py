"""Pages and the links between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.story import AFTER
from purge_conformance.analysis.paging import Page, default_per_page, expected_links, pages_of, walks
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.records import ListEnd
from purge_conformance.evidence.steps import Part, Place, Scenario, Step

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

BASE = "https://cdn.example.org:8443/prefix"


def page(builder: EvidenceBuilder, number: int = 2, **links: Any) -> Page:  # noqa: ANN401 -- any link
    """Return a page of a filtered list."""
    x = builder.add_exchange(
        Scenario.LISTS,
        Place(Step.WALK, 3),
        path=f"{EVENTS_PATH}?guids=a%2Cb&order_by=%2Bcreated_at&per_page=2&page={number}",
    )
    return Page(x, number, 2, 2, (), 5, 3, links)


@pytest.mark.parametrize(
    ("number", "total", "needed", "due"),
    [(1, 5, 3, 2), (3, 5, 3, 1), (4, 5, 3, 0), (1, 0, 1, 0), (1, 1, 1, 1), (2, 4, 2, 2)],
)
def test_page_count_is_derived(number: int, total: int, needed: int, due: int, builder: EvidenceBuilder) -> None:
    """A page derives the number of pages from its total, at least one, and the number of events on it."""
    found = replace(page(builder, number), total=total)
    assert (found.expected_page_count, found.expected_count(total)) == (needed, due)


def is_link_correct(found: Page, name: str, total: int = 5, default: str | None = "50") -> bool:
    """Return whether a link of the page leads to the right page."""
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
def test_next_link_is_accepted(href: str, builder: EvidenceBuilder) -> None:
    """A link leads to the next page on any host, with any prefix, order and encoding of the parameters."""
    assert is_link_correct(page(builder, next={"href": href}), "next")


@pytest.mark.parametrize(
    ("moment", "is_so"),
    [("2026-07-01T12:00:00%2B00:00", True), ("2026-07-01t12:00:00.0z", True), ("2026-07-01T12:00:00-01:00", False)],
)
def test_link_time_format_is_free(moment: str, is_so: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001
    """A link may write the time of a filter in another format."""
    x = builder.add_exchange(
        Scenario.LISTS,
        Place(Step.WALK, 3),
        path=f"{EVENTS_PATH}?created_ats[gt]=2026-07-01T12:00:00Z&per_page=2&page=1",
    )
    link = {"href": f"{EVENTS_PATH}?created_ats[gt]={moment}&per_page=2&page=2"}
    assert is_link_correct(Page(x, 1, 2, 2, (), 5, 3, {"next": link}), "next") is is_so


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
def test_wrong_link_is_rejected(link: object, builder: EvidenceBuilder) -> None:
    """A link that is missing, loses a filter, or leads to another page or list, is wrong."""
    assert not is_link_correct(page(builder, next=link), "next")


@pytest.mark.parametrize(
    ("number", "total", "link", "is_so"),
    [(3, 5, None, True), (3, 5, {"href": f"{EVENTS_PATH}?page=4"}, False), (1, 0, None, True), (1, 4, None, False)],
)
def test_last_page_has_no_next(number: int, total: int, link: object, is_so: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001
    """The last page, and only the last page, has no next link."""
    assert is_link_correct(page(builder, number, next=link), "next", total) is is_so


def test_first_page_has_no_previous(builder: EvidenceBuilder) -> None:
    """The first page, and only the first page, has no previous link."""
    assert is_link_correct(page(builder, 1), "previous")
    assert not is_link_correct(page(builder, 2), "previous")


def test_first_link_may_omit_page(builder: EvidenceBuilder) -> None:
    """A link to the first page may omit page=1."""
    href = f"{BASE}{EVENTS_PATH}?guids=a,b&order_by=created_at&per_page=2"
    assert is_link_correct(page(builder, first={"href": href}), "first")


@pytest.mark.parametrize(("default", "is_so"), [("2", True), ("50", False), (None, True)])
def test_link_may_omit_default_size(default: str | None, is_so: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001
    """A link may omit the page size if it is the default, or if the default is unknown."""
    link = {"href": f"{EVENTS_PATH}?guids=a,b&order_by=created_at&page=3"}
    assert is_link_correct(page(builder, next=link), "next", default=default) is is_so


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
def test_default_size_is_derived(rows: int, links: object, default: str | None, builder: EvidenceBuilder) -> None:
    """The default size is that of the list's own link, or the number of events on a page before another."""
    data = {"pagination": links, "resources": [builder.event(str(n)) for n in range(rows)]}
    builder.add_exchange(Scenario.LISTS, Step.DEFAULT_PAGE, data=data)
    assert default_per_page(builder.judgment_view) == default


def walk_with_limit(
    builder: EvidenceBuilder, *lengths: int, pages: int, total: int = 70, asked: int = 1000
) -> list[Page]:
    """Return the pages of a list of a target that limits the page size."""
    for number, length in enumerate(lengths, 1):
        following = {"href": "x"} if number < len(lengths) else None
        data = {
            "pagination": {"total_results": total, "total_pages": pages, "next": following},
            "resources": [builder.event(f"{number}-{n}") for n in range(length)],
        }
        builder.add_exchange(
            Scenario.LISTS, Step.OPENING, path=f"{EVENTS_PATH}?per_page={asked}&page={number}", data=data
        )
    builder.list_ends.append(ListEnd(Scenario.LISTS, Place(Step.OPENING), complete=True))
    return list(pages_of(walks(builder.judgment_view)[0]))


def test_target_limit_shrinks_pages(builder: EvidenceBuilder) -> None:
    """If a target limits the page size, and counts its pages by it, that limit is the size of its pages."""
    found = walk_with_limit(builder, 30, 30, 10, pages=3)
    assert [(page.capacity, page.expected_count(70)) for page in found] == [(30, 30), (30, 30), (30, 10)]


@pytest.mark.parametrize(
    ("lengths", "pages", "asked"),
    [((30, 29, 11), 3, 1000), ((30, 30, 10), 1, 1000), ((19, 19, 19, 13), 4, 1000), ((70,), 1, 1000)],
)
def test_uneven_pages_show_no_limit(lengths: tuple[int, ...], pages: int, asked: int, builder: EvidenceBuilder) -> None:
    """Pages of several sizes, or with a wrong count, show no limit."""
    assert {page.capacity for page in walk_with_limit(builder, *lengths, pages=pages, asked=asked)} == {asked}


def test_link_may_name_limit(builder: EvidenceBuilder) -> None:
    """A link may name the target's limit if the request exceeded it, and no smaller size."""
    found = walk_with_limit(builder, 30, pages=1, total=30)[0]
    for named, is_so in (("100", True), ("1000", True), ("29", False), ("19", False), ("x", False)):
        link = {"href": f"{EVENTS_PATH}?page=1&per_page={named}"}
        assert is_link_correct(replace(found, links={"last": link}), "last", 30) is is_so


def test_walks_are_grouped_by_step(builder: EvidenceBuilder) -> None:
    """The list reads of a scenario are grouped by step; a request without a page, and a GET of one event, are none."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [builder.event("a")])
    builder.add_exchange(Scenario.LISTS, Step.GET, path=f"{EVENTS_PATH}/a")
    builder.add_list(Scenario.LISTS, Place(Step.WALK, 4), [builder.event("a")], complete=False)
    builder.add_list(Scenario.PURGE, AFTER.of(Part.EVENTS), [])
    assert [walk.complete for walk in walks(builder.judgment_view)] == [True, False]
    assert len(walks(builder.judgment_view, Step.WALK)) == 1


def test_unreadable_pages_are_excluded(builder: EvidenceBuilder) -> None:
    """Only the readable pages of a list are judged as pages."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [builder.event("a")])
    builder.add_exchange(Scenario.LISTS, Step.OPENING, path=f"{EVENTS_PATH}?per_page=500&page=2", status=500)
    (found,) = pages_of(walks(builder.judgment_view)[0])
    assert (found.number, found.capacity, found.guids, found.total) == (1, 500, ("a",), 1)
