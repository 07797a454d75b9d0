"""Whatever pages a server shows that states one true total: a whole reading has exactly the events that it holds."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.story import EvidenceBuilder
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.pagination import Pages
from purge_conformance.client.read_ahead import ReadAhead
from purge_conformance.config.settings import Limits
from purge_conformance.evidence.bodies import LateBody
from purge_conformance.evidence.redaction import Redactor
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.archive.list_check import ListCheck, Reading, check_pages
from purge_conformance.target.archive.walk import read_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import Where

MAX_EVENTS, MAX_PAGES = 12, 20
NO_GUID = [{"guid": 7}, {"guid": None}, {"guid": ""}, {"guid": ["event-0"]}, {}, "event-0"]
SCALARS: st.SearchStrategy[Any] = st.sampled_from([None, "", "12", True, False, 1.0, {}, []])


@st.composite
def answers(draw: st.DrawFn, events: int) -> dict[str, Any]:
    """Draw how a page differs from that of an honest server."""
    return {
        "page": draw(st.none() | st.integers(1, 4)),  # another page is shown
        "drop": draw(st.integers(0, 2)),  # so many rows are left out
        "repeat": draw(st.integers(0, 2)),  # so many rows come twice
        "cut": draw(st.none() | st.integers(0, 3)),  # a smaller page than requested
        "mistype": draw(st.none() | st.sampled_from(NO_GUID)),  # in place of the first row
        "total": draw(st.just(events) | SCALARS),
        "next": draw(st.sampled_from(["honest", "honest", {"href": "x"}, None, {}, "x"])),
        "status": draw(st.sampled_from([200] * 12 + [404, 422, 500])),
    }


class Server:
    """A client of a server that answers each request as it was drawn, and honestly after that."""

    def __init__(self, size: int, events: int, drawn: list[dict[str, Any]], most: int) -> None:
        """Hold that many events."""
        self.held = [{"guid": f"event-{n}", "created_at": "2026-07-01T12:00:00Z"} for n in range(events)]
        self._size, self._drawn = size, drawn
        self._builder = EvidenceBuilder()
        self._lock = Lock()
        self.redactor = Redactor()
        self.guard = SimpleNamespace(requests_left=2 * MAX_PAGES)
        self.settings = SimpleNamespace(limits=Limits(max_events=most))

    def get(self, path: str, where: Where) -> Exchange:
        """Answer a request for a page."""
        with self._lock:
            return self._answer(path, where, self._drawn.pop(0) if self._drawn else {})

    def _answer(self, path: str, where: Where, fault: dict[str, Any]) -> Exchange:
        number = int(parse_qs(urlsplit(path).query)["page"][0])
        shown = fault.get("page") or number
        start = (shown - 1) * self._size
        rows: list[Any] = self.held[start : start + self._size]
        honest_next = {"href": "x"} if start + self._size < len(self.held) else None
        rows = rows[fault.get("drop") or 0 :] + rows[: fault.get("repeat") or 0]
        rows = rows[: fault.get("cut")] if fault.get("cut") is not None else rows
        rows = [fault["mistype"], *rows[1:]] if fault.get("mistype") is not None else rows
        following = fault.get("next", "honest")
        pagination = {
            "total_results": fault.get("total", len(self.held)),
            "next": honest_next if following == "honest" else following,
        }
        data = {"pagination": pagination, "resources": rows}
        status = fault.get("status", 200)
        body = json.dumps(data if status == 200 else {}).encode()
        exchange = self._builder.add_exchange(Scenario.ARCHIVE, where, path=path, status=status, body=body)
        return replace(exchange, body=LateBody(body, self.redactor.redact_bytes, 10**8))


def walk_of_run(server: Server, size: int) -> tuple[list[Any], Reading]:
    """Read the list as a run does; return the rows, and what was achieved."""
    pages = list(Pages(cast("Client", server), EVENTS_PATH, Step.EXISTING_EVENTS, {"per_page": size}))
    rows = [row for page in pages if page.page for row in page.page["resources"]]
    return rows, check_pages(pages).reading(server.settings.limits)


def walk_of_archive(server: Server, size: int) -> tuple[list[Any], Reading]:
    """Read the list as `archive` does; it requests pages ahead, and reads those of usual rows as they came."""
    check = ListCheck()
    with ReadAhead(lambda number: server.get(f"{EVENTS_PATH}?page={number}", Step.EXISTING_EVENTS), bool) as ahead:
        pages = list(read_pages(cast("Client", server), check, ahead, size))
    rows = [row for page in pages if page.is_page for row in map(json.loads, page.text.split(b"\n")[:-1])]
    return rows, check.reading(server.settings.limits)


@pytest.mark.parametrize("walk", [walk_of_run, walk_of_archive])
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_whole_reading_has_all_events(
    walk: Callable[[Server, int], tuple[list[Any], Reading]], data: st.DataObject
) -> None:
    """Whatever the pages are, a reading is whole only if its rows are what the server holds, each once."""
    events = data.draw(st.integers(0, MAX_EVENTS))
    drawn = data.draw(st.lists(answers(events), max_size=6) | st.just([]))
    size, most = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 2 * MAX_EVENTS))
    server = Server(size, events, list(drawn), most)
    rows, reading = walk(server, size)
    if reading.is_whole:
        assert sorted(row["guid"] for row in rows) == sorted(row["guid"] for row in server.held)
        assert reading.reason == ""
    else:
        assert reading.reason
    if not drawn and most > events:
        assert reading.is_whole
