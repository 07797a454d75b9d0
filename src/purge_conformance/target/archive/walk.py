"""Walks over the pages of the list of events, for an archive that has to be whole."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.pagination import FALLBACK_PAGE_SIZES, MAX_PAGE_SIZE
from purge_conformance.client.read_ahead import ReadAhead
from purge_conformance.errors import TargetUnreachable
from purge_conformance.evidence.clean_lines import CleanLines
from purge_conformance.evidence.errors import readable_error
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_query_rejected
from purge_conformance.evidence.steps import Step
from purge_conformance.target.archive.page import EventPage, names_next, read_page
from purge_conformance.target.connection_failures import explain_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.archive.list_check import ListCheck


def walk(client: Client, check: ListCheck, must_slow_down: Callable[[], bool]) -> Iterator[EventPage]:
    """Yield the pages of the list, in the largest page size that the target accepts, and check each.

    The walk ends with the list, at a limit, and at the first page that contradicts that all events were read.

    Raises:
        TargetUnreachable: there is no response to a request for a page.
    """
    largest = min(MAX_PAGE_SIZE, client.settings.limits.max_events)
    for size in (largest, *(size for size in FALLBACK_PAGE_SIZES if size < largest)):

        def request(number: int, size: int = size) -> Exchange:
            return client.get(f"{EVENTS_PATH}?per_page={size}&page={number}", Step.EXISTING_EVENTS)

        with ReadAhead(request, must_slow_down) as ahead:
            pages = read_pages(client, check, ahead, size)
            first = next(pages)
            if size > GUARANTEED_PAGE_SIZE and is_query_rejected(first.exchange):
                continue
            yield first
            yield from pages
            return


def read_pages(client: Client, check: ListCheck, ahead: ReadAhead, size: int) -> Iterator[EventPage]:
    """Yield the pages of this size that `ahead` requests, and check each before the next one is taken."""
    most = client.guard.requests_left // 2  # pages: an endless list must not use up all requests
    clean, last = CleanLines(client.redactor), 1
    for number in count(1):
        exchange = ahead.page(number, last)
        if exchange.status is None:
            raise TargetUnreachable(
                f"No response to GET {EVENTS_PATH} ({readable_error(exchange.error)}). "
                f"{explain_failure(exchange.error)[1]}"
            )
        page = read_page(exchange, clean)
        last = min(_last_page(page), most) if number == 1 else last
        yield page
        check.add(page)
        has_more = page.size >= size or names_next(page.pagination)
        if check.has_problem or not page.is_page or not page.size or not has_more:
            return
        if check.events >= client.settings.limits.max_events or number >= most:
            return


def _last_page(first: EventPage) -> int:
    """Return the number of the last page, as far as the first one says; 1 if it does not."""
    total = first.pagination.get("total_results")
    return -(-total // first.size) if type(total) is int and total > 0 and first.size else 1
