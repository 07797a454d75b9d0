"""Judgments of the pages of the list: number, length, links, and each event on one of them."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import describe_response, require_exchanges, require_no
from purge_conformance.analysis.concurrent_reads import is_during_purge
from purge_conformance.analysis.list_reads import require_list_read
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.analysis.outcomes import NotExercised
from purge_conformance.analysis.paging import default_per_page, expected_links, pages_of, walks
from purge_conformance.analysis.query_rules import parse_query
from purge_conformance.analysis.schema import schema_violations
from purge_conformance.catalogue.api import LIST_OPERATION, is_purge
from purge_conformance.evidence.listing import is_page, pagination, resources, total_results
from purge_conformance.evidence.safe_text import as_text
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.analysis.list_reads import ListRead
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing, Row
    from purge_conformance.evidence.records import Exchange

WALKED_ORDERS = {Step.WALK: "default-order", Step.ASCENDING: "ascending", Step.DESCENDING: "descending"}
DECIMAL = re.compile(r"[1-9]\d{0,8}", re.ASCII)


@pytest.mark.requirement("LIST-01")
def test_list_matches_schema(view: JudgmentView) -> None:
    """The body of a list that answers 200 MUST match the documented schema."""
    lists = _successful_lists(view)
    if not lists:
        raise NotExercised("No list answered 200.")
    view.count("shape", lists)
    require_no(Finding(violation.expected, violation.got, x.n) for x in lists for violation in schema_violations(x))


@pytest.mark.requirement("LIST-02")
def test_total_results_is_correct(view: JudgmentView) -> None:
    """The member `total_results` MUST be the number of events on all pages."""
    read = require_list_read(view)
    comparable = [
        (page, total, "unfiltered" if _is_unfiltered(walk) else "filtered")
        for walk in walks(view)
        if walk.complete
        if (total := _expected_total(walk, read)) is not None
        for page in pages_of(walk)
        if page.total is not None
    ]
    lists = [x for x in _undisturbed_lists(view) if total_results(x) is not None]
    for case in ("unfiltered", "filtered"):
        view.count(case, (page.exchange for page, _, name in comparable if name == case))
    view.count("one-page", lists)
    require_no(
        Finding(f"total_results {total}, the number of events", as_text(page.total), page.exchange.n)
        for page, total, _ in comparable
        if page.total is not None and abs(page.total - total) > len(read.new_guids)
    )
    require_no(
        Finding(
            f"total_results of at least {len(resources(x))}, the number of events on this page", as_text(total), x.n
        )
        for x in lists
        if (total := total_results(x)) is not None and total < len(resources(x))
    )


@pytest.mark.requirement("LIST-03")
def test_total_pages_is_correct(view: JudgmentView) -> None:
    """The member `total_pages` MUST be the number of pages that `total_results` events take."""
    pages = [page for walk in walks(view) for page in pages_of(walk) if page.total is not None]
    view.count("page-count", (page.exchange for page in pages))
    require_no(
        Finding(
            f"total_pages {page.expected_page_count} for {page.total} events, {page.capacity} per page",
            as_text(page.total_pages),
            page.exchange.n,
        )
        for page in pages
        if page.total_pages != page.expected_page_count and (page.total or page.total_pages != 0)
    )


@pytest.mark.requirement("LIST-04")
def test_event_is_on_one_page(view: JudgmentView) -> None:
    """Each event MUST be on exactly one page."""
    read = require_list_read(view)
    all_guids = set(read.initial.by_guid)
    for walk in walks(view, Step.WALK, Step.ASCENDING, Step.DESCENDING):
        guids = [guid for page in pages_of(walk) for guid in page.guids]
        duplicates = {guid for guid in guids if guids.count(guid) > 1} - read.new_guids
        n = walk.exchanges[-1].n
        if walk.complete or len(list(pages_of(walk))) > 1:
            view.count(WALKED_ORDERS[walk.exchanges[-1].step], [n])
        if len(duplicates) > _count_new_events(walk):
            require_no(Finding("each event on one page", f"{guid} on several pages", n) for guid in sorted(duplicates))
        missing = all_guids - set(guids) if walk.complete else set()
        require_no(Finding("each event on one page", f"{guid} on no page", n) for guid in sorted(missing))


@pytest.mark.requirement("LIST-05")
def test_page_is_full(view: JudgmentView) -> None:
    """A page MUST hold `per_page` events, except the last page, which holds the rest."""
    read = require_list_read(view)
    total = len(read.initial.rows)
    pages = [page for walk in walks(view, Step.WALK, Step.OPENING) for page in pages_of(walk)]
    sized = [x for x in _undisturbed_lists(view) if _requested_size(x) is not None]
    view.count("full-pages", (page.exchange for page in pages))
    view.count("at-most", sized)
    require_no(
        Finding(
            f"{expected} events on page {page.number}, with {page.capacity} per page",
            str(len(page.guids)),
            page.exchange.n,
        )
        for page in pages
        if not 0 <= len(page.guids) - (expected := page.expected_count(total)) <= len(read.new_guids)
    )
    require_no(
        Finding(f"at most {requested} events on a page", str(len(resources(x))), x.n)
        for x in sized
        if (requested := _requested_size(x)) is not None and len(resources(x)) > requested
    )


@pytest.mark.requirement("LIST-06")
def test_next_and_previous_links(view: JudgmentView) -> None:
    """The `next` and `previous` links MUST lead to the adjacent pages with the same filters."""
    _require_links(view, "next", "previous")


@pytest.mark.requirement("LIST-07")
def test_first_and_last_links(view: JudgmentView) -> None:
    """The `first` and `last` links MUST lead to the first and the last page with the same filters."""
    _require_links(view, "first", "last")


@pytest.mark.requirement("LIST-15")
def test_repeated_reads_are_equal(view: JudgmentView) -> None:
    """Two reads of an unchanged list MUST be equal."""
    new_guids = require_list_read(view).new_guids
    repeated_reads = [
        x
        for x in require_exchanges(view, Scenario.LISTS, Step.SAME_PAGE_TWICE, if_none="The list was not read twice.")
        if x.status == HTTPStatus.OK
    ]
    if len(repeated_reads) < 2:
        raise NotExercised("The list was not read twice with success.")
    rows = require_list_read(view).initial.rows
    default_pages = [x for x in view.of(Scenario.LISTS, Step.DEFAULT_PAGE) if is_page(x)]
    view.count("twice", repeated_reads[1:])
    view.count("without-parameters", (x for x in default_pages if _old_rows(x, new_guids)))
    require_no(
        Finding("the same page as in the first read", describe_response(x), x.n)
        for x in repeated_reads[1:]
        if (x.json != repeated_reads[0].json if not new_guids else _differ(x, repeated_reads[0], new_guids))
    )
    require_no(
        Finding("the beginning of the list, as in the read with large pages", describe_response(x), x.n)
        for x in default_pages
        if not _is_beginning(rows, x, new_guids)
    )


def _successful_lists(view: JudgmentView) -> list[Exchange]:
    """Return every list of the run that was answered with 200."""
    successes = [x for x in view.resource_exchanges() if x.status == HTTPStatus.OK]
    return [x for x in successes if find_operation_id(x.method, x.path) == LIST_OPERATION]


def _undisturbed_lists(view: JudgmentView) -> list[Exchange]:
    """Return the successful lists while no purge was under way: count and rows may be two queries."""
    purges = [x for x in view.exchanges if is_purge(x.method, x.path)]
    return [x for x in _successful_lists(view) if not is_during_purge(x, purges)]


def _requested_size(exchange: Exchange) -> int | None:
    """Return the requested page size; None if `per_page` is missing, repeated or not a decimal number."""
    values = parse_query(exchange.path).get("per_page", [])
    return int(values[0]) if len(values) == 1 and DECIMAL.fullmatch(values[0]) else None


def _require_links(view: JudgmentView, *names: str) -> None:
    """Require these links of every page except those past the end.

    The expected links depend on the number of events in the walk; if other clients caused events in the meantime, on
    the total of the page, since the walk continued.
    """
    read, default = require_list_read(view), default_per_page(view)
    links = [
        (name, words, matches, page)
        for walk in walks(view)
        if walk.complete
        for page in pages_of(walk)
        if (total := page.total if read.new_guids else _expected_total(walk, read)) is not None
        if page.number <= max(1, page.page_count(total))
        for name, words, matches in expected_links(page, total, default)
    ]
    for each in names:
        view.count(each, (page.exchange for name, _, _, page in links if name == each))
    require_no(
        Finding(f"{name}: {words}", as_text(page.links.get(name)), page.exchange.n)
        for name, words, matches, page in links
        if name in names and not matches
    )


def _expected_total(walk: Listing, read: ListRead) -> int | None:
    """Return the number of events that a list must count: all events, or with a filter those that it shows.

    None if a filtered list shows an event twice: another event may then be on no page, which LIST-04 judges.
    """
    if _is_unfiltered(walk):
        return len(read.initial.rows)
    return len(walk.rows) if walk.is_distinct else None


def _is_unfiltered(walk: Listing) -> bool:
    return set(walk.exchanges[0].query) <= {"page", "per_page", "order_by"}


def _count_new_events(walk: Listing) -> int:
    """Return how many events appeared while the pages were read; each may have moved another to the next page."""
    totals = [page.total for page in pages_of(walk) if page.total is not None]
    return max(totals, default=0) - min(totals, default=0)


def _is_beginning(rows: Sequence[Row], page: Exchange, new_guids: frozenset[str]) -> bool:
    """Whether a page shows the first of these rows and new events, or all of them if it has no next page."""
    page_rows = tuple(_old_rows(page, new_guids))
    return tuple(rows[: len(page_rows)]) == page_rows and (
        len(page_rows) == len(rows) or bool(pagination(page).get("next"))
    )


def _differ(x: Exchange, other: Exchange, new_guids: frozenset[str]) -> bool:
    """Whether two pages show different events or another order, up to the shorter one and without new events."""
    pairs = zip(_old_rows(x, new_guids), _old_rows(other, new_guids), strict=False)
    return any(a != b for a, b in pairs)


def _old_rows(page: Exchange, new_guids: frozenset[str]) -> list[Row]:
    return [row for row in resources(page) if str(row.get("guid")) not in new_guids]
