"""The events that exist, in a file of their own, before anything destroys them.

`archive.jsonl.gz` holds one event a line, as the target listed it. A second file beside it, `archive.jsonl.gz.json`, is
written last: how many events, the SHA-256 of the lines, when, from where, and which event was the last. Both are on the
disk, and the first was read back and compared, before anybody is told that the events are safe.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import time
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from purge_conformance.errors import ArchiveFailed
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import dig, is_page, total_results

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

    from purge_conformance.evidence.records import Exchange

FILE_NAME = "archive.jsonl.gz"
RECENT_S = 300.0  # seconds within which a billing consumer may not have read an event yet
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """What an archive holds.

    Attributes:
        events: how many lines.
        sha256: of the lines, uncompressed.
        complete: whether these are all: the list was read to its end, and names no more than were seen.
        target: base URL that they are from.
        archived_at: RFC 3339, when the last page was there.
        last: `guid` and `created_at` of the newest event of an app that is not the suite's own; None: there is none.
        age: seconds of that event, by the target's clock where it shows one; None where it has no time.
    """

    events: int
    sha256: str
    complete: bool
    target: str
    archived_at: str
    last: dict[str, str] | None
    age: float | None


def describe(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reader must know of an archive, one sentence each; of an old one its members may be fewer."""
    yield f"{summary['events']} events existed before the first purge; {FILE_NAME} holds them."
    if not summary["complete"]:
        yield "The list could not be read to its end, so the archive is not complete."
    if last := summary.get("last"):
        yield f"The last of them that is not the suite's own: {last['guid']} of {last['created_at']}."
        yield from recency_warning(summary.get("age"))


def recency_warning(age: float | None) -> Iterator[str]:
    """Yield a warning if the last event, so many seconds old, may not have been read by those who bill."""
    if age is not None and age < RECENT_S:
        yield (
            f"That event was {max(0.0, age):.0f} s old. A billing consumer that reads every few minutes may not have "
            "read it yet."
        )


def incomplete_message(summary: ArchiveSummary) -> str:
    """Return what must be said of an archive that is not complete, and the cure."""
    return (
        f"The list could not be read to its end: {summary.events} events were there. "
        "If these are as many as --max-events allows, raise it; "
        "otherwise look at how the target answers GET /v3/app_usage_events."
    )


def write(  # noqa: PLR0913 -- where to, what from, and three facts that only the caller knows
    path: Path,
    target: str,
    pages: Iterable[Exchange],
    reached_end: Callable[[], bool],
    *,
    own_apps: Collection[str] = (),
    allow_incomplete: bool = False,
) -> ArchiveSummary:
    """Write the events on pages to a file, as the pages come; and beside it what it holds.

    Args:
        path: of the archive; it appears whole or not at all.
        target: base URL.
        pages: of the list. What stood on two of them stands here once.
        reached_end: whether the walk over the pages came to its end; asked after the last one.
        own_apps: guids of the suite's own apps.
        allow_incomplete: whether an archive that is not complete may stay.

    Raises:
        ArchiveFailed: it could not be written, does not read back as it was written, or is not complete.
    """
    temporary = path.with_name(f"{path.name}.part")
    reader = _EventReader(own_apps)
    try:
        with temporary.open("wb") as file:
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed:
                for line in reader.lines(pages):
                    compressed.write(line)
            _sync(file)
        _verify(temporary, reader)
        summary = reader.summarize(target, reached_end=reached_end())
        if not (summary.complete or allow_incomplete):
            raise ArchiveFailed(f"{incomplete_message(summary)} {path} was not written.")
        temporary.replace(path)
        _write_summary(path.with_name(f"{path.name}.json"), summary)
    except OSError as error:
        raise ArchiveFailed(
            f"The archive {path} could not be written: {error.strerror or error}. Make room, or name another place."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return summary


def _write_summary(path: Path, summary: ArchiveSummary) -> None:
    temporary = path.with_name(f"{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(summary), indent=2) + "\n")
        _sync(file)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a crash may forget the names
    finally:
        os.close(folder)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _verify(path: Path, expected: _EventReader) -> None:
    """Return if the file on the disk holds what was written, and every line is JSON.

    Raises:
        ArchiveFailed: it does not.
    """
    digest, events = hashlib.sha256(), 0
    try:
        with gzip.open(path, "rb") as file:
            for events, line in enumerate(file, 1):  # noqa: B007 -- it counts
                digest.update(line)
                json.loads(line)
        problem = ""
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = f" ({type(error).__name__})"
    if problem or (events, digest.digest()) != (expected.events, expected.digest.digest()):
        raise ArchiveFailed(
            f"The archive {path} does not read back as it was written{problem}: {expected.events} events expected, "
            f"{events} found. Check the disk, or name another place."
        )


class _EventReader:
    """Takes the events off pages, and counts them."""

    def __init__(self, own_apps: Collection[str]) -> None:
        self._own_apps = frozenset(own_apps)
        self._line_digests: set[bytes] = set()
        self._guids: set[str] = set()  # or lines, of what has none
        self._total = 0
        self._newest: dict[str, Any] | None = None
        self._clock = time.time()  # of the target, at its last page
        self.digest = hashlib.sha256()
        self.events = 0

    def lines(self, pages: Iterable[Exchange]) -> Iterator[bytes]:
        """Yield one line an event, each once."""
        for page in filter(is_page, pages):
            self._total = total_results(page) or 0
            self._clock = clock.parse_http_date(page.header("Date")) or page.sent_at
            for row in page.json["resources"]:
                line = json.dumps(row).encode() + b"\n"
                line_digest = hashlib.sha256(line).digest()
                if line_digest not in self._line_digests:
                    self._line_digests.add(line_digest)
                    self._count(row, line)
                    yield line

    def _count(self, row: Any, line: bytes) -> None:  # noqa: ANN401 -- whatever is listed
        self.digest.update(line)
        self.events += 1
        event = row if isinstance(row, dict) else {}
        guid = event.get("guid")
        self._guids.add(guid if isinstance(guid, str) else line.decode())
        if (
            event
            and str(dig(event, "app", "guid")) not in self._own_apps
            and _created_at(event) >= _created_at(self._newest or {})
        ):
            self._newest = event

    def summarize(self, target: str, *, reached_end: bool) -> ArchiveSummary:
        """Return what was taken off the pages."""
        newest = self._newest
        moment = clock.parse_rfc3339(newest.get("created_at")) if newest else None
        return ArchiveSummary(
            events=self.events,
            sha256=self.digest.hexdigest(),
            complete=reached_end and len(self._guids) >= self._total,
            target=target,
            archived_at=clock.format_rfc3339(time.time()),
            last={name: str(newest.get(name)) for name in ("guid", "created_at")} if newest else None,
            age=round(self._clock - moment.timestamp(), 3) if moment else None,
        )


def _created_at(event: dict[str, Any]) -> datetime:
    return clock.parse_rfc3339(event.get("created_at")) or EARLIEST
