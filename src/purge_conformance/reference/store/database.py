"""Opens a database, and finds rows in it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, bindparam, create_engine, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool, StaticPool

from purge_conformance.errors import BadSetting
from purge_conformance.reference.store.lists import MEMORY, ListMemory
from purge_conformance.reference.store.tables import Base

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_MEMORY_URL = "sqlite://"

Row = TypeVar("Row", bound=Base)


@contextmanager
def open_database(url: str = IN_MEMORY_URL) -> Iterator[sessionmaker[Session]]:
    """Connect to a database, create missing tables, and yield a session factory.

    Raises:
        BadSetting: the database does not exist, or its driver is not installed.
    """
    if url == IN_MEMORY_URL:
        # The database lives as long as its one connection; the server works in one thread at a time.
        with _in_memory_engine().connect() as connection:
            Base.metadata.create_all(connection)
            connection.commit()
            yield sessionmaker(connection, info={MEMORY: ListMemory()})
        return
    try:
        engine = _engine_for(url)
        Base.metadata.create_all(engine)
    except (SQLAlchemyError, ImportError) as error:
        # The URL and the driver's message can contain a password, so the message names only the kind of error.
        raise BadSetting(
            f"The database cannot be opened ({type(error).__name__}). Give the URL of an existing database as "
            "SQLAlchemy expects it, for example --database sqlite:///foundation.db, and install its driver."
        ) from error
    try:
        yield sessionmaker(engine, info={MEMORY: ListMemory()})
    finally:
        engine.dispose()


@cache
def _in_memory_engine() -> Engine:
    """Return the engine of all in-memory databases, so that many instances compile each statement once."""
    return create_engine(IN_MEMORY_URL, poolclass=NullPool, connect_args={"check_same_thread": False})


def _engine_for(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        # For MariaDB, SQLAlchemy warns of every join whose condition compares no two columns.
        return create_engine(url, pool_pre_ping=True, enable_from_linting=False)
    # One connection for all, as above: the URL can name an in-memory database too.
    return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})


def find_by_guid(session: Session, table: type[Row], guid: str) -> Row | None:
    """Find a row by its guid; a guid with NUL, which some databases reject, is never found."""
    return None if "\0" in guid else session.scalar(_guid_statement(table), {"guid": guid})


@cache
def _guid_statement(table: type[Row]) -> Select[Any]:
    return select(table).where(table.guid == bindparam("guid"))
