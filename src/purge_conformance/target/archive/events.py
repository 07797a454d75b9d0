"""Collects the lines of an archive from the pages of the list, and summarizes them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import app_of_event, dig

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from purge_conformance.target.archive.list_check import Reading
    from purge_conformance.target.archive.page import EventPage

EARLIEST = datetime.min.replace(tzinfo=UTC)
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_UTC_SHAPE = re.compile(rb"0000-00-00T00:00:00(\.0+)?Z")


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """What an archive holds; the members are those of `archive.jsonl.gz.json`.

    Attributes:
        events: number of lines. The file may have more: lines that were added just before a run was killed.
        sha256: of these lines, uncompressed.
        complete: whether they are all events that the target listed.
        target: base URL of the target.
        archived_at: RFC 3339, after the last page.
        last: `guid` and `created_at` of the newest event, without those of the suite's own apps and those that a purge
            seeded; None if there is none.
        age: seconds since that event, by the target's clock if known; None if the event has no valid time.
        reason: why the archive is incomplete; empty if it is complete.
        added: how many of the lines were added after the first purge: events that others recorded during the run.
        changed: how many of the lines are not as the target wrote the event: it had a secret, or line feeds.
    """

    events: int
    sha256: str
    complete: bool
    target: str
    archived_at: str
    last: dict[str, str] | None
    age: float | None
    reason: str = ""
    added: int = 0
    changed: int = 0


class EventCollector:
    """Turns pages into the lines of an archive.

    Attributes:
        events: number of lines so far.
    """

    def __init__(self, own_apps: Collection[str], *, may_repeat: bool) -> None:
        """Start without events.

        Args:
            own_apps: guids of the suite's own apps.
            may_repeat: whether a list that has an event twice is archived nevertheless.
        """
        self._own_apps = frozenset(own_apps)
        self._may_repeat = may_repeat
        self._line_digests: set[bytes] = set()
        self._newest: dict[str, Any] | None = None
        self._clock = time.time()  # the target's, at its last page
        self._changed = 0
        self.events = 0

    def lines(self, pages: Iterable[EventPage]) -> Iterator[bytes]:
        """Yield the lines of each page together, each with its line feed; an event that is listed twice gets one."""
        for page in pages:
            if page.is_page:
                self._clock = clock.parse_http_date(page.exchange.header("Date")) or page.exchange.sent_at
                self._changed += page.count_changed()
                self._find_newest(page)
                text, size = self._new_lines(page) if self._may_repeat else (page.text, page.size)
                self.events += size
                yield text

    def _new_lines(self, page: EventPage) -> tuple[bytes, int]:
        """Return the lines of a page that are not on an earlier one, and their number."""
        digests = {blake2b(line, digest_size=16).digest(): line for line in page.text.split(b"\n")[:-1]}
        new = digests.keys() - self._line_digests
        self._line_digests |= new
        return b"".join(line + b"\n" for digest, line in digests.items() if digest in new), len(new)

    def _find_newest(self, page: EventPage) -> object:
        """Look for the newest event on a page: from the latest time on, where the times sort as their texts do."""
        if not _sort_as_texts(page.times):
            return self._compare(page.rows())
        for number in reversed(sorted(range(len(page.times)), key=page.times.__getitem__)):  # noqa: C413 -- of equals the last
            moment = clock.parse_rfc3339(page.times[number])
            if moment is None:
                return self._compare(page.rows())
            if moment < _created_at(self._newest or {}) or self._compare([page.row(number)]):
                break
        return None

    def _compare(self, rows: Iterable[Any]) -> bool:
        """Note the newest event so far; those of the suite's own apps, and those that a purge seeded, do not count."""
        before = self._newest
        for event in rows:
            if not isinstance(event, dict) or not event:
                continue
            is_own = str(dig(event, "app", "guid")) in self._own_apps
            is_seed = app_of_event(event) == event.get("guid")
            if not (is_own or is_seed) and _created_at(event) >= _created_at(self._newest or {}):
                self._newest = event
        return self._newest is not before

    def summarize(self, target: str, reading: Reading, sha256: str) -> ArchiveSummary:
        """Return the summary of all lines, which have that SHA-256; `reading` says whether they are the whole list."""
        newest = self._newest
        moment = clock.parse_rfc3339(newest.get("created_at")) if newest else None
        return ArchiveSummary(
            events=self.events,
            sha256=sha256,
            complete=reading.is_whole,
            target=target,
            archived_at=clock.format_rfc3339(time.time()),
            last={name: str(newest.get(name)) for name in ("guid", "created_at")} if newest else None,
            age=round(self._clock - moment.timestamp(), 3) if moment else None,
            reason=reading.reason,
            changed=self._changed,
        )


def _sort_as_texts(times: Sequence[str]) -> bool:
    """Return whether there are times, all in UTC and with as many digits of a second."""
    shapes = "\n".join(times).encode().translate(_DIGITS)
    first = shapes.partition(b"\n")[0]
    return bool(_UTC_SHAPE.fullmatch(first)) and shapes == b"\n".join([first] * len(times))


def _created_at(event: dict[str, Any]) -> datetime:
    return clock.parse_rfc3339(event.get("created_at")) or EARLIEST
