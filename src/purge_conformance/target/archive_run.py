"""Archives the events of a target by itself: it reads, and writes one file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS
from purge_conformance.client import pagination as look
from purge_conformance.client.client import Client
from purge_conformance.client.guard import RESERVE, Guard
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.journal import Unwritten
from purge_conformance.evidence.listing import SURE_PER_PAGE, is_refused
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def archived(settings: Settings, path: Path) -> archive.Archived:
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
    limits = replace(settings.limits, max_requests=2 * (settings.limits.events // SURE_PER_PAGE + RESERVE))
    with Unwritten() as journal:
        client = Client(settings, journal, Guard(limits, reads_only=True), lambda *_: None)
        walk = _Walk(client)
        return archive.write(path, settings.target.url, walk, lambda: walk.finished)


class _Walk:
    """The pages of the whole list, as large as the target gives them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.finished = False

    def __iter__(self) -> Iterator[Exchange]:
        for size in (look.PER_PAGE, *look.SMALLER):
            pages = look.Pages(self._client, EVENTS, "archive", {"per_page": size})
            for number, page in enumerate(pages):
                if number == 0 and is_refused(page) and size > SURE_PER_PAGE:
                    break
                yield page
            else:
                self.finished = pages.finished
                return
