"""Pages of the list and their links, as the judgments of paging need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from purge_conformance.analysis.assertions import require_exchanges
from purge_conformance.analysis.retention import deletes_between
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import (
    GUARANTEED_PAGE_SIZE,
    dig,
    is_page,
    listing_at,
    pagination,
    resources,
    split_url,
    total_results,
)
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

FILTERS = ("guids", "after_guid", "created_ats")


@dataclass(frozen=True)
class Page:
    """One page that was requested with `page` and `per_page`.

    Attributes:
        exchange: request and response.
        number: the requested `page`.
        requested_size: the requested `per_page`.
        capacity: how many events fit on the page: `requested_size`, or fewer if the target has a lower limit.
        guids: of the events on the page, in order.
        total: `total_results` of the page; None if it is not a number.
        total_pages: `total_pages` of the page.
        links: the pagination object of the page.
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
        """How many pages the events take by the page's own total, at least one."""
        return max(1, self.page_count(self.total or 0))

    def page_count(self, total: int) -> int:
        """Return how many pages that many events take."""
        return -(-total // self.capacity)

    def expected_count(self, total: int) -> int:
        """Return how many events belong on this page if there are that many in total."""
        return min(self.capacity, max(0, total - (self.number - 1) * self.capacity))


def walks(view: JudgmentView, *steps: Step, scenario: Scenario = Scenario.LISTS) -> list[Listing]:
    """Return the lists that a scenario read, by these steps or by all.

    A list from which a retention job deleted events while it was read is left out: the others moved to earlier pages.
    """
    require_exchanges(view, scenario, Step.OPENING, if_none="No list was read.")
    ended = {end.place for end in view.list_ends if end.scenario is scenario}
    places = dict.fromkeys(x.place for x in view.of(scenario) if x.place in ended)
    matching = [place for place in places if not steps or place.step in steps]
    lists = [listing_at(view, scenario, place) for place in matching]
    return [walk for walk in lists if not _is_shortened(view, walk)]


def _is_shortened(view: JudgmentView, walk: Listing) -> bool:
    """Whether the pages of a list show that a retention job deleted events of it in the meantime."""
    totals = {total_results(page) for page in walk.exchanges if is_page(page)}
    is_steady = len(totals) <= 1 and None not in totals
    numbers = [x.n for x in walk.exchanges]
    return len(numbers) > 1 and not is_steady and deletes_between(view, numbers[0], numbers[-1])


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
    """Return the page size to which the target silently limits larger pages; None if it does not.

    All pages except the last are then equally long, and `total_pages` matches that length: otherwise a client would
    not find the rest.
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
    """Return the page size without `per_page`, by the links of the page or by its length; None if unknown."""
    for x in view.of(Scenario.LISTS, Step.DEFAULT_PAGE):
        href = dig(pagination(x), "first", "href")
        parts = split_url(href) if isinstance(href, str) else None
        value = dict(parse_qsl(parts.query)).get("per_page") if parts else None
        return value or (str(len(resources(x))) if pagination(x).get("next") else None)
    return None


def expected_links(page: Page, total: int, default: str | None) -> Iterator[tuple[str, str, bool]]:
    """Yield the name of each link, its expected target in words, and whether it matches.

    Args:
        page: the page with the links.
        total: the number of events on all pages.
        default: the value of `per_page` if a link omits it; None if unknown.
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


def _links_to(link: Any, page: Page, number: int, default: str | None) -> bool:  # noqa: ANN401 -- any JSON value
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
    extra = actual.keys() - expected.keys()  # for example the default order, or a parameter of the target
    is_same = all(actual.get(name) == value for name, value in expected.items())
    return parts.path.endswith(EVENTS_PATH) and is_same and not any(name.startswith(FILTERS) for name in extra)


def _is_page_size_limit(per_page: str, page: Page) -> bool:
    """Whether a link names the limit of the target instead of the larger page size that was requested."""
    return (
        per_page.isdecimal() and max(GUARANTEED_PAGE_SIZE, len(page.guids)) <= int(per_page[:9]) < page.requested_size
    )


def _normalize(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with normalized values: equal meanings have equal values, whatever their order."""
    return {
        name: ",".join(sorted({_normalize_value(part.strip()) for part in value.split(",")}))
        for name, value in query.items()
    }


def _normalize_value(value: str) -> str:
    """Return a value in one spelling: `+created_at` becomes `created_at`, and Z becomes +00:00."""
    moment = clock.parse_rfc3339(value)
    return moment.isoformat() if moment else value.removeprefix("+")
