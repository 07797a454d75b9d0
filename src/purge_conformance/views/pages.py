"""Pages of a list, as the judgments of paging look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from purge_conformance.checks import need
from purge_conformance.guard import EVENTS
from purge_conformance.snapshot import is_page, member, pagination, resources, split, total_results, walked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.checks import Seen
    from purge_conformance.evidence import Exchange
    from purge_conformance.snapshot import Listing

LIST = "listAppUsageEvents"
DEFAULTS = {"page": "1", "per_page": "50"}
FILTERS = ("guids", "after_guid", "created_ats")


@dataclass(frozen=True)
class Page:
    """One page that was asked for with `page` and `per_page`.

    Attributes:
        exchange: the answer.
        number, size: `page` and `per_page`, as asked for.
        guids: of the events on it, in order.
        total, total_pages: as the page says.
        links: its pagination object.
    """

    exchange: Exchange
    number: int
    size: int
    guids: tuple[str, ...]
    total: int | None
    total_pages: Any
    links: Mapping[str, Any]

    @property
    def needed(self) -> int:
        """How many pages the page's own total takes, at least one."""
        return max(1, self.pages(self.total or 0))

    def pages(self, total: int) -> int:
        """Return how many pages that many events take."""
        return -(-total // self.size)

    def due(self, total: int) -> int:
        """Return how many of that many events belong on this page."""
        return min(self.size, max(0, total - (self.number - 1) * self.size))


def walks(seen: Seen, *beginnings: str) -> list[Listing]:
    """Return the walks of the experiment `lists`; those whose step begins so, or all."""
    need(seen, "lists", "opening", why="no list was read")
    steps = dict.fromkeys(x.step for x in seen.of("lists") if seen.note("lists", f"{x.step}.complete") is not None)
    chosen = [step for step in steps if not beginnings or step.startswith(beginnings)]
    return [walked(seen, "lists", step) for step in chosen]


def pages_of(walk: Listing) -> Iterator[Page]:
    """Yield the readable pages of a walk."""
    for x in walk.exchanges:
        if is_page(x):
            yield Page(
                x,
                int(x.query["page"]),
                int(x.query["per_page"]),
                tuple(str(row.get("guid")) for row in resources(x)),
                total_results(x),
                pagination(x).get("total_pages"),
                pagination(x),
            )


def expected_links(page: Page, total: int) -> Iterator[tuple[str, str, bool]]:
    """Yield each link's name, what it must be, and whether it is; `total` is the number of events on all pages."""
    last = max(1, page.pages(total))
    due = {
        "first": 1,
        "last": last,
        "next": page.number + 1 if page.number < last else None,
        "previous": page.number - 1 if page.number > 1 else None,
    }
    for name, number in due.items():
        link = page.links.get(name)
        if number is None:
            yield name, "null", link is None
        else:
            yield name, f"page {number} with the same parameters", _leads(link, page, number)


def _leads(link: Any, page: Page, number: int) -> bool:  # noqa: ANN401 -- whatever the target sent
    href = member(link, "href") if isinstance(link, dict) else None
    if not isinstance(href, str):
        return False
    parts = split(href)
    if parts is None:
        return False
    asked = _plain({**page.exchange.query, "page": str(number)})
    given = _plain({**DEFAULTS, **dict(parse_qsl(parts.query, keep_blank_values=True))})
    more = given.keys() - asked.keys()  # the order that is the default anyway, or the target's own
    same = all(given.get(name) == value for name, value in asked.items())
    return parts.path.endswith(EVENTS) and same and not any(name.startswith(FILTERS) for name in more)


def _plain(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with their values as they mean the same: `+created_at` is `created_at`."""
    return {name: value.strip().removeprefix("+") for name, value in query.items()}
