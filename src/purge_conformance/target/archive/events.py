"""Collects the events on pages of the list, each once, and summarizes them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import app_of_event, dig, is_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.archive.list_check import Reading

EARLIEST = datetime.min.replace(tzinfo=UTC)


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


class EventCollector:
    """Turns pages into the lines of an archive.

    Attributes:
        events: number of lines so far.
        digest: SHA-256 of the lines so far.
    """

    def __init__(self, own_apps: Collection[str]) -> None:
        """Start without events; `own_apps` are guids of the suite's own apps."""
        self._own_apps = frozenset(own_apps)
        self._line_digests: set[bytes] = set()
        self._newest: dict[str, Any] | None = None
        self._clock = time.time()  # the target's, at its last page
        self.digest = hashlib.sha256()
        self.events = 0

    def lines(self, pages: Iterable[Exchange]) -> Iterator[bytes]:
        """Yield one JSON line per event; an event that is listed twice gets one line."""
        for page in filter(is_page, pages):
            self._clock = clock.parse_http_date(page.header("Date")) or page.sent_at
            for row in (page.page or {})["resources"]:
                line = to_line(row)
                line_digest = hashlib.sha256(line).digest()
                if line_digest not in self._line_digests:
                    self._line_digests.add(line_digest)
                    self._count(row, line)
                    yield line

    def _count(self, row: Any, line: bytes) -> None:  # noqa: ANN401 -- any JSON value
        self.digest.update(line)
        self.events += 1
        event = row if isinstance(row, dict) else {}
        is_own = str(dig(event, "app", "guid")) in self._own_apps
        is_seed = bool(event) and app_of_event(event) == event.get("guid")
        if event and not (is_own or is_seed) and _created_at(event) >= _created_at(self._newest or {}):
            self._newest = event

    def summarize(self, target: str, reading: Reading) -> ArchiveSummary:
        """Return the summary of all lines; `reading` says whether the pages were the whole list."""
        newest = self._newest
        moment = clock.parse_rfc3339(newest.get("created_at")) if newest else None
        return ArchiveSummary(
            events=self.events,
            sha256=self.digest.hexdigest(),
            complete=reading.is_whole,
            target=target,
            archived_at=clock.format_rfc3339(time.time()),
            last={name: str(newest.get(name)) for name in ("guid", "created_at")} if newest else None,
            age=round(self._clock - moment.timestamp(), 3) if moment else None,
            reason=reading.reason,
        )


def to_line(row: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """Return the line of an event."""
    return json.dumps(row).encode() + b"\n"


def _created_at(event: dict[str, Any]) -> datetime:
    return clock.parse_rfc3339(event.get("created_at")) or EARLIEST
