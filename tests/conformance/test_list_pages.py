"""Pages: their number, their length, their links, and each event on one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import NotExercised, answer, hold, need
from purge_conformance.analysis.list_reads import reading
from purge_conformance.analysis.openapi import operation_of
from purge_conformance.analysis.paging import default_per_page, expected_links, pages_of, walks
from purge_conformance.analysis.query_rules import query_of
from purge_conformance.analysis.schema import misshapen
from purge_conformance.catalogue.api import LIST_OPERATION
from purge_conformance.evidence.listing import is_page, pagination, resources, total_results
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.list_reads import Reading
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

OK = 200
PER_PAGE = re.compile(r"[1-9]\d{0,8}", re.ASCII)


@pytest.mark.requirement("LIST-01")
def test_list_has_shape(seen: Seen) -> None:
    """The body of a list that answers 200 MUST have the documented shape."""
    found = _lists(seen)
    if not found:
        raise NotExercised("no list answered 200")
    hold(Finding(violation.expected, violation.got, x.n) for x in found for violation in misshapen(x))


@pytest.mark.requirement("LIST-02")
def test_total_is_number(seen: Seen) -> None:
    """The `total_results` MUST be the number of events on all pages."""
    read = reading(seen)
    hold(
        Finding(f"total_results {total}, the number of events", str(page.total), page.exchange.n)
        for walk in walks(seen)
        if walk.complete
        if (total := _total(walk, read)) is not None
        for page in pages_of(walk)
        if page.total is not None and abs(page.total - total) > len(read.newcomers)
    )
    hold(
        Finding(f"total_results of at least {len(resources(x))}, the events on this page", str(total), x.n)
        for x in _lists(seen)
        if (total := total_results(x)) is not None and total < len(resources(x))
    )


@pytest.mark.requirement("LIST-03")
def test_pages_fit_total(seen: Seen) -> None:
    """The `total_pages` MUST be the number of pages that `total_results` events take."""
    every = [page for walk in walks(seen) for page in pages_of(walk) if page.total is not None]
    hold(
        Finding(
            f"total_pages {page.needed} for {page.total} events, {page.size} a page",
            str(page.total_pages),
            page.exchange.n,
        )
        for page in every
        if page.total_pages != page.needed and (page.total or page.total_pages != 0)
    )


@pytest.mark.requirement("LIST-04")
def test_event_on_one_page(seen: Seen) -> None:
    """Each event MUST be on exactly one page."""
    read = reading(seen)
    whole = set(read.opening.by_guid)
    for walk in walks(seen, "walk", "order"):
        guids = [guid for page in pages_of(walk) for guid in page.guids]
        twice = {guid for guid in guids if guids.count(guid) > 1} - read.newcomers
        n = walk.exchanges[-1].n
        if len(twice) > _growth(walk):
            hold(Finding("each event on one page", f"{guid} on several", n) for guid in sorted(twice))
        missing = whole - set(guids) if walk.complete else set()
        hold(Finding("each event on one page", f"{guid} on none", n) for guid in sorted(missing))


@pytest.mark.requirement("LIST-05")
def test_page_is_full(seen: Seen) -> None:
    """A page MUST hold `per_page` events, the last one what is left."""
    read = reading(seen)
    total = len(read.opening.rows)
    hold(
        Finding(f"{due} events on page {page.number} of {page.size} a page", str(len(page.guids)), page.exchange.n)
        for walk in walks(seen, "walk", "opening")
        for page in pages_of(walk)
        if not 0 <= len(page.guids) - (due := page.due(total)) <= len(read.newcomers)
    )
    hold(
        Finding(f"at most {asked} events on a page", str(len(resources(x))), x.n)
        for x in _lists(seen)
        if (asked := _asked(x)) is not None and len(resources(x)) > asked
    )


@pytest.mark.requirement("LIST-06")
def test_neighbours_are_linked(seen: Seen) -> None:
    """The `next` and `previous` links MUST lead to the neighbouring pages with the same filters."""
    _links(seen, "next", "previous")


@pytest.mark.requirement("LIST-07")
def test_ends_are_linked(seen: Seen) -> None:
    """The `first` and `last` links MUST lead to the first and the last page with the same filters."""
    _links(seen, "first", "last")


@pytest.mark.requirement("LIST-15")
def test_reads_are_repeatable(seen: Seen) -> None:
    """Two reads of a list that nothing changed in between MUST be equal."""
    newcomers = reading(seen).newcomers
    twice = [x for x in need(seen, "lists", "twice", why="the list was not read twice") if x.status == OK]
    if len(twice) < 2:
        raise NotExercised("the list could not be read twice")
    hold(
        Finding("the same as a moment before", answer(x), x.n)
        for x in twice[1:]
        if (x.json != twice[0].json if not newcomers else _differ(x, twice[0], newcomers))
    )
    hold(
        Finding("the beginning of the list, as it was read in large pages", answer(x), x.n)
        for x in seen.of("lists", "plain")
        if is_page(x) and not newcomers and not _begins(reading(seen).opening.rows, x)
    )


def _lists(seen: Seen) -> list[Exchange]:
    """Return every list that was answered, whoever asked and when."""
    return [x for x in seen.resource() if x.status == OK and operation_of(x.method, x.path) == LIST_OPERATION]


def _asked(exchange: Exchange) -> int | None:
    """Return how many events a page was to have at most, where that was told in so many digits, and once."""
    told = query_of(exchange.path).get("per_page", [])
    return int(told[0]) if len(told) == 1 and PER_PAGE.fullmatch(told[0]) else None


def _links(seen: Seen, *names: str) -> None:
    """Require the links of every page, by what the walks showed; pages past the end are left open.

    While others cause events, a page's own total says more than the walk, which went on.
    """
    read, default = reading(seen), default_per_page(seen)
    hold(
        Finding(f"{name}: {words}", str(page.links.get(name)), page.exchange.n)
        for walk in walks(seen)
        if walk.complete
        for page in pages_of(walk)
        if (total := page.total if read.newcomers else _total(walk, read)) is not None
        if page.number <= max(1, page.pages(total))
        for name, words, holds in expected_links(page, total, default)
        if name in names and not holds
    )


def _total(walk: Listing, read: Reading) -> int | None:
    """Return how many events a list is to count: as many as there are where all were asked for, or as it showed.

    Where some are on several pages, others may be on none: see LIST-04.
    """
    if set(walk.exchanges[0].query) <= {"page", "per_page", "order_by"}:
        return len(read.opening.rows)
    return len(walk.rows) if walk.is_distinct else None


def _growth(walk: Listing) -> int:
    """Return how many events came while the pages were read; each may have moved one to the next page."""
    totals = [page.total for page in pages_of(walk) if page.total is not None]
    return max(totals, default=0) - min(totals, default=0)


def _begins(rows: Sequence[Row], page: Exchange) -> bool:
    """Whether a page shows the first of these rows, and all of them where it names no next one."""
    shown = resources(page)
    return tuple(rows[: len(shown)]) == shown and (len(shown) == len(rows) or bool(pagination(page).get("next")))


def _differ(one: Exchange, other: Exchange, newcomers: frozenset[str]) -> bool:
    """Whether two pages show other events, or in another order, as far as both go and apart from newcomers."""
    rows = [[row for row in resources(x) if str(row.get("guid")) not in newcomers] for x in (one, other)]
    return any(a != b for a, b in zip(*rows, strict=False))
