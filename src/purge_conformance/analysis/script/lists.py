"""Whether pages of the list hold what the whole list and their query say: a part of a script's program."""

from __future__ import annotations

import json
import operator
from math import ceil
from urllib.parse import parse_qs, urlsplit

from purge_conformance.analysis.script.answers import read_answer
from purge_conformance.analysis.script.look import Row, dig, pages, rows

TESTS = {"": operator.eq, "[gt]": operator.gt, "[gte]": operator.ge, "[lt]": operator.lt, "[lte]": operator.le}


def listed(name: str, *answers_and_queries: str) -> list[str]:
    """Return what is wrong with answers to queries, which alternate; the file has the whole list."""
    events, found = rows(name), list[str]()
    seen: dict[str, list[str]] = {}
    total = dig(pages(name)[0], "pagination", "total_results")
    if total != len(events):
        found.append(f"the whole list has {len(events)} events, and total_results says {total}")
    for answer, query in zip(answers_and_queries[::2], answers_and_queries[1::2], strict=True):
        status, _, body = read_answer(answer)
        try:
            page = json.loads(body)
            guids = [str(row["guid"]) for row in page["resources"]]
        except (ValueError, KeyError, TypeError):
            found.append(f"?{query} was answered {status} {body[:200]}")
            continue
        if seen.setdefault(query, guids) != guids:
            found.append(f"?{query} gave different events when it was repeated")
        found += check_page(events, page, query)
    walk = [guid for guids in seen.values() for guid in guids] if len(seen) > 1 else []
    twice = sorted({guid for guid in walk if walk.count(guid) > 1})
    return found + [f"on several pages: {guid}" for guid in twice]


def selected(events: list[Row], query: dict[str, list[str]]) -> list[Row]:
    """Return the events that match the filters of a query."""
    for name, values in query.items():
        wanted = values[-1].split(",")
        if name == "guids":
            events = [row for row in events if row["guid"] in wanted]
        elif name == "after_guid":
            places = [place for place, row in enumerate(events) if row["guid"] == wanted[0]]
            events = events[places[0] + 1 :] if places else events
        elif name.startswith("created_ats"):
            test = TESTS.get(name.removeprefix("created_ats"), operator.eq)
            events = [row for row in events if any(test(row["created_at"], each) for each in wanted)]
    return events


def check_page(events: list[Row], page: Row, text: str) -> list[str]:
    """Return what is wrong with a page."""
    query = parse_qs(text, keep_blank_values=True)
    expected, got = selected(events, query), [row["guid"] for row in page["resources"]]
    number, size = (int(query.get(name, [default])[-1]) for name, default in (("page", "1"), ("per_page", "50")))
    size_known = "per_page" in query
    left = max(0, len(expected) - (number - 1) * size)
    found = []
    if size_known and len(got) != min(size, left):
        found.append(f"{len(got)} events, expected {min(size, left)}")
    if strangers := [guid for guid in got if guid not in {row["guid"] for row in expected}]:
        found.append(f"events that do not match the query, for example {strangers[0]}")
    if dig(page, "pagination", "total_results") != len(expected):
        found.append(f"total_results is {dig(page, 'pagination', 'total_results')}, expected {len(expected)}")
    total_pages = ceil(len(expected) / size)
    if size_known and dig(page, "pagination", "total_pages") not in {total_pages, max(1, total_pages)}:
        found.append(f"total_pages is {dig(page, 'pagination', 'total_pages')}, expected {total_pages}")
    times = [row["created_at"] for row in page["resources"]]
    if order := query.get("order_by", [""])[-1]:
        found += [] if times == sorted(times, reverse=order.startswith("-")) else [f"not in the order {order}"]
    found += check_links(page, query, has_next=left > size) if size_known else []
    return [f"?{text}: {each}" for each in found]


def check_links(page: Row, query: dict[str, list[str]], *, has_next: bool) -> list[str]:
    """Return what is wrong with the links of a page."""
    found = []
    for name in ("first", "last", "next", "previous"):
        href = dig(page, "pagination", name, "href")
        if name == "next" and bool(href) != has_next:
            found.append(f"the link next is {href}")
        elif name in {"first", "last"} and not href:
            found.append(f"the link {name} is missing")
        elif href:
            there = parse_qs(urlsplit(href).query, keep_blank_values=True)
            lost = [each for each in query if each not in {"page", "order_by"} and there.get(each) != query[each]]
            found += [f"the link {name} loses {each}" for each in lost]
    return found
