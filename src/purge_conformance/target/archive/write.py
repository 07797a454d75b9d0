"""Writes the events of a target to a new archive; the command `archive` and a run share it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.pagination import FALLBACK_PAGE_SIZES, MAX_PAGE_SIZE, Pages
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.settings import MIB
from purge_conformance.errors import ArchiveFailed, TargetUnreachable
from purge_conformance.evidence.errors import readable_error
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_query_rejected
from purge_conformance.evidence.steps import Step
from purge_conformance.target.archive import files
from purge_conformance.target.archive.events import EventCollector
from purge_conformance.target.archive.list_check import MAX_WALKS, Extent, ListCheck, after_walks
from purge_conformance.target.connection_failures import explain_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Limits, Settings
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.archive.events import ArchiveSummary
    from purge_conformance.target.archive.list_check import Reading

BYTES_PER_EVENT = 1024  # of memory; an event may take four times as many on its page


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
    limits = settings.limits
    memory = max(limits.max_memory, MAX_WALKS * limits.max_events * BYTES_PER_EVENT // MIB)
    settings = replace(settings, limits=replace(limits, max_memory=memory))
    max_requests = 2 * MAX_WALKS * (limits.max_events // GUARANTEED_PAGE_SIZE + CLEANUP_RESERVE)
    with unrecorded_client(settings, max_requests=max_requests, keeps=False) as client:
        number = 0
        while True:
            number, check = number + 1, ListCheck()
            reading = partial(_reading, check, limits, number)
            try:
                return write(path, settings.target.url, _checked_pages(client, check), reading)
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
    collector = EventCollector(own_apps)
    with files.new_archive(path) as file:
        files.write_lines(file, collector.lines(pages))
        summary = collector.summarize(target, reading())
        if not (summary.complete or allow_incomplete):
            raise ArchiveFailed(f"The list could not be read whole. {summary.reason} {path} was not written.")
        files.require_content(Path(file.name), files.Content(summary.events, summary.sha256))
    files.write_new_summary(path, summary)
    return summary


def _reading(check: ListCheck, limits: Limits, walks: int) -> Reading:
    small_pages = (
        f"its pages have fewer than {GUARANTEED_PAGE_SIZE} events." if check.events < limits.max_events else ""
    )
    return after_walks(check.reading(limits, blocked=small_pages), walks)


def _checked_pages(client: Client, check: ListCheck) -> Iterator[Exchange]:
    """Yield the pages of the list, in the largest page size that the target accepts.

    Raises:
        TargetUnreachable: there is no response to a request for a page.
    """
    largest = min(MAX_PAGE_SIZE, client.settings.limits.max_events)
    for size in (largest, *(size for size in FALLBACK_PAGE_SIZES if size < largest)):
        for number, page in enumerate(Pages(client, EVENTS_PATH, Step.EXISTING_EVENTS, {"per_page": size})):
            if number == 0 and is_query_rejected(page) and size > GUARANTEED_PAGE_SIZE:
                break
            if page.status is None:
                raise TargetUnreachable(
                    f"No response to GET {EVENTS_PATH} ({readable_error(page.error)}). {explain_failure(page.error)[1]}"
                )
            check.add(page)
            yield page
        else:
            return
