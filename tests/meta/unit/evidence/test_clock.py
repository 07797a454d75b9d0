"""The clock: RFC 3339 date-times, and the offset of the target's clock by its Date headers."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from purge_conformance.evidence import clock
from purge_conformance.evidence.clock import Offset
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meta.support.story import EvidenceBuilder

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
EARLY = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01T12:00:00Z", NOON),
        ("2026-07-01t12:00:00z", NOON),
        ("2026-07-01T14:00:00+02:00", NOON),
        ("2026-07-01T06:30:00-05:30", NOON),
        ("2026-07-01T12:00:00-00:00", NOON),
        ("2026-07-01T12:00:00.25Z", NOON.replace(microsecond=250_000)),
        ("2026-07-01T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2060-06-30T23:59:60Z", datetime(2060, 6, 30, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_time_is_parsed(text: str, moment: datetime) -> None:
    """Fractions, offsets, lower case and a leap second are parsed."""
    assert clock.parse_rfc3339(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        None,
        1_782_907_200,
        "",
        "2026-07-01",
        "2026-07-01 12:00:00Z",
        "2026-07-01T12:00:00",
        "2026-07-01T12:00Z",
        "2026-07-01T12:00:00+0200",
        "2026-07-01T12:00:00.Z",
        "2026-07-01T12:00:00Z\n",
        "2026-06-31T12:00:00Z",
        "2026-07-01T24:00:00Z",
        "2026-07-01T12:60:00Z",
        "2026-07-01T12:00:61Z",
        "2026-07-01T12:00:00+24:00",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-02:00",
        "٢٠٢٦-07-01T12:00:00Z",
    ],
)
def test_invalid_time_is_none(text: object) -> None:
    """A text that is no RFC 3339 date-time, or names no day, is parsed as None."""
    assert clock.parse_rfc3339(text) is None


def test_time_round_trips() -> None:
    """A formatted time is parsed as the same moment, to the millisecond."""
    assert clock.format_rfc3339(NOON.timestamp() + 0.25) == "2026-07-01T12:00:00.250Z"


def add_date_header(
    builder: EvidenceBuilder, text: str, *, sent_at: float = NOON.timestamp(), elapsed: float = 0.5
) -> None:
    """Add a response with this Date header."""
    builder.add_exchange(
        Scenario.READS, Step.LIST, response_headers=(("date", text),), sent_at=sent_at, elapsed=elapsed
    )


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 01 Jul 2026 12:01:00 GMT",
        "Wednesday, 01-Jul-26 12:01:00 GMT",
        "Wed Jul  1 12:01:00 2026",
    ],
)
def test_offset_follows_date_header(text: str, builder: EvidenceBuilder, other_time_zone: None) -> None:  # noqa: ARG001 -- it sets the zone
    """A Date in each HTTP format names a second of UTC, in any local time zone."""
    add_date_header(builder, text)
    assert clock.offset_from_dates(builder.exchanges) == Offset(59.5, 61)


@pytest.fixture
def other_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set a time zone other than UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EST+5")
        time.tzset()
        yield
    time.tzset()


def test_offset_narrows_down(builder: EvidenceBuilder) -> None:
    """Each further Date narrows the offset to the range that all dates allow."""
    add_date_header(builder, "Wed, 01 Jul 2026 12:00:10 GMT", elapsed=0.0)
    add_date_header(builder, "Wed, 01 Jul 2026 12:00:11 GMT", sent_at=NOON.timestamp() + 0.4, elapsed=0.0)
    found = clock.offset_from_dates(builder.exchanges)
    assert found is not None
    assert (found.lower, found.upper) == pytest.approx((10.6, 11))


def test_contradicting_dates_widen_offset(builder: EvidenceBuilder) -> None:
    """Contradicting dates give an offset range that covers all of them."""
    add_date_header(builder, "Wed, 01 Jul 2026 12:00:00 GMT")
    add_date_header(builder, "Wed, 01 Jul 2026 13:00:00 GMT")
    assert clock.offset_from_dates(builder.exchanges) == Offset(-0.5, 3601)


@pytest.mark.parametrize("text", ["", "now", "0", "Wed, 99 Jul 2026 12:00:00 GMT", "1 1 1 1 1", "Wed, 01 Jul \xb2 GMT"])
def test_invalid_date_gives_no_offset(text: str, builder: EvidenceBuilder) -> None:
    """An invalid or missing Date gives no offset."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    add_date_header(builder, text)
    assert clock.offset_from_dates(builder.exchanges) is None


def test_offset_follows_event_time(builder: EvidenceBuilder) -> None:
    """An event that a request caused gives the offset; its time may be truncated to the second."""
    cause = builder.add_exchange(Scenario.READS, Step.LIST, sent_at=NOON.timestamp(), elapsed=0.5)
    assert clock.offset_from_event(NOON.astimezone(EARLY), cause) == Offset(-0.5, 1)
