"""What the foundation looked like at one moment, read from the exchanges that looked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from purge_conformance.evidence.records import Evidence, Exchange

OK, NOT_FOUND = 200, 404
APPS = "/v3/apps"
RUN_LABEL = (
    "purge-conformance-run"  # of what the suite made; without a prefix: Cloud Controller takes none without a dot
)
STARTED, STOPPED = "STARTED", "STOPPED"
GUARANTEED_PAGE_SIZE = 20  # no list may refuse pages of that size, nor make them smaller
CHANGE_FIELDS = ("state", "instance_count", "memory_in_mb_per_instance")
Row = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Listing:
    """One walk over the pages of a list.

    Attributes:
        exchanges: the pages.
        rows: their resources in order; a row whose guid stood on an earlier page is left out.
        total: `total_results` of the first page, or None.
        complete: whether every page could be read, to the last.
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


def build_listing(exchanges: Iterable[Exchange], *, reached_end: bool) -> Listing:
    """Return the walk that these pages are; `finished` says whether the walk came to its end.

    Pages that the target refused for their size, before it was asked for smaller ones, are no part of it, and neither
    is what it refused beyond the end.
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


def read_snapshot(evidence: Evidence, experiment: str, step: str) -> Snapshot:
    """Return what an experiment saw at a step that it took with `look.everything`."""

    def read_list(name: str) -> Listing:
        return read_listing(evidence, experiment, f"{step}.{name}")

    return Snapshot(read_list("events"), read_list("apps"), read_list("processes"))


def read_listing(evidence: Evidence, experiment: str, step: str) -> Listing:
    """Return one walk that an experiment took with `look.walk`."""
    pages, cache_key = evidence.of(experiment, step), (experiment, step)
    if cache_key not in evidence.cache:
        reached_end = bool(evidence.note(experiment, f"{step}.complete"))
        evidence.cache[cache_key] = build_listing(pages, reached_end=reached_end)
    cached: Listing = evidence.cache[cache_key]
    return cached


def is_page(exchange: Exchange) -> bool:
    """Whether an answer can be read as a page of a list."""
    return exchange.page is not None


def is_query_rejected(exchange: Exchange) -> bool:
    """Whether an answer says that something is wrong with the query."""
    return exchange.status in {400, 422}


def is_beyond_end(pages: Sequence[Exchange]) -> bool:
    """Whether the last of these answers is how a target says that there is no such page: none before named it."""
    if len(pages) < 2 or not is_page(pages[-2]):  # noqa: PLR2004 -- the end, and the page before it
        return False
    return (is_query_rejected(pages[-1]) or pages[-1].status == NOT_FOUND) and not pagination(pages[-2]).get("next")


def resources(exchange: Exchange) -> tuple[Row, ...]:
    """Return the resources on a page; nothing where it is none. What has no guid is none, and LIST-01 names it."""
    return exchange.resources


def pagination(exchange: Exchange) -> Mapping[str, Any]:
    """Return a page's pagination object, empty where there is none."""
    value = exchange.page.get("pagination") if exchange.page else None
    return value if isinstance(value, dict) else {}


def total_results(exchange: Exchange) -> int | None:
    """Return `total_results` of a page, or None where it has none."""
    total = pagination(exchange).get("total_results")
    if isinstance(total, float) and total.is_integer():
        return int(total)  # to JSON 7.0 is 7
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def split_url(href: str) -> SplitResult | None:
    """Return the parts of a link, or None where it is no URL reference."""
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
    """Return what tells an event from one that took its place: guid and time."""
    return str(row.get("guid")), str(row.get("created_at"))


def app_of_event(event: Row) -> str | None:
    """Return the guid of the app that an event names, or None; events of tasks count as none."""
    if dig(event, "task", "guid") is not None:
        return None
    guid = dig(event, "app", "guid")
    return guid if isinstance(guid, str) else None


def is_change_event(event: Row) -> bool:
    """Whether an event says that something became other than it was, or is a task's."""
    pairs = [(dig(event, name, "previous"), dig(event, name, "current")) for name in CHANGE_FIELDS]
    known_pairs = [pair for pair in pairs if None not in pair]
    return dig(event, "task", "guid") is not None or any(was != now for was, now in known_pairs)


def is_crash_event(event: Row) -> bool:
    """Whether an event is of a crash, which nobody orders and which may come at any time."""
    return "CRASH" in str(dig(event, "state", "current")).upper()


def app_of_process(process: Row) -> str | None:
    """Return the guid of the app that a process belongs to, or None."""
    guid = dig(process, "relationships", "app", "data", "guid")
    return guid if isinstance(guid, str) else None


def stable_apps(before: Snapshot, after: Snapshot, own_apps: Collection[str] = frozenset()) -> dict[str, str]:
    """Return app guid -> state, of the apps that nobody started, stopped, scaled or changed between two looks.

    Nobody changes the suite's `own` apps and changes them back: their state tells enough. `updated_at` may be the time
    of what the target does by itself.
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
    """Return at most that many items, the first and the last among them."""
    if len(items) <= max_items:
        return list(items)
    return [items[round(i * (len(items) - 1) / (max_items - 1))] for i in range(max_items)]
