"""Writes the existing events to a file before anything destroys them.

`archive.jsonl.gz` has one event per line, as the target lists it. `archive.jsonl.gz.json` beside it is written last and
has the number of events, the SHA-256 of the lines, the time, the target and the newest event. `write` returns only when
both files are on the disk and the archive has been read back and compared.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.pagination import FALLBACK_PAGE_SIZES, MAX_PAGE_SIZE, Pages
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.errors import ArchiveFailed, BadSetting, TargetUnreachable
from purge_conformance.evidence.errors import readable_error
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_query_rejected
from purge_conformance.evidence.steps import Step
from purge_conformance.target.archived_events import EventCollector
from purge_conformance.target.connection_failures import explain_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.archived_events import ArchiveSummary

FILE_NAME = "archive.jsonl.gz"
RECENT_S = 300.0  # a billing consumer may not have read a newer event yet


def describe(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reader of the report must know about an archive; an old run's summary may lack members."""
    yield f"{summary['events']} events existed before the first purge; {FILE_NAME} holds them."
    if not summary["complete"]:
        yield "The list could not be read to its end, so the archive is incomplete."
    if last := summary.get("last"):
        yield f"The newest of them, without the suite's own apps: {last['guid']} of {last['created_at']}."
        yield from recency_warning(summary.get("age"))


def recency_warning(age: float | None) -> Iterator[str]:
    """Yield a warning if the newest event, `age` seconds old, may not have reached the billing system yet."""
    if age is not None and age < RECENT_S:
        yield (
            f"That event was {max(0.0, age):.0f} s old. A billing consumer that reads every few minutes may not have "
            "read it yet."
        )


def incomplete_message(summary: ArchiveSummary) -> str:
    """Return the reason and the next step for an incomplete archive."""
    return (
        f"The list was not read to its end: got {summary.events} events. If that is as many as --max-events allows, "
        "give a larger --max-events; otherwise check how the target answers GET /v3/app_usage_events."
    )


def archive_target(settings: Settings, path: Path) -> ArchiveSummary:
    """Read all events of the target and write them to a new file, page by page; return its summary.

    Args:
        settings: the target, its admin token, and the limits, of which `max_events` bounds the archive.
        path: of the archive; its summary is written to `PATH.json`.

    Raises:
        BadSetting: the file exists.
        ArchiveFailed: the list was not read to its end, or the file could not be written; no file remains.
        TargetUnreachable: the target does not respond.
    """
    if path.exists():
        raise BadSetting(
            f"{path} already exists and may be the only archive of its events. Name a new file: --out FILE."
        )
    max_requests = 2 * (settings.limits.max_events // GUARANTEED_PAGE_SIZE + CLEANUP_RESERVE)
    with unrecorded_client(settings, max_requests=max_requests) as client:
        pages = _EventPages(client)
        return write(path, settings.target.url, pages, lambda: pages.reached_end)


def write(  # noqa: PLR0913 -- file, source, and three facts that only the caller knows
    path: Path,
    target: str,
    pages: Iterable[Exchange],
    reached_end: Callable[[], bool],
    *,
    own_apps: Collection[str] = (),
    allow_incomplete: bool = False,
) -> ArchiveSummary:
    """Write the events on the pages to a file, then their summary to `PATH.json`, and return it.

    Args:
        path: of the archive; it is written completely or not at all.
        target: base URL.
        pages: of the list; an event on two of them is written once.
        reached_end: whether the pages were the whole list; called after the last page.
        own_apps: guids of the suite's own apps.
        allow_incomplete: whether to keep an incomplete archive.

    Raises:
        ArchiveFailed: the file could not be written, reads back differently, or is incomplete.
    """
    temporary = path.with_name(f"{path.name}.part")
    collector = EventCollector(own_apps)
    try:
        with temporary.open("wb") as file:
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed:
                for line in collector.lines(pages):
                    compressed.write(line)
            _sync(file)
        _verify(temporary, collector)
        summary = collector.summarize(target, reached_end=reached_end())
        if not (summary.complete or allow_incomplete):
            raise ArchiveFailed(f"{incomplete_message(summary)} {path} was not written.")
        temporary.replace(path)
        _write_summary(path.with_name(f"{path.name}.json"), summary)
    except OSError as error:
        raise ArchiveFailed(
            f"The archive {path} could not be written: {error.strerror or error}. "
            "Free disk space, or name another place with --out."
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
        os.fsync(folder)  # or a crash may lose the new file names
    finally:
        os.close(folder)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _verify(path: Path, expected: EventCollector) -> None:
    """Require that the file on the disk has the lines that were written, and that each is JSON.

    Raises:
        ArchiveFailed: the file differs.
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
            f"The archive {path} does not read back as written{problem}: got {events} events, expected "
            f"{expected.events}. Check the disk, or name another place with --out."
        )


class _EventPages:
    """The pages of the whole list, in the largest page size that the target accepts."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.reached_end = False

    def __iter__(self) -> Iterator[Exchange]:
        """Yield the pages.

        Raises:
            TargetUnreachable: there is no response to a request for a page.
        """
        for size in (MAX_PAGE_SIZE, *FALLBACK_PAGE_SIZES):
            pages = Pages(self._client, EVENTS_PATH, Step.EXISTING_EVENTS, {"per_page": size})
            for number, page in enumerate(pages):
                if number == 0 and is_query_rejected(page) and size > GUARANTEED_PAGE_SIZE:
                    break
                if page.status is None:
                    raise TargetUnreachable(
                        f"No response to GET {EVENTS_PATH} ({readable_error(page.error)}). "
                        f"{explain_failure(page.error)[1]}"
                    )
                yield page
            else:
                self.reached_end = pages.reached_end
                return
