"""Pages of a list, as the judgments of paging look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from purge_conformance.analysis.assertions import require_exchanges
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import (
    GUARANTEED_PAGE_SIZE,
    dig,
    is_page,
    pagination,
    read_listing,
    resources,
    split_url,
    total_results,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

FILTERS = ("guids", "after_guid", "created_ats")


@dataclass(frozen=True)
class Page:
    """One page that was asked for with `page` and `per_page`.

    Attributes:
        exchange: the answer.
        number, asked: `page` and `per_page`, as asked for.
        size: how many events it has room for: as many as asked for, or fewer where the target has a bound.
        guids: of the events on it, in order.
        total, total_pages: as the page says.
        links: its pagination object.
    """

    exchange: Exchange
    number: int
    requested_size: int
    capacity: int
    guids: tuple[str, ...]
    total: int | None
    total_pages: Any
    links: Mapping[str, Any]

    @property
    def expected_page_count(self) -> int:
        """How many pages the page's own total takes, at least one."""
        return max(1, self.page_count(self.total or 0))

    def page_count(self, total: int) -> int:
        """Return how many pages that many events take."""
        return -(-total // self.capacity)

    def expected_count(self, total: int) -> int:
        """Return how many of that many events belong on this page."""
        return min(self.capacity, max(0, total - (self.number - 1) * self.capacity))


def walks(view: JudgmentView, *prefixes: str) -> list[Listing]:
    """Return the walks of the experiment `lists`; those whose step begins so, or all."""
    require_exchanges(view, "lists", "opening", if_none="no list was read")
    steps = dict.fromkeys(x.step for x in view.of("lists") if view.note("lists", f"{x.step}.complete") is not None)
    matching = [step for step in steps if not prefixes or step.startswith(prefixes)]
    return [read_listing(view, "lists", step) for step in matching]


def pages_of(walk: Listing) -> Iterator[Page]:
    """Yield the readable pages of a walk."""
    size_limit = _page_size_limit(walk)
    for x in walk.exchanges:
        if is_page(x):
            requested = int(x.query["per_page"])
            yield Page(
                x,
                int(x.query["page"]),
                requested,
                min(requested, size_limit or requested),
                tuple(str(row.get("guid")) for row in resources(x)),
                total_results(x),
                pagination(x).get("total_pages"),
                pagination(x),
            )


def _page_size_limit(walk: Listing) -> int | None:
    """Return the bound of a target that makes large pages smaller without a word: all but the last are equally long.

    It is one only where `total_pages` goes by it too, or no client would find the rest.
    """
    pages = [x for x in walk.exchanges if is_page(x)]
    lengths = {len(resources(x)) for x in pages[:-1]}
    if len(lengths) != 1 or not all(pagination(x).get("next") for x in pages[:-1]):
        return None
    (length,) = lengths
    is_total_consistent = all(
        pagination(x).get("total_pages") == -(-(total_results(x) or 0) // length) for x in pages if length
    )
    return length if GUARANTEED_PAGE_SIZE <= length < int(pages[0].query["per_page"]) and is_total_consistent else None


def default_per_page(view: JudgmentView) -> str | None:
    """Return how many events a page has room for where nobody says, by its own links or its length; None if unknown."""
    for x in view.of("lists", "plain"):
        href = dig(pagination(x), "first", "href")
        parts = split_url(href) if isinstance(href, str) else None
        value = dict(parse_qsl(parts.query)).get("per_page") if parts else None
        return value or (str(len(resources(x))) if pagination(x).get("next") else None)
    return None


def expected_links(page: Page, total: int, default: str | None) -> Iterator[tuple[str, str, bool]]:
    """Yield each link's name, what it must be, and whether it is.

    Args:
        page: shows the links.
        total: the number of events on all pages.
        default: what `per_page` is where a link leaves it out, or None where nobody knows.
    """
    last = max(1, page.page_count(total))
    targets = {
        "first": 1,
        "last": last,
        "next": page.number + 1 if page.number < last else None,
        "previous": page.number - 1 if page.number > 1 else None,
    }
    for name, number in targets.items():
        link = page.links.get(name)
        if number is None:
            yield name, "null", link is None
        else:
            yield name, f"page {number} with the same parameters", _links_to(link, page, number, default)


def _links_to(link: Any, page: Page, number: int, default: str | None) -> bool:  # noqa: ANN401 -- whatever the target sent
    href = dig(link, "href") if isinstance(link, dict) else None
    if not isinstance(href, str):
        return False
    parts = split_url(href)
    if parts is None:
        return False
    expected = _normalize({**page.exchange.query, "page": str(number)})
    defaults = {"page": "1", "per_page": default or expected["per_page"]}
    actual = _normalize({**defaults, **dict(parse_qsl(parts.query, keep_blank_values=True))})
    if _is_page_size_limit(actual["per_page"], page):
        actual["per_page"] = expected["per_page"]
    extra = actual.keys() - expected.keys()  # the order that is the default anyway, or the target's own
    is_same = all(actual.get(name) == value for name, value in expected.items())
    return parts.path.endswith(EVENTS_PATH) and is_same and not any(name.startswith(FILTERS) for name in extra)


def _is_page_size_limit(per_page: str, page: Page) -> bool:
    """Whether a link may say so where more was asked for: it names the target's bound."""
    return (
        per_page.isdecimal() and max(GUARANTEED_PAGE_SIZE, len(page.guids)) <= int(per_page[:9]) < page.requested_size
    )


def _normalize(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with their values as they mean the same, in whatever order a filter names them."""
    return {
        name: ",".join(sorted({_normalize_value(part.strip()) for part in value.split(",")}))
        for name, value in query.items()
    }


def _normalize_value(value: str) -> str:
    """Return what a value means, however it is written: `+created_at` is `created_at`, and +00:00 is Z."""
    moment = clock.parse_rfc3339(value)
    return moment.isoformat() if moment else value.removeprefix("+")
