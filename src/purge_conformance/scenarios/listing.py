"""Reads the list in every documented way, between two looks at the whole."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, event_path
from purge_conformance.client import pagination as look
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import app_of_event, sample_evenly
from purge_conformance.scenarios.authorization import UNKNOWN_GUID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row
    from purge_conformance.target.apps import SuiteApps

PAGES_PER_WALK = 4  # pages that a walk cuts the list into
MAX_WALK_EVENTS = 400  # longer lists are walked by the archive alone
MAX_GETS = 6
MAX_ANCHORS = 6  # a third of them seeded events
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
PER_PAGE_LIMITS = ("per_page=5000", "per_page=5001")  # Cloud Controller's; another target may have others
UNSPECIFIED_QUERIES = (  # accepted or refused, both conform; none may make the list fail
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
    """Walk, filter and order the list, and get some of its events one by one."""
    rows = look.read_pages(client, EVENTS_PATH, "opening").rows
    for _again in range(2):
        client.get(f"{EVENTS_PATH}?per_page={client.page_sizes[EVENTS_PATH]}", "twice")
    client.get(EVENTS_PATH, "plain")
    for query in PER_PAGE_LIMITS:
        client.get(f"{EVENTS_PATH}?{query}", "bounds")
    for pages in (PAGES_PER_WALK, PAGES_PER_WALK - 1):
        look.read_pages(
            client,
            EVENTS_PATH,
            f"walk {pages}",
            {"per_page": _ceil_div(min(len(rows), MAX_WALK_EVENTS), pages)},
            max_pages=pages + 1,
        )
    for order in ("created_at", "-created_at"):
        page: dict[str, str | int] = {
            "order_by": order,
            "per_page": _ceil_div(min(len(rows), MAX_WALK_EVENTS), PAGES_PER_WALK - 1),
        }
        look.read_pages(client, EVENTS_PATH, f"order {order}", page, max_pages=PAGES_PER_WALK)
    _read_filtered_lists(client, [row for row in rows if isinstance(row.get("guid"), str)])
    for row in sample_evenly(rows, MAX_GETS):
        client.get(event_path(row.get("guid")), "get")
    for query in INVALID_QUERIES:
        client.get(f"{EVENTS_PATH}?{query}", "invalid")
    for query in UNSPECIFIED_QUERIES:
        client.get(f"{EVENTS_PATH}?{query}", "odd")
    look.read_pages(client, EVENTS_PATH, "closing")


def _read_filtered_lists(client: Client, rows: list[Row]) -> None:
    guids = [str(row["guid"]) for row in rows]
    apps = [app for row in rows if (app := app_of_event(row)) and app not in guids]
    unmatched_guids = [
        str(UNKNOWN_GUID),
        *(guid[:8] for guid in guids[:1]),
        *apps[:1],
    ]  # a guid, the beginning of one, an app's
    for number, guid_filter in enumerate(
        (guids[:1], sample_evenly(guids, 3), [*guids[-1:], str(UNKNOWN_GUID)], *([n] for n in unmatched_guids))
    ):
        if guid_filter:
            look.read_pages(
                client,
                EVENTS_PATH,
                f"guids {number}",
                {"guids": ",".join(guid_filter), "per_page": 2},
                max_pages=PAGES_PER_WALK,
            )
    for number, (guid, size) in enumerate(zip(_anchors(rows), _page_sizes(rows), strict=False)):
        look.read_pages(
            client, EVENTS_PATH, f"after_guid {number}", {"after_guid": guid, **size}, max_pages=PAGES_PER_WALK
        )
    times = sorted({time for row in rows if (time := _filter_time(row))})
    for number, (query, size) in enumerate(zip(_time_filters(times), _page_sizes(rows), strict=False)):
        look.read_pages(client, EVENTS_PATH, f"created_ats {number}", {**query, **size}, max_pages=PAGES_PER_WALK)
    for number, query in enumerate(_combined_filters(rows, times)):
        look.read_pages(client, EVENTS_PATH, f"combined {number}", {**query, "per_page": 1}, max_pages=PAGES_PER_WALK)


def _page_sizes(rows: list[Row]) -> Iterator[dict[str, int]]:
    """Return how large the pages of filtered lists are to be: by turns so that there are several, and as is usual."""
    return cycle(({"per_page": _ceil_div(min(len(rows), MAX_WALK_EVENTS), PAGES_PER_WALK - 1)}, {}))


def _combined_filters(rows: list[Row], times: list[str]) -> Iterator[dict[str, str]]:
    """Yield filters beside each other, and beside an order, of which each does what the others do not."""
    of_times = [next(str(row["guid"]) for row in rows if _filter_time(row) == time) for time in sample_evenly(times, 3)]
    if len(of_times) > 1:
        descending = {"guids": ",".join(of_times), "order_by": "-created_at"}
        yield from (descending, {**descending, "created_ats[lt]": times[-1]})
    recorded = sample_evenly([str(row["guid"]) for row in rows if row["guid"] != app_of_event(row)], 3)
    if len(recorded) > 1:
        time_filter = {"created_ats[gte]": times[0]} if times else {}
        yield {"guids": ",".join(recorded), "after_guid": recorded[0], "order_by": "created_at", **time_filter}


def _filter_time(row: Row) -> str | None:
    moment = clock.parse_rfc3339(row.get("created_at"))
    return moment.strftime(clock.FILTER_FORMAT) if moment else None


def _anchors(rows: list[Row]) -> list[str]:
    """Return the guids to ask for what is after them: of seeded events and of recorded ones."""
    seeded = [row["guid"] for row in rows if row["guid"] == app_of_event(row)]
    recorded = [row["guid"] for row in rows if row["guid"] != app_of_event(row)]
    anchors = sample_evenly(seeded, MAX_ANCHORS // 3)
    return [*anchors, *sample_evenly(recorded, MAX_ANCHORS - len(anchors))]


def _time_filters(times: list[str]) -> Iterator[dict[str, str]]:
    """Yield the filters by time: each operator, several times at once, and two operators together."""
    for time in sample_evenly(times, 2):
        for operator in TIME_OPERATORS:
            yield {f"created_ats{operator}": time}
    if len(times) > 1:
        yield {"created_ats": ",".join(sample_evenly(times, 3))}
        yield {"created_ats[gt]": times[0], "created_ats[lt]": times[-1]}  # each leaves out what the other does not


def _ceil_div(number: int, parts: int) -> int:
    return max(1, -(-number // parts))
