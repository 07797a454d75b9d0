"""The reference server on real servers of PostgreSQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, inspect, select

from meta.support.databases import MARIADB, POSTGRESQL, on_database, running
from purge_conformance.reference import open_database
from purge_conformance.reference.api.query import parse_list_query
from purge_conformance.reference.api.usage_events import EVENTS
from purge_conformance.reference.store import bulk
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.furnishing import furnish
from purge_conformance.reference.store.lists import find_page
from purge_conformance.reference.store.tables import STARTED, STOPPED, AppUsageEvent, Organization
from purge_conformance.selfcheck.mutants import FAULTLESS, select_servers
from purge_conformance.selfcheck.trials import Plan, run_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session, sessionmaker

    from meta.support.databases import DatabaseServer
    from purge_conformance.selfcheck.matrix import Row

SERVERS = (  # a sample of the kill matrix; each of the faults of one server is found beside the others
    (FAULTLESS,),
    ("keeps-oldest-event", "guids-filter-ignored", "misses-apps-without-instances"),
)
APPS, EVENTS_COUNT, PER_PAGE = 7, 23, 5
MOMENT = "2026-01-01T00:00:00Z"
FURNISHED = ("state", "previous_state", "app_name", "space_name", "process_type", "instances", "memory_in_mb")


@pytest.fixture(scope="module", params=[POSTGRESQL, MARIADB], ids=lambda system: system.name)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server of each system."""
    with running(request.param) as found:
        yield found


@pytest.fixture
def sessions(server: DatabaseServer) -> Iterator[sessionmaker[Session]]:
    """A database with apps of two states and events."""
    with open_database(server.create("furnished")) as found:
        fill(found)
        yield found


def fill(sessions: sessionmaker[Session]) -> None:
    """Create apps of two states and events."""
    with sessions.begin() as session:
        furnish(session, apps=APPS, events=EVENTS_COUNT, states=(STARTED, STOPPED))


def rows_of(sessions: sessionmaker[Session], *names: str) -> list[tuple[Any, ...]]:
    """Return these columns of all events, in the order of their internal ids."""
    with sessions.begin() as session:
        events = session.scalars(select(AppUsageEvent).order_by(AppUsageEvent.id))
        return [tuple(getattr(event, name) for name in names) for event in events]


def page_of(sessions: sessionmaker[Session], page: int, **parameters: str) -> tuple[int, list[str]]:
    """Return the total and the guids of a page."""
    query = parse_list_query({"page": str(page), "per_page": str(PER_PAGE), **parameters}, EVENTS.rules)
    with sessions.begin() as session:
        total, rows = find_page(session, EVENTS, query)
        return total, [row.guid for row in rows]


def test_databases_make_the_same_rows(sessions: sessionmaker[Session]) -> None:
    """Apps and events that the database makes are those that SQLite makes, in the same order and at the same times."""
    with open_database() as expected:
        fill(expected)
        assert rows_of(sessions, *FURNISHED) == rows_of(expected, *FURNISHED)
    times = [time for time, _ in rows_of(sessions, "created_at", "guid")]
    assert times == sorted(times)
    assert len(set(rows_of(sessions, "guid"))) == EVENTS_COUNT


def test_seeds_equal_those_of_single_apps(sessions: sessionmaker[Session]) -> None:
    """The events that are seeded in the database equal, in the same order, those that are made of each app."""
    columns = [name for name in inspect(AppUsageEvent).columns.keys() if name != "id"]  # noqa: SIM118 - no mapping
    with sessions.begin() as session:
        expected = [tuple(getattr(event, name) for name in columns) for event in store.make_seeds(session, MOMENT)]
        store.destroy_events(session)
        bulk.insert_seeds(session, MOMENT)
    assert rows_of(sessions, *columns) == expected
    assert len(expected) == (APPS + 1) // 2


@pytest.mark.parametrize("order_by", ["", "created_at", "-created_at"])
def test_pages_are_parts_of_the_list(order_by: str, sessions: sessionmaker[Session]) -> None:
    """The pages together show each event once, in order, also after one was deleted and after a rollback."""
    guids = [guid for (guid,) in rows_of(sessions, "guid")]  # their times rise with their internal ids
    for deleted in (None, 9):
        with sessions() as session:
            session.execute(delete(AppUsageEvent))
            assert find_page(session, EVENTS, parse_list_query({"page": "2"}, EVENTS.rules)) == (0, [])
            session.rollback()
        if deleted is not None:
            with sessions.begin() as session:
                session.execute(delete(AppUsageEvent).where(AppUsageEvent.guid == guids.pop(deleted)))
        ordered = guids[::-1] if order_by.startswith("-") else guids
        for page in (3, 1, 2, 3, 5, 4):
            part = ordered[(page - 1) * PER_PAGE : page * PER_PAGE]
            assert page_of(sessions, page, order_by=order_by) == (len(guids), part)


def test_names_are_compared_exactly(sessions: sessionmaker[Session]) -> None:
    """Names that differ in case, an accent or a space at the end are different names, and none is changed."""
    names = ["name", "Name", "name ", "na\u0301me", "\U0001f4a7", "\U0001f4a8", "'\"\\%_"]
    with sessions.begin() as session:
        session.add_all(Organization(name=name) for name in names)
    with sessions.begin() as session:
        for name in names:
            assert session.scalars(select(Organization.name).where(Organization.name == name)).all() == [name]


@pytest.fixture(scope="module")
def rows(server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """The rows of the kill matrix for SERVERS, each on a database of its own."""
    groups = [
        tuple(on_database(found, server.create(f"group_{number}")) for found in select_servers(names))
        for number, names in enumerate(SERVERS)
    ]
    plan = Plan(tmp_path_factory.mktemp("databases"), seed=1, jobs=2, server_processes=1)
    return {row.server.name: row for row in run_groups(groups, plan)}


@pytest.mark.parametrize("name", [name for names in SERVERS for name in names])
def test_verdicts_are_those_on_sqlite(name: str, rows: dict[str, Row]) -> None:
    """The faultless server is not accused, and each fault is killed by its own requirements."""
    assert list(rows[name].problems()) == []
    assert (rows[name].failed, rows[name].error) == (rows[name].server.fails, "")
