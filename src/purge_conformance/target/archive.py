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
from purge_conformance.evidence.listing import is_page, member, total_results

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

    from purge_conformance.evidence.records import Exchange

FILE_NAME = "archive.jsonl.gz"
FRESH = 300.0  # seconds within which a billing consumer may not have read an event yet
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Archived:
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


def told(archived: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reader must know of an archive, one sentence each; of an old one its members may be fewer."""
    yield f"{archived['events']} events existed before the first purge; {FILE_NAME} holds them."
    if not archived["complete"]:
        yield "The list could not be read to its end, so the archive is not complete."
    if last := archived.get("last"):
        yield f"The last of them that is not the suite's own: {last['guid']} of {last['created_at']}."
        yield from warning(archived.get("age"))


def warning(age: float | None) -> Iterator[str]:
    """Yield a warning if the last event, so many seconds old, may not have been read by those who bill."""
    if age is not None and age < FRESH:
        yield (
            f"That event was {max(0.0, age):.0f} s old. A billing consumer that reads every few minutes may not have "
            "read it yet."
        )


def not_whole(made: Archived) -> str:
    """Return what must be said of an archive that is not complete, and the cure."""
    return (
        f"The list could not be read to its end: {made.events} events were there. If these are as many as --max-events "
        "allows, raise it; else see what the target answers to GET /v3/app_usage_events."
    )


def write(  # noqa: PLR0913 -- where to, what from, and three facts that only the caller knows
    path: Path,
    target: str,
    pages: Iterable[Exchange],
    finished: Callable[[], bool],
    *,
    own: Collection[str] = (),
    partly: bool = False,
) -> Archived:
    """Write the events on pages to a file, as the pages come; and beside it what it holds.

    Args:
        path: of the archive; it appears whole or not at all.
        target: base URL.
        pages: of the list. What stood on two of them stands here once.
        finished: whether the walk over the pages came to its end; asked after the last one.
        own: guids of the suite's own apps.
        partly: whether an archive that is not complete may stay.

    Raises:
        ArchiveFailed: it could not be written, does not read back as it was written, or is not complete.
    """
    part = path.with_name(f"{path.name}.part")
    reader = _Reader(own)
    try:
        with part.open("wb") as file:
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                for line in reader.lines(pages):
                    packed.write(line)
            _sync(file)
        _verify(part, reader)
        made = reader.archived(target, finished=finished())
        if not (made.complete or partly):
            raise ArchiveFailed(f"{not_whole(made)} {path} was not written.")
        part.replace(path)
        _describe(path.with_name(f"{path.name}.json"), made)
    except OSError as error:
        raise ArchiveFailed(
            f"The archive {path} could not be written: {error.strerror or error}. Make room, or name another place."
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return made


def _describe(path: Path, made: Archived) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(made), indent=2) + "\n")
        _sync(file)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a crash may forget the names
    finally:
        os.close(folder)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _verify(path: Path, written: _Reader) -> None:
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
        trouble = ""
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        trouble = f" ({type(error).__name__})"
    if trouble or (events, digest.digest()) != (written.events, written.digest.digest()):
        raise ArchiveFailed(
            f"The archive {path} does not read back as it was written{trouble}: {written.events} events expected, "
            f"{events} found. Check the disk, or name another place."
        )


class _Reader:
    """Takes the events off pages, and counts them."""

    def __init__(self, own: Collection[str]) -> None:
        self._own = frozenset(own)
        self._seen: set[bytes] = set()
        self._guids: set[str] = set()  # or lines, of what has none
        self._total = 0
        self._last: dict[str, Any] | None = None
        self._clock = time.time()  # of the target, at its last page
        self.digest = hashlib.sha256()
        self.events = 0

    def lines(self, pages: Iterable[Exchange]) -> Iterator[bytes]:
        """Yield one line an event, each once."""
        for page in filter(is_page, pages):
            self._total = total_results(page) or 0
            self._clock = clock.of_header(page.header("Date")) or page.sent_at
            for row in page.json["resources"]:
                line = json.dumps(row).encode() + b"\n"
                mark = hashlib.sha256(line).digest()
                if mark not in self._seen:
                    self._seen.add(mark)
                    self._take(row, line)
                    yield line

    def _take(self, row: Any, line: bytes) -> None:  # noqa: ANN401 -- whatever is listed
        self.digest.update(line)
        self.events += 1
        event = row if isinstance(row, dict) else {}
        guid = event.get("guid")
        self._guids.add(guid if isinstance(guid, str) else line.decode())
        if event and str(member(event, "app", "guid")) not in self._own and _moment(event) >= _moment(self._last or {}):
            self._last = event

    def archived(self, target: str, *, finished: bool) -> Archived:
        """Return what was taken off the pages."""
        last = self._last
        moment = clock.parse(last.get("created_at")) if last else None
        return Archived(
            events=self.events,
            sha256=self.digest.hexdigest(),
            complete=finished and len(self._guids) >= self._total,
            target=target,
            archived_at=clock.written(time.time()),
            last={name: str(last.get(name)) for name in ("guid", "created_at")} if last else None,
            age=round(self._clock - moment.timestamp(), 3) if moment else None,
        )


def _moment(event: dict[str, Any]) -> datetime:
    return clock.parse(event.get("created_at")) or EARLIEST
