"""Lists and snapshots of the target, built from the exchanges that read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from purge_conformance.catalogue.api import is_usable_guid
from purge_conformance.evidence.steps import Part, place_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from purge_conformance.evidence.records import Evidence, Exchange, Key
    from purge_conformance.evidence.steps import Scenario, Where

OK, NOT_FOUND = 200, 404
APPS = "/v3/apps"
# Label of what the suite creates. It has no prefix, since Cloud Controller accepts only prefixes with a dot.
RUN_LABEL = "purge-conformance-run"
STARTED, STOPPED = "STARTED", "STOPPED"
GUARANTEED_PAGE_SIZE = 20  # a list must neither reject pages of that size nor make them smaller
CHANGE_FIELDS = ("state", "instance_count", "memory_in_mb_per_instance")
Row = dict[str, Any]
Item = TypeVar("Item")
SNAPSHOT_PARTS = (Part.EVENTS, Part.APPS, Part.PROCESSES)  # in the order of the members of Snapshot


@dataclass(frozen=True)
class Listing:
    """The pages of a list, read one after the other.

    Attributes:
        exchanges: the pages.
        rows: their resources in order; a row whose guid is on an earlier page is left out.
        total: `total_results` of the first page, or None.
        complete: whether every page could be read, up to the end.
    """

    exchanges: tuple[Exchange, ...]
    rows: tuple[Row, ...]
    total: int | None
    complete: bool

    @cached_property
    def by_guid(self) -> dict[str, Row]:
        """The rows by their guid."""
        return {str(row.get("guid")): row for row in self.rows}

    @property
    def is_distinct(self) -> bool:
        """Whether each row is on one page alone; where some are on several, others may be on none."""
        return sum(len(resources(page)) for page in self.exchanges) == len(self.rows)


@dataclass(frozen=True)
class Snapshot:
    """The events, the apps and the processes at one moment."""

    events: Listing
    apps: Listing
    processes: Listing

    def process_count(self, app: str) -> int | None:
        """Return how many processes an app has, or None where that could not be read."""
        if not self.processes.complete:
            return None
        return len(self.processes_of(app))

    def processes_of(self, app: str) -> list[Row]:
        """Return the processes of an app, as far as they could be read."""
        return self._processes_by_app.get(app, [])

    @cached_property
    def _processes_by_app(self) -> dict[str | None, list[Row]]:
        by_app: dict[str | None, list[Row]] = {}
        for row in self.processes.rows:
            by_app.setdefault(app_of_process(row), []).append(row)
        return by_app


@dataclass(frozen=True)
class SnapshotSpan:
    """A snapshot, and the numbers of its first and its last exchange."""

    first: int
    last: int
    snapshot: Snapshot


def build_listing(exchanges: Iterable[Exchange], *, reached_end: bool) -> Listing:
    """Return the list of these pages; `reached_end` says whether the reader reached the end of the list.

    Left out: pages that the target rejected for their size before smaller ones were requested, and a rejected page
    beyond the end.
    """
    pages = tuple(exchanges)
    while (
        len(pages) > 1
        and is_query_rejected(pages[0])
        and pages[0].query.get("per_page") != pages[1].query.get("per_page")
    ):
        pages = pages[1:]
    if is_beyond_end(pages):
        pages = pages[:-1]
    rows: list[Row] = []
    seen_guids: set[str] = set()
    for page in pages:
        page_rows = resources(page)
        rows += [row for row in page_rows if str(row.get("guid")) not in seen_guids]
        seen_guids |= {str(row.get("guid")) for row in page_rows}
    is_readable = bool(pages) and all(is_page(page) for page in pages)
    return Listing(pages, tuple(rows), total_results(pages[0]) if pages else None, is_readable and reached_end)


def listing_at(evidence: Evidence, scenario: Scenario, where: Where, round: int = 1) -> Listing:
    """Return the list that was read at a place; an empty, incomplete one where none was."""
    place = place_of(where)
    key: Key = scenario, round, place
    pages = evidence.at(scenario, place, round)
    if key not in evidence.cache:  # one Listing for all judgments: its rows are indexed once
        evidence.cache[key] = build_listing(pages, reached_end=evidence.is_complete(key))
    cached: Listing = evidence.cache[key]
    return cached


def snapshot_at(evidence: Evidence, scenario: Scenario, where: Where, round: int = 1) -> Snapshot:
    """Return the snapshot that was taken at a place."""
    place = place_of(where)
    return Snapshot(*(listing_at(evidence, scenario, place.of(part), round) for part in SNAPSHOT_PARTS))


def listing_of(evidence: Evidence, numbers: Iterable[int], part: Part | None = None) -> Listing:
    """Return the list among the exchanges of one side of a span: the one of that part, or the only one."""
    pages = _pages_of(evidence, numbers, part)
    return listing_at(evidence, pages[0].scenario, pages[0].place, pages[0].round) if pages else EMPTY_LISTING


def snapshot_of(evidence: Evidence, numbers: Iterable[int]) -> Snapshot:
    """Return the snapshot of one side of a span; parts that were not read are empty and incomplete."""
    every = tuple(numbers)
    return Snapshot(*(listing_of(evidence, every, part) for part in SNAPSHOT_PARTS))


def snapshots(evidence: Evidence) -> list[SnapshotSpan]:
    """Return every snapshot of the run, in the order in which they ended."""
    spans = [
        SnapshotSpan(first, last, snapshot_at(evidence, scenario, place, number))
        for (scenario, number, place), (first, last) in evidence.snapshot_keys.items()
    ]
    return sorted(spans, key=lambda span: span.last)


def first_page(evidence: Evidence, numbers: Iterable[int], part: Part | None = None) -> Exchange | None:
    """Return the first page of one side of a span, of a part or of the only list; None where nothing was read."""
    return next(iter(_pages_of(evidence, numbers, part)), None)


def _pages_of(evidence: Evidence, numbers: Iterable[int], part: Part | None) -> list[Exchange]:
    return [x for x in evidence.numbered(numbers) if x.place.part is part]


def is_page(exchange: Exchange) -> bool:
    """Whether a response can be read as a page of a list."""
    return exchange.page is not None


def is_query_rejected(exchange: Exchange) -> bool:
    """Whether the target rejected the query."""
    return exchange.status in {400, 422}


def is_beyond_end(pages: Sequence[Exchange]) -> bool:
    """Whether the last response rejects a page beyond the end, which the page before it did not link to."""
    if len(pages) < 2 or not is_page(pages[-2]):  # noqa: PLR2004 -- the end, and the page before it
        return False
    return (is_query_rejected(pages[-1]) or pages[-1].status == NOT_FOUND) and not pagination(pages[-2]).get("next")


def resources(exchange: Exchange) -> tuple[Row, ...]:
    """Return the resources on a page that have a guid; empty where the response is no page."""
    return exchange.resources


def usable_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the rows whose guid can be a segment of a path; the others are only listed."""
    return [row for row in rows if is_usable_guid(row.get("guid"))]


def pagination(exchange: Exchange) -> Mapping[str, Any]:
    """Return a page's pagination object, empty where there is none."""
    value = exchange.page.get("pagination") if exchange.page else None
    return value if isinstance(value, dict) else {}


def total_results(exchange: Exchange) -> int | None:
    """Return `total_results` of a page, or None where it has none."""
    total = pagination(exchange).get("total_results")
    if isinstance(total, float) and total.is_integer():
        return int(total)  # in JSON 7.0 equals 7
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def split_url(href: str) -> SplitResult | None:
    """Return the parts of a link, or None where it is not a URL reference."""
    try:
        return urlsplit(href)
    except ValueError:
        return None


def dig(row: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401 -- any JSON value
    """Return a nested member, or None where it is missing."""
    value: Any = row
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def event_identity(row: Row) -> tuple[str, str]:
    """Return guid and time of an event; a seeded event may reuse the guid of an earlier one."""
    return str(row.get("guid")), str(row.get("created_at"))


def app_of_event(event: Row) -> str | None:
    """Return the guid of the app that an event is about, or None; an event of a task is about no app."""
    if dig(event, "task", "guid") is not None:
        return None
    guid = dig(event, "app", "guid")
    return guid if isinstance(guid, str) else None


def is_change_event(event: Row) -> bool:
    """Whether an event shows a change of an app, or is about a task."""
    pairs = [(dig(event, name, "previous"), dig(event, name, "current")) for name in CHANGE_FIELDS]
    known_pairs = [pair for pair in pairs if None not in pair]
    return dig(event, "task", "guid") is not None or any(was != now for was, now in known_pairs)


def is_crash_event(event: Row) -> bool:
    """Whether an event records a crash, which may occur at any time."""
    return "CRASH" in str(dig(event, "state", "current")).upper()


def app_of_process(process: Row) -> str | None:
    """Return the guid of the app that a process belongs to, or None."""
    guid = dig(process, "relationships", "app", "data", "guid")
    return guid if isinstance(guid, str) else None


def stable_apps(before: Snapshot, after: Snapshot, own_apps: Collection[str] = frozenset()) -> dict[str, str]:
    """Return app guid -> state of the apps that did not change between two snapshots.

    Of the suite's `own_apps` the state and the processes are compared: no other client changes them. Of other apps
    `updated_at` as well, though the target may update it by itself.
    """
    processes = _process_states(before.processes), _process_states(after.processes)
    apps = before.apps.by_guid, after.apps.by_guid
    return {
        guid: str(row.get("state"))
        for guid, row in apps[0].items()
        if guid in apps[1]
        and _have_equal(row, apps[1][guid], "state", *(() if guid in own_apps else ("updated_at",)))
        and processes[0].get(guid) == processes[1].get(guid)
    }


def _have_equal(first: Row, second: Row, *names: str) -> bool:
    return all(first.get(name) == second.get(name) for name in names)


def _process_states(processes: Listing) -> dict[str | None, set[tuple[str, ...]]]:
    by_app: dict[str | None, set[tuple[str, ...]]] = {}
    for row in processes.rows:
        state = tuple(str(row.get(name)) for name in ("guid", "instances", "memory_in_mb"))
        by_app.setdefault(app_of_process(row), set()).add(state)
    return by_app


def sample_evenly(items: Sequence[Item], max_items: int) -> list[Item]:
    """Return at most that many items, the first and the last one included."""
    if len(items) <= max_items:
        return list(items)
    return [items[round(i * (len(items) - 1) / (max_items - 1))] for i in range(max_items)]


EMPTY_LISTING = build_listing((), reached_end=False)
