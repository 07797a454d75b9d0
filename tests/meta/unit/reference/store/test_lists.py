"""Pages of long lists: found without walking where possible, and always those of the database as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, create_engine, delete, event, select

from purge_conformance.reference import open_database
from purge_conformance.reference.api.query import ListQuery, parse_list_query
from purge_conformance.reference.api.usage_events import EVENTS
from purge_conformance.reference.store.lists import find_page
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session, sessionmaker

    Sessions = sessionmaker[Session]

TOTAL, PER_PAGE = 23, 5
COLUMNS = dict.fromkeys(
    ("state", "previous_state", "app_guid", "app_name", "process_guid", "process_type", "space_guid", "space_name"), ""
)
NUMBERS = dict.fromkeys(("instances", "previous_instances", "memory_in_mb", "previous_memory_in_mb"), 1)


def make_event(number: int) -> AppUsageEvent:
    """Return an event; three have the same time each, and guids are in no order."""
    time = f"2026-01-01T00:00:{number // 3:02d}Z"
    guid = f"{number * 7 % 97:02d}"
    return AppUsageEvent(guid=guid, created_at=time, updated_at=time, organization_guid="", **COLUMNS, **NUMBERS)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database that several connections can open."""
    return f"sqlite:///{tmp_path / 'foundation.db'}"


@pytest.fixture
def sessions(url: str) -> Iterator[Sessions]:
    """A database with TOTAL events."""
    with open_database(url) as sessions:
        with sessions.begin() as session:
            session.add_all(map(make_event, range(TOTAL)))
        yield sessions


@pytest.fixture
def reads() -> Iterator[list[str | int]]:
    """How rows were read during the test: "count", or the number of rows before those of a page."""
    executed: list[str | int] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[int, ...], *_: object) -> None:
        if statement.startswith("SELECT"):
            executed.append("count" if "count" in statement else parameters[statement.count("?") - 1])

    event.listen(Engine, "before_cursor_execute", note)
    yield executed
    event.remove(Engine, "before_cursor_execute", note)


def query_for(page: int, **parameters: str) -> ListQuery:
    """Return the query of a page."""
    return parse_list_query({"page": str(page), "per_page": str(PER_PAGE), **parameters}, EVENTS.rules)


def page_of(sessions: Sessions, page: int, **parameters: str) -> tuple[int, list[str]]:
    """Return the total and the guids of a page, read in a transaction of its own."""
    with sessions.begin() as session:
        total, rows = find_page(session, EVENTS, query_for(page, **parameters))
        return total, [row.guid for row in rows]


def delete_event(sessions: Sessions, number: int) -> None:
    """Delete an event, so that there is a gap between the internal ids."""
    with sessions.begin() as session:
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == make_event(number).guid))


@pytest.mark.parametrize("pages", [(1, 2, 3, 4, 5), (5, 4, 3, 2, 1), (3, 3, 2, 5)], ids=str)
@pytest.mark.parametrize("deleted", [None, 9])
@pytest.mark.parametrize("order_by", ["", "created_at", "-created_at"])
def test_pages_are_parts_of_the_list(
    order_by: str, deleted: int | None, pages: tuple[int, ...], sessions: Sessions
) -> None:
    """In whatever order pages are read, each has its part of the list, with gaps between internal ids and without."""
    if deleted is not None:
        delete_event(sessions, deleted)
    with sessions.begin() as session:
        rows = session.execute(select(AppUsageEvent.id, AppUsageEvent.created_at, AppUsageEvent.guid)).all()
    ordered = sorted(rows, key=lambda row: (row.created_at, row.guid) if order_by else row.id)
    guids = [row.guid for row in (ordered[::-1] if order_by.startswith("-") else ordered)]
    for page in pages:
        part = guids[(page - 1) * PER_PAGE : page * PER_PAGE]
        assert page_of(sessions, page, order_by=order_by) == (len(guids), part)


def test_any_page_is_found_by_internal_id(sessions: Sessions, reads: list[str | int]) -> None:
    """Without gaps a page in the middle is read from its first row on, though no page before it was read."""
    page_of(sessions, 4)
    assert reads == ["count", 0]


def test_next_page_follows_last_row(sessions: Sessions, reads: list[str | int]) -> None:
    """In the order of time, the page after one that was read is found from its last row; rows are counted once."""
    delete_event(sessions, 9)
    for page in (1, 2, 3):
        page_of(sessions, page, order_by="-created_at")
    assert reads == [0, "count", 0, 0]


def test_last_page_is_read_from_the_end(sessions: Sessions, reads: list[str | int]) -> None:
    """In the order of time, the page before the last one is found from the end of the list."""
    for page in (4, 9):
        page_of(sessions, page, order_by="created_at")
    assert reads == ["count", TOTAL % PER_PAGE, 0]


def test_change_by_another_client_is_seen(sessions: Sessions, url: str) -> None:
    """A row that another connection deletes is missing from the next page, and from the total."""
    expected = page_of(sessions, 2)[1]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == make_event(0).guid))
    engine.dispose()
    total, guids = page_of(sessions, 2)
    assert (total, guids[:-1]) == (TOTAL - 1, expected[1:])


def test_total_of_rolled_back_change_is_forgotten(sessions: Sessions) -> None:
    """What a transaction counts after it deleted a row counts for no other, if it is rolled back."""
    with sessions() as session:
        session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == make_event(0).guid))
        assert find_page(session, EVENTS, query_for(2))[0] == TOTAL - 1
        session.rollback()
    assert page_of(sessions, 2)[0] == TOTAL
