"""How long a response asks the client to wait, by `Retry-After` or by the headers of rate limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.evidence import clock

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

RESET_HEADERS = ("X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
MIN_EPOCH = 1e9  # seconds: a larger number is no duration, but a time since 1970
MIN_EPOCH_MS = 1e11  # a larger number has milliseconds
ROUNDING_S = 1.0  # a point in time is cut off to whole seconds


def requested_wait(answer: Exchange) -> float | None:
    """Return the seconds that a response asks to wait, at least 0; None: it names no time that can be read.

    `Retry-After` counts before the headers of a rate limit. Each may hold seconds, or a point in time: an HTTP-date, an
    RFC 3339 date-time, or seconds or milliseconds since 1970. What counts is the clock of the response, if it has one.
    """
    values = [value.strip() for name in ("Retry-After", *RESET_HEADERS) if (value := answer.header(name))]
    return _seconds(values[0], answer) if values else None


def names_wait(answer: Exchange) -> str:
    """Return the header that names the time to wait, with its value; empty if there is none."""
    found = ((name, answer.header(name)) for name in ("Retry-After", *RESET_HEADERS))
    return next((f"{name}: {value}" for name, value in found if value), "")


def _seconds(value: str, answer: Exchange) -> float | None:
    if NUMBER.fullmatch(value):
        number = float(value)
        if number < MIN_EPOCH:
            return number
        return _until(number / 1000 if number > MIN_EPOCH_MS else number, answer)
    moment = clock.parse_rfc3339(value)
    point = clock.parse_http_date(value) if moment is None else moment.timestamp()
    return None if point is None else _until(point, answer)


def _until(moment: float, answer: Exchange) -> float:
    now = clock.parse_http_date(answer.header("Date"))
    left = moment - (answer.sent_at + answer.elapsed if now is None else now)
    return max(0.0, left) + ROUNDING_S
