"""Reads pages, filters and orders of the list, between two reads of all of it.

Where the suite changes no apps, all events have one time after the first purge: then orders and filters by time are
read before it as well.
"""

from __future__ import annotations

from itertools import cycle
from math import ceil
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, event_path
from purge_conformance.client.pagination import read_pages
from purge_conformance.config.apps import Mode
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import app_of_event, sample_evenly, usable_rows
from purge_conformance.evidence.steps import Place, Step
from purge_conformance.scenarios.authorization import UNKNOWN_GUID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row
    from purge_conformance.target.apps import SuiteApps

    Query = dict[str, str | int]

PAGES_PER_WALK = 4  # pages into which a walk divides the list
MAX_WALK_EVENTS = 400  # of a longer list, a walk reads the beginning
MAX_GETS = 6
MAX_ANCHORS = 6  # values of after_guid; a third are seeded events
MAX_EARLY_ANCHORS = 3  # values of after_guid before the first purge
TIME_OPERATORS = ("", "[gt]", "[gte]", "[lt]", "[lte]")
INVALID_QUERIES = (
    "per_page=0",
    "per_page=-1",
    "per_page=abc",
    "page=0",
    "page=-1",
    "page=abc",
    "order_by=no_such_field",
    "created_ats=yesterday",
    "created_ats%5Bno_such_operator%5D=2020-06-30T23:49:04Z",
)
PER_PAGE_LIMITS = ("per_page=5000", "per_page=5001")  # around the maximum of Cloud Controller
REFUSED_UPSTREAM_QUERIES = (  # by Cloud Foundry's documentation; other targets may accept them
    "created_ats=2020-06-30T23:49:04.500Z",
    "created_ats=2020-06-30T23:49:04Z,2020-06-30T23:49:05.5Z",
    "created_ats%5Bgt%5D=2020-06-30T23:49:04.500000Z",
    "created_ats%5Blt%5D=2020-06-30T23:49:04Z,2020-07-01T00:00:00Z",
    "updated_ats=2020-06-30T23:49:04Z",
    *(f"created_ats%5B{operator}%5D=2020-06-30T23:49:04.500Z" for operator in ("lt", "gte", "lte")),
    *(f"created_ats%5B{operator}%5D=2020-06-30T23:49:04Z,2020-07-01T00:00:00Z" for operator in ("gt", "gte", "lte")),
    *(f"updated_ats%5B{operator}%5D=2020-06-30T23:49:04Z" for operator in ("gt", "lt", "gte", "lte")),
)
UNSPECIFIED_QUERIES = (  # a target may accept or reject them; 5xx is a failure
    "guids=%00",
    "guids=%FF",
    "page%5B%5D=1",
    "order_by%5B%5D=created_at",
    "after_guid=%00",
    "created_ats=2020-13-01T00:00:00Z",
    "created_ats=2020-06-30T25:00:00Z",
    "page=1&page=2",
    "page=9223372036854775807",
    "guids=",
    "guids=%E2%82%AC",
    f"guids={','.join([str(UNKNOWN_GUID)] * 80)}",
)


def read_lists(client: Client, _: SuiteApps) -> None:
    """Read the list in pages, filtered and ordered, and get some of its events by guid."""
    rows = read_pages(client, EVENTS_PATH, Step.OPENING).rows
    for _again in range(2):
        client.get(f"{EVENTS_PATH}?per_page={client.page_sizes[EVENTS_PATH]}", Step.SAME_PAGE_TWICE)
    client.get(EVENTS_PATH, Step.DEFAULT_PAGE)
    for query in PER_PAGE_LIMITS:
        client.get(f"{EVENTS_PATH}?{query}", Step.PAGE_SIZE_LIMITS)
    for pages in (PAGES_PER_WALK, PAGES_PER_WALK - 1):
        page_size = {"per_page": _page_size(rows, pages)}
        read_pages(client, EVENTS_PATH, Place(Step.WALK, pages), page_size, max_pages=pages + 1)
    _read_ordered_lists(client, rows)
    _read_filtered_lists(client, _filters([row for row in rows if isinstance(row.get("guid"), str)]))
    for row in sample_evenly(usable_rows(rows), MAX_GETS):
        client.get(event_path(row["guid"]), Step.GET)
    for query in INVALID_QUERIES:
        client.get(f"{EVENTS_PATH}?{query}", Step.INVALID_QUERY)
    for query in (*REFUSED_UPSTREAM_QUERIES, *UNSPECIFIED_QUERIES):
        client.get(f"{EVENTS_PATH}?{query}", Step.UNSPECIFIED_QUERY)
    read_pages(client, EVENTS_PATH, Step.CLOSING)


def read_lists_before_purge(client: Client, _: SuiteApps) -> None:
    """Read the list ordered and filtered before the first purge, if its events have different times.

    Nothing is sent if the suite changes apps: then the events of the scenario `lists` have several times. Of a list
    that a few pages do not hold, only these are read.
    """
    if client.settings.apps.mode is not Mode.OBSERVE:
        return
    opening = read_pages(client, EVENTS_PATH, Step.OPENING, max_pages=PAGES_PER_WALK)
    rows = usable_rows(opening.rows)
    times = _times(rows)
    if not opening.complete or times == times[:1]:
        return
    _read_ordered_lists(client, rows)
    recorded = sample_evenly([row["guid"] for row in rows if row["guid"] != app_of_event(row)], MAX_EARLY_ANCHORS)
    filters: dict[Step, Iterable[Query]] = {
        Step.FILTER_AFTER_GUID: _with_page_sizes(rows, [{"after_guid": guid} for guid in recorded]),
        Step.FILTER_CREATED_ATS: _with_page_sizes(rows, _filters_by_several_times(times)),
        Step.COMBINED_FILTERS: ({**query, "per_page": 1} for query in _combined_filters(rows, times)),
    }
    _read_filtered_lists(client, filters)
    read_pages(client, EVENTS_PATH, Step.CLOSING, max_pages=PAGES_PER_WALK)


def _read_ordered_lists(client: Client, rows: Sequence[Row]) -> None:
    for step, order in ((Step.ASCENDING, "created_at"), (Step.DESCENDING, "-created_at")):
        page: Query = {"order_by": order, "per_page": _page_size(rows, PAGES_PER_WALK - 1)}
        read_pages(client, EVENTS_PATH, step, page, max_pages=PAGES_PER_WALK)


def _read_filtered_lists(client: Client, filters: Mapping[Step, Iterable[Query]]) -> None:
    for step, queries in filters.items():
        for index, query in enumerate(queries):
            if query:
                read_pages(client, EVENTS_PATH, Place(step, index), query, max_pages=PAGES_PER_WALK)


def _filters(rows: list[Row]) -> dict[Step, Iterable[Query]]:
    times = _times(rows)
    return {
        Step.FILTER_GUIDS: _guid_filters(rows),
        Step.FILTER_AFTER_GUID: _with_page_sizes(rows, [{"after_guid": guid} for guid in _anchors(rows)]),
        Step.FILTER_CREATED_ATS: _with_page_sizes(rows, _time_filters(times)),
        Step.COMBINED_FILTERS: ({**query, "per_page": 1} for query in _combined_filters(rows, times)),
    }


def _guid_filters(rows: list[Row]) -> Iterator[Query]:
    """Yield filters by one guid and by several; and by unknown ones: one that no event has, a prefix, an app's guid."""
    guids = [str(row["guid"]) for row in rows]
    apps = [app for row in rows if (app := app_of_event(row)) and app not in guids]
    unmatched = [str(UNKNOWN_GUID), *(guid[:8] for guid in guids[:1]), *apps[:1]]
    middle = len(guids) // 2  # a retention job deletes the oldest
    several = (guids[middle : middle + 1], sample_evenly(guids, 3), [*guids[-1:], str(UNKNOWN_GUID)])
    for values in (*several, *([guid] for guid in unmatched)):
        yield {"guids": ",".join(values), "per_page": 2} if values else {}


def _with_page_sizes(rows: list[Row], filters: Iterable[dict[str, str]]) -> Iterator[Query]:
    """Add to every other filter a page size with which its list has several pages."""
    page_sizes = cycle(({"per_page": _page_size(rows, PAGES_PER_WALK - 1)}, {}))
    return ({**query, **size} for query, size in zip(filters, page_sizes, strict=False))


def _combined_filters(rows: list[Row], times: list[str]) -> Iterator[dict[str, str]]:
    """Yield combinations of filters and an order, in which each filter has an effect of its own."""
    some = sample_evenly(times, max(2, min(3, len(times) - 1)))  # of three events, `guids` leaves one out
    of_times = [next(str(row["guid"]) for row in rows if _filter_time(row) == time) for time in some]
    if len(of_times) > 1:
        descending = {"guids": ",".join(of_times), "order_by": "-created_at"}
        yield from (descending, {**descending, "created_ats[lt]": times[-1]})
    every = [str(row["guid"]) for row in rows if row["guid"] != app_of_event(row)]
    spared = len(every) // 6  # at either end: a retention job deletes the oldest
    recorded = sample_evenly(every[spared : len(every) - spared], 3)
    if len(recorded) > 1:
        time_filter = {"created_ats[gte]": times[0]} if times else {}
        yield {"guids": ",".join(recorded), "after_guid": recorded[0], "order_by": "created_at", **time_filter}


def _times(rows: Iterable[Row]) -> list[str]:
    """Return the different times of events, to the second, as filters have them, in order."""
    return sorted({time for row in rows if (time := _filter_time(row))})


def _filter_time(row: Row) -> str | None:
    moment = clock.parse_rfc3339(row.get("created_at"))
    return moment.strftime(clock.FILTER_FORMAT) if moment else None


def _anchors(rows: list[Row]) -> list[str]:
    """Return the values of after_guid: guids of seeded events and of recorded ones."""
    seeded = [row["guid"] for row in rows if row["guid"] == app_of_event(row)]
    recorded = [row["guid"] for row in rows if row["guid"] != app_of_event(row)]
    anchors = sample_evenly(seeded, MAX_ANCHORS // 3)
    return [*anchors, *sample_evenly(recorded, MAX_ANCHORS - len(anchors))]


def _time_filters(times: list[str]) -> Iterator[dict[str, str]]:
    """Yield filters by time: each operator, several times in one filter, and two operators together."""
    for time in sample_evenly(times, 2):
        for operator in TIME_OPERATORS:
            yield {f"created_ats{operator}": time}
    yield from _filters_by_several_times(times)


def _filters_by_several_times(times: list[str]) -> Iterator[dict[str, str]]:
    """Yield a filter by several times, and one by two operators."""
    if len(times) > 1:
        yield {"created_ats": ",".join(sample_evenly(times, 3))}
        yield {"created_ats[gt]": times[0], "created_ats[lt]": times[-1]}  # each excludes other events


def _page_size(rows: Sequence[Row], pages: int) -> int:
    """Return the page size that divides the list, at most `MAX_WALK_EVENTS` events of it, into that many pages."""
    return max(1, ceil(min(len(rows), MAX_WALK_EVENTS) / pages))
