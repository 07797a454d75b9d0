"""Fills an empty database with very many apps and events; the database makes the rows.

The statements use only what SQLite, PostgreSQL and MariaDB have in common, so that they contain arithmetic where each
database has functions of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Integer,
    String,
    case,
    cast,
    func,
    insert,
    literal,
    literal_column,
    select,
    true,
    union_all,
)

from purge_conformance.errors import BadSetting
from purge_conformance.reference.store.bulk import DESCRIPTION, web_processes
from purge_conformance.reference.store.tables import (
    STARTED,
    STOPPED,
    App,
    AppUsageEvent,
    Organization,
    Process,
    Space,
    format_timestamp,
    new_guid,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, FromClause, Subquery
    from sqlalchemy.orm import Session

    from purge_conformance.reference.store.bulk import Columns

    Number = ColumnElement[int]
    Text = ColumnElement[str]

SPACES = 50  # at most; each in an organization of its own
HISTORY_DAYS = 30  # about as long as Cloud Controller keeps events
INSTANCES = (1, 2, 1, 0, 3, 1, 8)  # of the apps, in turn
MEMORY_MB = (256, 512, 1024, 64)
ROWS_PER_STATEMENT = 100_000
GUID_DIGITS = 8  # of the part of a guid that differs between the rows of a table
SCATTER = 61_803_399  # without a common factor with the number of such guids, so that each number has one of its own
DAY_S = 24 * 60 * 60


def furnish(session: Session, *, apps: int, events: int, states: Sequence[str] = (STARTED,)) -> None:
    """Create apps, and the last events of their history, which are spread evenly over a month.

    Args:
        session: of an empty database.
        apps: their number.
        events: their number; starts and stops of the apps in turn, which end with the state of each app.
        states: of the apps, in turn.

    Raises:
        BadSetting: the database is not empty.
    """
    if any(session.scalar(select(table.id).limit(1)) for table in (Organization, AppUsageEvent)):
        raise BadSetting(
            "--apps and --events fill an empty database, and this one has organizations or events. Leave both out to "
            "serve it as it is, or give another --database."
        )
    spaces = [Space(name=f"space {n}", organization=Organization(name=f"organization {n}")) for n in range(SPACES)]
    session.add_all(spaces)
    session.flush()
    _insert_apps(session, apps, states, min(space.id for space in spaces))
    first_id = session.scalar(select(func.min(App.id)))
    if first_id is not None:
        _insert_processes(session, first_id)
        _insert_history(session, apps, events, first_id)


def _insert_apps(session: Session, apps: int, states: Sequence[str], first_space_id: int) -> None:
    family, time = new_guid(), format_timestamp(_beginning())
    for numbers in _numbers(apps, ROWS_PER_STATEMENT):
        number = numbers.c.n
        columns: Columns = {
            App.guid: _guid(number, family),
            App.created_at: literal(time),
            App.updated_at: literal(time),
            App.name: literal("app ") + cast(number, String(GUID_DIGITS)),
            App.state: _in_turn(states, number),
            App.space_guid: Space.guid,
        }
        rows = select(*columns.values()).select_from(numbers).join(Space, Space.id == first_space_id + number % SPACES)
        session.execute(insert(App).from_select(list(columns), rows.order_by(number)))


def _insert_processes(session: Session, first_id: int) -> None:
    number = App.id - first_id
    columns: Columns = {
        Process.guid: App.guid,
        Process.created_at: App.created_at,
        Process.updated_at: App.updated_at,
        Process.app_guid: App.guid,
        Process.instances: _in_turn(INSTANCES, number),
        Process.memory_in_mb: _in_turn(MEMORY_MB, number),
    }
    session.execute(insert(Process).from_select(list(columns), select(*columns.values()).order_by(App.id)))


def _insert_history(session: Session, apps: int, events: int, first_id: int) -> None:
    """Insert the events in rounds, each with one event of each app; the first round begins in the middle."""
    family, begin = new_guid(), _beginning()
    seconds = int((utc_now() - begin).total_seconds())
    rounds = -(-events // apps)
    for numbers in _numbers(rounds, max(1, ROWS_PER_STATEMENT // apps)):
        number = numbers.c.n * apps + (App.id - first_id) - (rounds * apps - events)
        time = _timestamp(begin, _quotient(number * seconds, events))
        is_last_state = (rounds - 1 - numbers.c.n) % 2 == 0
        other_state = case((App.state == STARTED, STOPPED), else_=STARTED)
        columns: Columns = {
            AppUsageEvent.guid: _guid(number, family),
            AppUsageEvent.created_at: time,
            AppUsageEvent.updated_at: time,
            AppUsageEvent.state: case((is_last_state, App.state), else_=other_state),
            AppUsageEvent.previous_state: case((is_last_state, other_state), else_=App.state),
            **DESCRIPTION,
        }
        rows = web_processes(*columns.values()).join(numbers, true()).where(number >= 0).order_by(number)
        session.execute(insert(AppUsageEvent).from_select(list(columns), rows))


def _beginning() -> datetime:
    """Return the midnight with which the history begins."""
    return (utc_now() - timedelta(days=HISTORY_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)


def _numbers(total: int, per_statement: int) -> Iterator[Subquery]:
    """Yield subqueries whose column `n` has the numbers from 0 to `total`, which is left out, a part in each."""
    for first in range(0, total, per_statement):
        count = min(per_statement, total - first)
        digits = [
            union_all(*(select(literal_column(str(n)).label("n")) for n in range(10))).subquery()
            for _ in str(count - 1)
        ]
        source: FromClause = digits[0]
        for digit in digits[1:]:
            source = source.join(digit, true())
        number: Number = sum((digit.c.n * 10**place for place, digit in enumerate(digits)), start=literal(0))
        yield select((cast(number, BigInteger) + first).label("n")).select_from(source).where(number < count).subquery()


def _guid(number: Number, family: str) -> Text:
    """Return a guid with the end of another one; those of consecutive numbers are in no order."""
    return _digits(number * SCATTER % 10**GUID_DIGITS, GUID_DIGITS) + family[GUID_DIGITS:]


def _timestamp(midnight: datetime, seconds: Number) -> Text:
    """Return the time that many seconds later, less than a day more than HISTORY_DAYS."""
    days = [(midnight + timedelta(days=number)).date().isoformat() for number in range(HISTORY_DAYS + 1)]
    position = cast(_quotient(seconds, DAY_S) * len(days[0]) + 1, Integer)
    day = func.substr(literal("".join(days)), position, len(days[0]), type_=String)
    hours, minutes = _quotient(seconds % DAY_S, 60 * 60), _quotient(seconds % (60 * 60), 60)
    return day + "T" + _digits(hours, 2) + ":" + _digits(minutes, 2) + ":" + _digits(seconds % 60, 2) + "Z"


def _digits(number: Number, width: int) -> Text:
    """Return a number with leading zeros."""
    return func.substr(cast(number + 10**width, String(width + 1)), 2, type_=String)


def _quotient(number: Number, divisor: int) -> Number:
    """Divide without a rest: databases round quotients differently."""
    return (number - number % divisor) // divisor


def _in_turn(values: Sequence[Any], number: Number) -> ColumnElement[Any]:
    return case(dict(enumerate(values)), value=number % len(values))
