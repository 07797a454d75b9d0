"""Decides whether a walk over the pages of the list read all events: what a purge may destroy must be in the archive.

Judgments use a laxer end of a list, `Pages.reached_end`: they must not accuse a target for what they did not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.errors import readable_error
from purge_conformance.evidence.listing import NOT_FOUND, is_query_rejected
from purge_conformance.target.archive.guid_set import GuidSet
from purge_conformance.target.archive.page import EventPage, names_next

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.config.settings import Limits
    from purge_conformance.evidence.records import Exchange

MAX_WALKS = 3  # over a list that changes meanwhile
MAX_QUOTED_CHARS = 60  # of a value of the target
LARGEST_MAX_EVENTS, LARGEST_MAX_REQUESTS = 100_000_000, 100_000  # that the flags accept


class Extent(Enum):
    """How much of a list a walk read."""

    WHOLE = auto()
    PART = auto()
    CHANGED = auto()  # a part, because the list changed during the walk: another walk may read it whole
    NOTHING = auto()  # or its first page again and again: the list cannot be read at all


@dataclass(frozen=True, slots=True)
class Reading:
    """What a walk over the list achieved.

    Attributes:
        extent: how much was read.
        reason: why events are missing, with the value that was got; empty if all were read.
    """

    extent: Extent
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all events were read."""
        return self.extent is Extent.WHOLE


class ListCheck:
    """Checks the pages of one walk, one after the other.

    All events were read if no event was listed twice, each has a guid, no total is smaller than an earlier one, the
    last page names no next page, and the last total is the number of events.

    Attributes:
        pages: how many were read.
        events: how many distinct guids were on them.
    """

    def __init__(self) -> None:
        """Start before the first page."""
        self.pages = 0
        self._seen = GuidSet()
        self._first_page: list[str] = []
        self._last: EventPage | None = None
        self._total: int | None = None
        self._problem: Reading | None = None  # the first one

    @property
    def events(self) -> int:
        """The number of distinct guids so far."""
        return len(self._seen)

    @property
    def has_problem(self) -> bool:
        """Whether a page contradicts that the walk reads all events."""
        return self._problem is not None

    def add(self, page: EventPage) -> None:
        """Check the next page."""
        if not page.is_page:
            self._add_unreadable(page.exchange)
            return
        self.pages += 1
        self._check_rows(page)
        self._check_total(page)
        self._last = page

    def reading(self, limits: Limits, *, blocked: str = "") -> Reading:
        """Return the result after the last page.

        Args:
            limits: those of the walk, which may have ended it.
            blocked: why the next page could not be requested; empty if it was not tried.
        """
        if self._problem:
            return self._problem
        if self._last is None:
            return Reading(Extent.NOTHING, blocked or "No page of the list was read.")
        if self.events > limits.max_events:
            return Reading(Extent.PART, f"It has {self.events} events: {self._max_events_advice(limits)}")
        if names_next(self._last.pagination):
            return Reading(Extent.PART, self._why_next_was_not_read(self._last, limits, blocked))
        if self._total is None:
            got = _quote(self._last.pagination.get("total_results"))
            return Reading(
                Extent.PART, f"No page gives an integer total_results (got {got}), so {self.events} may not be all."
            )
        if self.events != self._total:
            return Reading(Extent.CHANGED, _contradiction(self.events, self._total))
        return Reading(Extent.WHOLE)

    def _add_unreadable(self, page: Exchange) -> None:
        is_rejected = is_query_rejected(page) or page.status == NOT_FOUND
        if is_rejected and self._last and not self._last.pagination.get("next"):
            return  # beyond the end
        number = self.pages + 1
        got = (
            f"got no response ({readable_error(page.error)})" if page.status is None else f"was answered {page.status}"
        )
        extent = Extent.PART if self.pages else Extent.NOTHING
        self._report(extent, f"GET {EVENTS_PATH}, page {number}, {got}, which is not a page of a list.")

    def _check_rows(self, page: EventPage) -> None:
        if not page.size and names_next(page.pagination):
            self._report(Extent.PART, f"Page {self.pages} has no event and still names a next page.")
        if page.guids and page.guids != self._first_page and self._seen.add_all(page.guids):
            self._first_page = self._first_page if self.pages > 1 else list(page.guids)
            return
        rows = page.rows()
        guids = [row.get("guid") if isinstance(row, dict) else None for row in rows]
        texts = [guid for guid in guids if isinstance(guid, str) and guid]
        if self.pages == 1:
            self._first_page = texts
        elif texts and texts == self._first_page:
            self._report(
                Extent.NOTHING, f"Page {self.pages} has the same events as page 1, the first {_quote(texts[0])}."
            )
        for row, guid in zip(rows, guids, strict=True):
            if not isinstance(row, dict):
                self._report(Extent.PART, f"Page {self.pages} has {_quote(row)} in place of an event.")
            elif not (isinstance(guid, str) and guid):
                got = _quote(guid) if "guid" in row else "none"
                self._report(Extent.PART, f"Page {self.pages} has an event whose guid is {got}; expected a string.")
            elif not self._seen.add(guid):
                self._report(Extent.CHANGED, f"Page {self.pages} has the event {_quote(guid)} a second time.")

    def _check_total(self, page: EventPage) -> None:
        total = page.pagination.get("total_results")
        if type(total) is not int:  # no bool, which is an int in Python
            return
        if self._total is not None and total < self._total:
            self._report(
                Extent.CHANGED,
                f"Page {self.pages} has total_results {_quote(total)}, and an earlier page {_quote(self._total)}.",
            )
        self._total = total
        if self.events > total + page.size:  # of a page, since events may have been recorded after they were counted
            self._report(Extent.CHANGED, _contradiction(self.events, total))

    def _report(self, extent: Extent, reason: str) -> None:
        self._problem = self._problem or Reading(extent, reason)

    def _why_next_was_not_read(self, last: EventPage, limits: Limits, blocked: str) -> str:
        got = f"Page {self.pages} names a next page, which was not read"
        if blocked:
            return f"{got}: {blocked}"
        rest = f"got {self.events} of {'an unknown number' if self._total is None else _quote(self._total)}"
        if self.events >= limits.max_events:
            return f"{got} ({rest}): {self._max_events_advice(limits)}"
        per_page = max(1, last.size)
        pages = -(-(self._total or 2 * self.events) // per_page)
        larger = limits.max_requests + 3 * max(pages, self.pages)
        return (
            f"{got} ({rest}): it would take too many of the {limits.max_requests} requests. "
            f"{_advise('--max-requests', larger, LARGEST_MAX_REQUESTS)}"
        )

    def _max_events_advice(self, limits: Limits) -> str:
        larger = 2 * max(self._total or 0, self.events, limits.max_events)
        return f"--max-events is {limits.max_events}. {_advise('--max-events', larger, LARGEST_MAX_EVENTS)}"


def check_pages(pages: Iterable[Exchange]) -> ListCheck:
    """Return the check of the pages of one walk."""
    check = ListCheck()
    for page in pages:
        check.add(EventPage(page))
    return check


def after_walks(reading: Reading, walks: int) -> Reading:
    """Return the result of the last of several walks; one of a list that changed each time says so."""
    if reading.extent is not Extent.CHANGED:
        return reading
    times = f"The list was read {walks} times: it changes faster than it can be read, or contradicts itself. "
    return Reading(Extent.CHANGED, f"{times if walks > 1 else ''}{reading.reason}")


def _contradiction(events: int, total: int) -> str:
    return f"The list has {events} events on its pages, and total_results {_quote(total)}."


def _advise(flag: str, number: int, largest: int) -> str:
    return f"Give {flag} {min(number, largest)}."


def _quote(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    """Return a value of the target for a message: short, and in printable ASCII."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = ascii(value)
    return text if len(text) <= MAX_QUOTED_CHARS else f"{text[:MAX_QUOTED_CHARS]}..."
