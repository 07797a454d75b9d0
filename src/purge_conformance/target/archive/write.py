"""Writes the events of a target to a new archive; the command `archive` and a run share it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.retries import RETRY_ANY
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import MIB, RECEIVED_PER_MEMORY
from purge_conformance.errors import ArchiveFailed
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE
from purge_conformance.target.archive import files
from purge_conformance.target.archive.events import EventCollector
from purge_conformance.target.archive.list_check import MAX_WALKS, Extent, ListCheck, after_walks
from purge_conformance.target.archive.page import EventPage
from purge_conformance.target.archive.walk import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from purge_conformance.config.settings import Limits, Settings
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.archive.events import ArchiveSummary
    from purge_conformance.target.archive.list_check import Reading


BYTES_PER_EVENT = 4096  # that are received, on average


def archive_target(settings: Settings, path: Path) -> ArchiveSummary:
    """Read all events of the target and write them to a new file, page by page; return its summary.

    Args:
        settings: the target, its admin token, and the limits, of which `max_events` bounds the archive.
        path: of the archive; its summary is written to `PATH.json`.

    Raises:
        BadSetting: one of the files exists, or the folder does not.
        ArchiveFailed: the list could not be read whole, or the file not be written; no file remains.
        TargetUnreachable: the target does not respond.
    """
    files.require_unused(path)
    limits, throttled = settings.limits, Event()
    received = max(limits.max_memory, MAX_WALKS * limits.max_events * BYTES_PER_EVENT // (RECEIVED_PER_MEMORY * MIB))
    settings = replace(settings, limits=replace(limits, max_memory=received))  # it keeps none of them in memory
    max_requests = 2 * MAX_WALKS * (limits.max_events // GUARANTEED_PAGE_SIZE + CLEANUP_RESERVE)

    def note(exchange: Exchange) -> None:
        if exchange.status in RETRY_ANY:
            throttled.set()

    with unrecorded_client(settings, max_requests=max_requests, keeps=False, on_exchange=note) as client:
        number = 0
        while True:
            number, check = number + 1, ListCheck()
            reading = partial(_reading, check, limits, number)
            try:
                return _write(path, settings.target.url, walk(client, check, throttled.is_set), reading)
            except ArchiveFailed:
                if number == MAX_WALKS or reading().extent is not Extent.CHANGED:
                    raise


def write(  # noqa: PLR0913 -- file, source, and three facts that only the caller knows
    path: Path,
    target: str,
    pages: Iterable[Exchange],
    reading: Callable[[], Reading],
    *,
    own_apps: Collection[str] = (),
    allow_incomplete: bool = False,
) -> ArchiveSummary:
    """Write the events on the pages to a new file, and their summary to `PATH.json`; return the summary.

    Args:
        path: of the archive; both files are written completely or not at all.
        target: base URL.
        pages: of the list; an event on two of them is written once.
        reading: returns what the walk over the pages achieved; called after the last page.
        own_apps: guids of the suite's own apps.
        allow_incomplete: whether to write an incomplete archive; else nothing is left of it.

    Raises:
        BadSetting: one of the files exists, or the folder does not.
        ArchiveFailed: the archive could not be written, reads back differently, or is incomplete.
    """
    return _write(path, target, map(EventPage, pages), reading, own_apps, allow_incomplete=allow_incomplete)


def _write(  # noqa: PLR0913 -- as `write`
    path: Path,
    target: str,
    pages: Iterable[EventPage],
    reading: Callable[[], Reading],
    own_apps: Collection[str] = (),
    *,
    allow_incomplete: bool = False,
) -> ArchiveSummary:
    collector = EventCollector(own_apps, may_repeat=allow_incomplete)
    with files.new_archive(path) as file:
        sha256 = files.write_lines(file, collector.lines(pages))
        summary = collector.summarize(target, reading(), sha256)
        if not (summary.complete or allow_incomplete):
            raise ArchiveFailed(f"The list could not be read whole. {summary.reason} {path} was not written.")
        files.require_content(Path(file.name), files.Content(summary.events, sha256))
    files.write_new_summary(path, summary)
    return summary


def _reading(check: ListCheck, limits: Limits, walks: int) -> Reading:
    small_pages = (
        f"its pages have fewer than {GUARANTEED_PAGE_SIZE} events." if check.events < limits.max_events else ""
    )
    return after_walks(check.reading(limits, blocked=small_pages), walks)
