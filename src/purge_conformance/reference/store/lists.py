"""Pages of lists, found without walking through the rows before them where that is possible.

A page begins after a known row: it follows from internal ids without gaps, and a client that follows links asks
for what comes after the page before. What was counted, and where the page ended, is remembered until the database
changes.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, inspect, select, tuple_

from purge_conformance.reference.store.tables import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from purge_conformance.reference.api.query import ListQuery, ListRules, TimeFilter

STATEMENT_CACHE_SIZE = 256  # clients repeat a few kinds of list queries
MAX_REMEMBERED = 1024  # facts about lists
MEMORY = "list memory"  # key of `Session.info`
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
Key: TypeAlias = "tuple[Any, ...]"  # the values of a row in the columns of an order


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


class Criteria(NamedTuple):
    """Which rows a query selects, in any order."""

    listing: Listing[Any]
    filters: Filters
    times: Times
    single_guids: SingleGuids


class Extent(NamedTuple):
    """How many rows there are, and the lowest and the highest of their internal ids, which are None without rows."""

    total: int
    first_id: int | None
    last_id: int | None

    def id_before(self, skip: int) -> int | None:
        """Return the internal id of the row before those that follow `skip` rows; None if gaps between ids hide it."""
        if self.first_id is None or self.last_id is None or self.last_id - self.first_id + 1 != self.total:
            return None
        return self.first_id + skip - 1


class PageEnd(NamedTuple):
    """The last row of a page: how many rows there are up to it, and its values in the columns of the order."""

    skip: int
    key: Key


class ListMemory:
    """What is known of the lists of a database in one of its states."""

    def __init__(self) -> None:
        """Know nothing."""
        self._state: Hashable = None
        self._extents: dict[Criteria, Extent] = {}
        self._page_ends: dict[tuple[Criteria, str | None], PageEnd] = {}

    def enter(self, state: Hashable) -> None:
        """Forget what is known of another state; None is equal to no state."""
        if state is None or state != self._state or len(self._extents) + len(self._page_ends) > MAX_REMEMBERED:
            self._state = state
            self._extents.clear()
            self._page_ends.clear()

    def extent(self, connection: Connection, criteria: Criteria) -> Extent:
        """Return the extent of a list; count its rows unless that is known."""
        if criteria not in self._extents:
            self._extents[criteria] = Extent(*connection.execute(_extent_statement(criteria)).one())
        return self._extents[criteria]

    def key_before(self, criteria: Criteria, query: ListQuery) -> Key | None:
        """Return the key of the row before the page of a query, in the columns of its order; None if it is unknown."""
        page_end = self._page_ends.get((criteria, query.order_by))
        if page_end and page_end.skip == query.skip:
            return page_end.key
        before = None if query.order_by else self._extents[criteria].id_before(query.skip)
        return None if before is None else (before,)

    def note_page(self, criteria: Criteria, query: ListQuery, rows: Sequence[Any]) -> None:
        """Remember where the page of a query ends."""
        if rows:
            names = [column.key for column in _order_columns(criteria.listing.table, query.order_by)]
            key = tuple(getattr(rows[-1], name) for name in names)
            self._page_ends[criteria, query.order_by] = PageEnd(query.skip + len(rows), key)


def database_state(connection: Connection) -> Hashable:
    """Return a value that is equal as long as the transactions of a database see the same rows.

    None where that is unknown: for other databases, and in a transaction that has changed something.
    """
    if connection.dialect.name == "sqlite":
        database: Any = connection.connection.dbapi_connection
        if database.in_transaction:
            return None
        return database.total_changes, connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    if connection.dialect.name == "postgresql":
        statement = "SELECT pg_current_xact_id_if_assigned() IS NULL, CAST(pg_current_snapshot() AS text)"
        is_unchanged, snapshot = connection.exec_driver_sql(statement).one()
        return snapshot if is_unchanged else None
    return None


def find_page(session: Session, listing: Listing[Row], query: ListQuery) -> tuple[int, Sequence[Row]]:
    """Return the number of rows that match the query's filters, and the read-only rows of its page."""
    criteria = Criteria(listing, tuple(query.filters.items()), query.times, tuple(query.single_guids.items()))
    session.flush()  # the rows are fetched without the session, for speed
    connection = session.connection()
    rows: Sequence[Row] = []
    if not query.skip:
        rows = _fetch_from(connection, criteria, query.order_by, 0, query.take)
        if len(rows) < query.take:
            return len(rows), rows
    memory: ListMemory = session.info[MEMORY]
    memory.enter(database_state(connection))
    total = memory.extent(connection, criteria).total
    if query.skip:
        key = memory.key_before(criteria, query)
        rows = (
            _fetch_page(connection, criteria, query, total)
            if key is None
            else _fetch_after(connection, criteria, query, key)
        )
    memory.note_page(criteria, query, rows)
    return total, rows


def _fetch_page(connection: Connection, criteria: Criteria, query: ListQuery, total: int) -> Sequence[Any]:
    """Return the rows of a page, counted from the nearer end of a list of `total` rows."""
    following = total - query.skip
    if following > query.skip:
        return _fetch_from(connection, criteria, query.order_by, query.skip, query.take)
    first, number = max(0, following - query.take), max(0, min(following, query.take))
    return _fetch_from(connection, criteria, query.order_by, first, number, backwards=True)[::-1]


def _fetch_from(  # noqa: PLR0913 -- the parts of a statement
    connection: Connection,
    criteria: Criteria,
    order_by: str | None,
    skip: int,
    take: int,
    *,
    backwards: bool = False,
) -> Sequence[Any]:
    """Return rows, which have the attributes of the table's class, after the first `skip` ones."""
    return connection.execute(_page_statement(criteria, order_by, backwards), {"skip": skip, "take": take}).all()


def _fetch_after(connection: Connection, criteria: Criteria, query: ListQuery, key: Key) -> Sequence[Any]:
    """Return the rows of a page that begins after the row with a key."""
    values = {f"key_{number}": value for number, value in enumerate(key)}
    statement = _next_page_statement(criteria, query.order_by)
    return connection.execute(statement, {**values, "take": query.take}).all()


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _page_statement(criteria: Criteria, order_by: str | None, backwards: bool) -> Select[Any]:  # noqa: FBT001 -- cached
    is_descending = _is_descending(order_by) != backwards
    return _rows_statement(criteria, order_by, is_descending=is_descending).offset(bindparam("skip"))


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _next_page_statement(criteria: Criteria, order_by: str | None) -> Select[Any]:
    columns, is_descending = _order_columns(criteria.listing.table, order_by), _is_descending(order_by)
    parameters = (bindparam(f"key_{number}", None, column.type) for number, column in enumerate(columns))
    row, key = tuple_(*columns), tuple_(*parameters)
    statement = _rows_statement(criteria, order_by, is_descending=is_descending)
    return statement.where(row < key if is_descending else row > key)


def _rows_statement(criteria: Criteria, order_by: str | None, *, is_descending: bool) -> Select[Any]:
    table = criteria.listing.table
    columns = _order_columns(table, order_by)
    order = [column.desc() if is_descending else column.asc() for column in columns]
    return select(*inspect(table).columns).where(*_conditions(criteria)).order_by(*order).limit(bindparam("take"))


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _extent_statement(criteria: Criteria) -> Select[Any]:
    table = criteria.listing.table
    values = (func.count(), func.min(table.id), func.max(table.id))
    # Each for itself: a database reads the lowest and the highest id from the index of ids.
    return select(
        *(select(value).select_from(table).where(*_conditions(criteria)).scalar_subquery() for value in values)
    )


def _conditions(criteria: Criteria) -> Iterator[Condition]:
    listing = criteria.listing
    yield from (listing.filters[name](values) for name, values in criteria.filters)
    yield from (_time_condition(getattr(listing.table, time.column), time) for time in criteria.times)
    yield from (listing.table.id > _id_subquery(listing.table, guid) for _, guid in criteria.single_guids)


def _time_condition(column: InstrumentedAttribute[str], time: TimeFilter) -> Condition:
    if time.operator is None:
        return column.in_(time.values)
    condition: Condition = OPERATORS[time.operator](column, time.values[0])
    return condition


def _id_subquery(table: type[Base], guid: str) -> Any:  # noqa: ANN401 - a scalar subquery is comparable with any value
    return select(table.id).where(table.guid == guid).scalar_subquery()


def _order_columns(table: type[Base], order_by: str | None) -> list[InstrumentedAttribute[Any]]:
    """Order by internal id, or by the column and then by guid, as Cloud Controller does."""
    return [getattr(table, order_by[1:]), table.guid] if order_by else [table.id]


def _is_descending(order_by: str | None) -> bool:
    return (order_by or "").startswith("-")
