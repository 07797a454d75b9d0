"""Parses and formats times, and estimates the offset of the target's clock from Date headers and events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Exchange

DATE_TIME = re.compile(  # RFC 3339, section 5.6; Python reads six digits of a fraction, and no leap second
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:)(\d\d)(?:(\.\d{1,6})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
FILTER_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # of a time in a filter, whatever format the target's rows have


@dataclass(frozen=True, slots=True)
class Offset:
    """The bounds, in seconds, of the target's clock minus the suite's clock."""

    lower: float
    upper: float


def parse_rfc3339(text: object) -> datetime | None:
    """Return an RFC 3339 date-time in UTC; None for anything else."""
    match = DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    minute, seconds, fraction, zone = match.groups(default="")
    try:
        moment = datetime.fromisoformat(f"{minute}{seconds.replace('60', '59')}{fraction}{zone}".upper())
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_rfc3339(seconds: float) -> str:
    """Return seconds since the epoch as an RFC 3339 date-time with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def offset_from_dates(exchanges: Iterable[Exchange]) -> Offset | None:
    """Return the offset that all Date headers agree on; None if no response has one.

    A Date header names the second in which the response was created, between sending the request and the end of the
    response. Many headers narrow the offset to less than a second. If they contradict each other, because several
    servers responded or a clock was adjusted, the offset spans all of them.
    """
    bounds = [bound for x in exchanges if (bound := _offset_of(x))]
    if not bounds:
        return None
    lower, upper = max(b.lower for b in bounds), min(b.upper for b in bounds)
    if lower > upper:
        return Offset(min(b.lower for b in bounds), max(b.upper for b in bounds))
    return Offset(lower, upper)


def offset_from_event(created_at: datetime, cause: Exchange) -> Offset:
    """Return the offset from an event that a request caused; its time may be truncated to the second."""
    event_time = created_at.timestamp()
    return Offset(event_time - (cause.sent_at + cause.elapsed), event_time + 1 - cause.sent_at)


def parse_http_date(text: str | None) -> float | None:
    """Return an HTTP-date as seconds since the epoch; None for anything else."""
    try:
        parsed = parsedate_to_datetime(text or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()  # asctime's format has no zone
    except (ValueError, TypeError, OverflowError):
        return None


def _offset_of(exchange: Exchange) -> Offset | None:
    date = parse_http_date(exchange.header("Date"))
    if date is None:
        return None
    return Offset(date - (exchange.sent_at + exchange.elapsed), date + 1 - exchange.sent_at)
