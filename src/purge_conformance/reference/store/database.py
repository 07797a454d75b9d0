"""Opens a database, and finds rows in it."""

from __future__ import annotations

import operator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from sqlalchemy import ColumnElement, Select, bindparam, create_engine, func, inspect, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker
from sqlalchemy.pool import NullPool, StaticPool

from purge_conformance.errors import BadSetting
from purge_conformance.reference.store.tables import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from purge_conformance.reference.api.query import ListQuery, ListRules, TimeFilter

IN_MEMORY_URL = "sqlite://"
STATEMENT_CACHE_SIZE = 256  # clients repeat a few kinds of list queries
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}

Row = TypeVar("Row", bound=Base)
Condition = ColumnElement[bool]
Filters: TypeAlias = "tuple[tuple[str, tuple[str, ...]], ...]"
Times: TypeAlias = "tuple[TimeFilter, ...]"
SingleGuids: TypeAlias = "tuple[tuple[str, str], ...]"


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing(Generic[Row]):
    """How one table is listed: its parameters, and the condition of each filter.

    Attributes:
        table: the class of the rows.
        filters: by parameter, a function that returns the condition on a row, given the allowed values.
        rules: the parameters for validation; its `filters` are the keys of the above.
    """

    table: type[Row]
    filters: Mapping[str, Callable[[Sequence[str]], Condition]]
    rules: ListRules


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
            yield sessionmaker(connection)
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
        yield sessionmaker(engine)
    finally:
        engine.dispose()


@cache
def _in_memory_engine() -> Engine:
    """Return the engine of all in-memory databases, so that many instances compile each statement once."""
    return create_engine(IN_MEMORY_URL, poolclass=NullPool, connect_args={"check_same_thread": False})


def _engine_for(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    # One connection for all, as above: the URL can name an in-memory database too.
    return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})


def find_by_guid(session: Session, table: type[Row], guid: str) -> Row | None:
    """Find a row by its guid; a guid with NUL, which some databases reject, is never found."""
    return None if "\0" in guid else session.scalar(_guid_statement(table), {"guid": guid})


@cache
def _guid_statement(table: type[Row]) -> Select[Any]:
    return select(table).where(table.guid == bindparam("guid"))


def find_page(session: Session, listing: Listing[Row], query: ListQuery) -> tuple[int, Sequence[Row]]:
    """Return the number of rows that match the query's filters, and the read-only rows of its page."""
    criteria = (listing, tuple(query.filters.items()), query.times, tuple(query.single_guids.items()))
    session.flush()  # the rows are fetched without the session, for speed
    connection = session.connection()
    page = connection.execute(_page_statement(*criteria, query.order_by), {"skip": query.skip, "take": query.take})
    rows = cast("Sequence[Row]", page.all())  # the result rows have the same attributes
    if len(rows) < query.take and (rows or not query.skip):
        return query.skip + len(rows), rows
    return connection.execute(_count_statement(*criteria)).scalar_one(), rows


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _page_statement(
    listing: Listing[Row], filters: Filters, times: Times, singles: SingleGuids, order_by: str | None
) -> Select[Any]:
    conditions = _conditions(listing, filters, times, singles)
    page = select(*inspect(listing.table).columns).where(*conditions).order_by(*_order_columns(listing.table, order_by))
    return page.offset(bindparam("skip")).limit(bindparam("take"))


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _count_statement(listing: Listing[Row], filters: Filters, times: Times, singles: SingleGuids) -> Select[Any]:
    return select(func.count()).select_from(listing.table).where(*_conditions(listing, filters, times, singles))


def _conditions(listing: Listing[Row], filters: Filters, times: Times, singles: SingleGuids) -> Iterator[Condition]:
    yield from (listing.filters[name](values) for name, values in filters)
    yield from (_time_condition(getattr(listing.table, time.column), time) for time in times)
    yield from (listing.table.id > _id_subquery(listing.table, guid) for _, guid in singles)


def _time_condition(column: InstrumentedAttribute[str], time: TimeFilter) -> Condition:
    if time.operator is None:
        return column.in_(time.values)
    condition: Condition = OPERATORS[time.operator](column, time.values[0])
    return condition


def _id_subquery(table: type[Base], guid: str) -> Any:  # noqa: ANN401 - a scalar subquery is comparable with any value
    return select(table.id).where(table.guid == guid).scalar_subquery()


def _order_columns(table: type[Base], order_by: str | None) -> list[ColumnElement[Any]]:
    """Order by internal id, or by the column and then by guid, as Cloud Controller does."""
    if not order_by:
        return [table.id.asc()]
    columns = (getattr(table, order_by[1:]), table.guid)
    return [column.desc() if order_by.startswith("-") else column.asc() for column in columns]
