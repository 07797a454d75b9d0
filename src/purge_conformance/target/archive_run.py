"""Archives the events of a target by itself: it reads, and writes one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE, is_query_rejected
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def write_archive(settings: Settings, path: Path) -> archive.ArchiveSummary:
    """Write the events of the target to a new file, page by page, and return what it holds then.

    Args:
        settings: the target, its admin's token, the limits of one request, and how many events are read at most.
        path: of the archive; a second file beside it, `PATH.json`, describes it.

    Raises:
        BadSetting: there is such a file already.
        ArchiveFailed: the list could not be read to its end, or the file could not be written; there is none then.
        TargetLost: the target gives no answer.
    """
    if path.exists():
        raise BadSetting(f"{path} exists, and may be the only archive of its events. Name another file with --out.")
    max_requests = 2 * (settings.limits.max_events // GUARANTEED_PAGE_SIZE + CLEANUP_RESERVE)
    with unrecorded_client(settings, max_requests=max_requests) as client:
        pages = _EventPages(client)
        return archive.write(path, settings.target.url, pages, lambda: pages.reached_end)


class _EventPages:
    """The pages of the whole list, as large as the target gives them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.reached_end = False

    def __iter__(self) -> Iterator[Exchange]:
        for size in (look.MAX_PAGE_SIZE, *look.FALLBACK_PAGE_SIZES):
            pages = look.Pages(self._client, EVENTS_PATH, "archive", {"per_page": size})
            for number, page in enumerate(pages):
                if number == 0 and is_query_rejected(page) and size > GUARANTEED_PAGE_SIZE:
                    break
                yield page
            else:
                self.reached_end = pages.reached_end
                return
