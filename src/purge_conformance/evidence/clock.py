"""Times: how they are written, and what the target's clock shows when ours shows something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Exchange

DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, section 5.6
FILTER_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # how a time stands in a filter, however the target writes its times


@dataclass(frozen=True, slots=True)
class Offset:
    """What must be added to a time of the suite's clock to get the target's, in seconds: at least and at most."""

    lower: float
    upper: float


def parse_rfc3339(text: object) -> datetime | None:
    """Return an RFC 3339 date-time in UTC, or None where it is none."""
    if not isinstance(text, str) or not DATE_TIME.fullmatch(text):
        return None
    head, fraction, zone = re.fullmatch(r"(.{19})(\.\d+)?(.+)", text).groups()  # type: ignore[union-attr] # matched above
    try:
        moment = datetime.fromisoformat(re.sub(":60$", ":59", head.upper()))
        return datetime.fromisoformat(f"{moment.isoformat()}{(fraction or '')[:7]}{zone.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_rfc3339(seconds: float) -> str:
    """Return seconds since the epoch as an RFC 3339 date-time, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def offset_from_dates(exchanges: Iterable[Exchange]) -> Offset | None:
    """Return the offset that all Date headers agree on, or None where there are none.

    A Date header names the second in which the answer was made, between the sending of the request and the end of the
    answer. Many of them narrow the offset down to less than a second. Where they contradict each other, because several
    servers answered or a clock was set, the offset is as wide as the widest of them.
    """
    bounds = [bound for x in exchanges if (bound := _offset_of(x))]
    if not bounds:
        return None
    lower, upper = max(b.lower for b in bounds), min(b.upper for b in bounds)
    if lower > upper:
        return Offset(min(b.lower for b in bounds), max(b.upper for b in bounds))
    return Offset(lower, upper)


def offset_from_event(created_at: datetime, cause: Exchange) -> Offset:
    """Return the offset that an event shows, which a request caused at once; its time may be cut to the second."""
    event_time = created_at.timestamp()
    return Offset(event_time - (cause.sent_at + cause.elapsed), event_time + 1 - cause.sent_at)


def parse_http_date(text: str | None) -> float | None:
    """Return an HTTP-date as seconds since the epoch, or None where it is none."""
    try:
        parsed = parsedate_to_datetime(text or "")
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()  # asctime's form names no zone
    except (ValueError, TypeError, OverflowError):
        return None


def _offset_of(exchange: Exchange) -> Offset | None:
    date = parse_http_date(exchange.header("Date"))
    if date is None:
        return None
    return Offset(date - (exchange.sent_at + exchange.elapsed), date + 1 - exchange.sent_at)
