"""Which responses showed which events: when an event was listed first and last, and when all of the list was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from purge_conformance.analysis.event_lists import complete_listings
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import (
    app_of_event,
    event_identity,
    is_page,
    pagination,
    resources,
    snapshots,
    total_results,
)
from purge_conformance.evidence.steps import Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange

PAGE_PARAMETERS = {"order_by", "page", "per_page"}
SAME_SECOND_S = 2.0  # purges at most this far apart may give a seeded event the same time
Identity = tuple[str, str]


@dataclass(frozen=True)
class ListState:
    """All events of the target, as one read shows them.

    Attributes:
        first, last: the numbers of its first and of its last exchange.
        recorded: the events that no purge seeded, by guid.
        seeds: the events that a purge seeded, by guid.
    """

    first: int
    last: int
    recorded: dict[str, Row]
    seeds: dict[str, Row]

    @property
    def rows(self) -> dict[str, Row]:
        """All events, by guid."""
        return self.recorded | self.seeds


@dataclass
class Sightings:
    """What the admin's sequential reads of a run show.

    Attributes:
        pages: each page with at least one event, in order.
        states: each read of all events, in order.
        recorded: guid of an event that no purge seeded -> the numbers of the first and of the last page that shows it.
        seeds: identity of a seeded event -> the first and the last page that shows it.
        seed_guids: the guids of all apps and processes of the run: an event with such a guid is a seeded one.
    """

    seed_guids: frozenset[str]
    pages: list[Exchange] = field(default_factory=list)
    states: list[ListState] = field(default_factory=list)
    recorded: dict[str, tuple[int, int]] = field(default_factory=dict)
    seeds: dict[Identity, tuple[Exchange, Exchange]] = field(default_factory=dict)

    def rules_out_purge(self, first: int, last: int) -> bool:
        """Whether no purge can lie between two exchanges, since an event is listed before the first and after the last.

        A seeded event counts only if it was old enough for a purge to give it another time.
        """
        if any(start <= first and last <= end for start, end in self.recorded.values()):
            return True
        return any(
            start.n <= page.n <= first and last <= end.n and page.sent_at - start.sent_at >= SAME_SECOND_S
            for start, end in self.seeds.values()
            for page in self._pages_between(start.n, first)
        )

    def is_seed(self, row: Row) -> bool:
        """Whether an event has the guid of its app or of a process, as only seeded events have."""
        return row["guid"] == app_of_event(row) or row["guid"] in self.seed_guids

    def add_page(self, page: Exchange) -> None:
        """Add a page and its events."""
        self.pages.append(page)
        for row in resources(page):
            if self.is_seed(row):
                first, _ = self.seeds.get(event_identity(row), (page, page))
                self.seeds[event_identity(row)] = first, page
            else:
                guid = str(row["guid"])
                self.recorded[guid] = self.recorded.get(guid, (page.n, 0))[0], page.n

    def add_state(self, exchanges: Sequence[Exchange], rows: Iterable[Row]) -> None:
        """Add a read of all events."""
        groups: tuple[dict[str, Row], dict[str, Row]] = {}, {}
        for row in rows:
            groups[self.is_seed(row)][str(row["guid"])] = row
        self.states.append(ListState(exchanges[0].n, exchanges[-1].n, *groups))

    def last_seen(self, guid: str, before: int) -> tuple[int, Row] | None:
        """Return the number of the last page before an exchange that shows an event, with the event; or None."""
        shown = ((x.n, row) for x in self.pages if x.n < before for row in resources(x) if row["guid"] == guid)
        return max(shown, key=itemgetter(0), default=None)

    def is_seen_after(self, event: Row, number: int) -> bool:
        """Whether a page after an exchange shows an event."""
        later = (x for x in self.pages if x.n > number)
        return any(event_identity(row) == event_identity(event) for x in later for row in resources(x))

    def _pages_between(self, first: int, last: int) -> list[Exchange]:
        return [x for x in self.pages if first <= x.n <= last][-1:]


def sightings(evidence: Evidence) -> Sightings:
    """Return what the admin's reads of a run show; concurrent ones do not count, since their order is unknown."""
    view = JudgmentView(evidence)
    lists = [each for span in evidence.cached(snapshots) for each in (span.snapshot.apps, span.snapshot.processes)]
    result = Sightings(frozenset(guid for each in lists for guid in each.by_guid))
    left_out = {Tag.CONCURRENT, Tag.SUPERSEDED}  # superseded: perhaps read without an admin's rights
    pages = (x for x in view.resource_exchanges() if x.role == ADMIN and not left_out & x.tags.keys())
    for x in pages:
        if x.route == EVENTS_PATH and resources(x):
            result.add_page(x)
    for exchanges, rows in sorted(_reads_of_all_events(view), key=lambda read: read[0][0].n):
        result.add_state(exchanges, rows)
    return result


def _reads_of_all_events(view: JudgmentView) -> Iterator[tuple[Sequence[Exchange], Sequence[Row]]]:
    """Yield each read of all events, except those that `complete_listings` leaves out."""
    listed = set[int]()
    for listing in complete_listings(view):
        listed |= {x.n for x in listing.exchanges}
        yield listing.exchanges, listing.rows
    for x in view.resource_exchanges():
        if x.n not in listed and Tag.CONCURRENT not in x.tags and _shows_all_events(x):
            yield (x,), resources(x)


def _shows_all_events(x: Exchange) -> bool:
    is_plain = x.route == EVENTS_PATH and x.role == ADMIN and set(x.query) <= PAGE_PARAMETERS
    is_first = x.query.get("page", "1") == "1" and x.scenario is not Scenario.SEQUENCES and x.step is not Step.WALK
    is_whole = is_page(x) and total_results(x) == len(resources(x)) and not pagination(x).get("next")
    return is_plain and is_first and is_whole
