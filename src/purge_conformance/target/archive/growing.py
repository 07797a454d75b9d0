"""The archive of a run: what others record during the run is added to it before the next purge destroys it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import EVENTS_PATH, guid_in_path, is_purge
from purge_conformance.errors import ArchiveFailed
from purge_conformance.evidence.files import write_text, writing
from purge_conformance.evidence.listing import APPS, dig, event_identity, is_page, pagination, total_results
from purge_conformance.evidence.steps import Tag
from purge_conformance.target.archive import files
from purge_conformance.target.archive.gaps import shows_newest
from purge_conformance.target.archive.page import names_next, to_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.archive.events import ArchiveSummary

MAX_LOOK_AGE_S = 10.0  # of the last look at the newest events before a purge


class GrowingArchive:
    """Sees every exchange of a run, and adds to the archive the events of others that it lacks.

    Attributes:
        path: of the archive.
        own_apps: guids of the suite's own apps so far.
        may_lack_events: whether the last look leaves events that no page has shown; only the whole list has them.
    """

    def __init__(self, path: Path, max_events: int) -> None:
        """Start without an archive.

        Args:
            path: of the archive.
            max_events: the most events that may be added before one purge; each purge seeds new ones.
        """
        self.path = path
        self.own_apps: set[str] = set()
        self._max_added = max_events
        self.may_lack_events = False
        self._lock = Lock()
        self._looked_at = float("-inf")  # when the last look at the newest events began, on the monotonic clock
        self._is_outdated = (
            False  # whether a purge may have succeeded since that look, or another page shows new events
        )
        self._summary: ArchiveSummary | None = None
        self._archived: set[tuple[str, str]] = set()
        self._new: dict[tuple[str, str], dict[str, Any]] = {}
        self._listed: set[tuple[str, str]] = set()  # the events that the list has shown since the last purge

    def start(self, summary: ArchiveSummary, pages: Iterable[Exchange]) -> None:
        """From now on, add to the archive that these pages were written to."""
        self._summary = summary
        self._archived = {event_identity(row) for page in pages for row in _events(page)}
        self._listed = set(self._archived)
        self.may_lack_events = False  # an archive that is not whole is the caller's decision

    @property
    def needs_look(self) -> bool:
        """Whether the newest events have to be read before a purge: others may have come since the last look."""
        return self._is_outdated or monotonic() - self._looked_at > MAX_LOOK_AGE_S

    def observe(self, exchange: Exchange) -> None:
        """Learn which apps are the suite's own, and which events the list shows."""
        if exchange.method != "GET" or Tag.CHANGED_BY_HOOK in exchange.tags:
            self._learn_app(exchange)
            if is_purge(exchange.method, exchange.path) and not exchange.rejected:
                self._is_outdated = True
                with self._lock:
                    self._listed.clear()
        elif exchange.route == EVENTS_PATH and is_page(exchange):
            with self._lock:
                self._look_at(exchange)

    def _look_at(self, page: Exchange) -> None:
        rows = {event_identity(row): row for row in _events(page)} if self._summary else {}
        new = {key: row for key, row in rows.items() if key not in self._archived and key not in self._new}
        self._new |= new
        self._listed |= rows.keys()
        if shows_newest(page):
            self._looked_at, self._is_outdated = monotonic() - page.elapsed, False
            has_more = names_next(pagination(page)) or page.query.get("page", "1") != "1"
            self.may_lack_events = total_results(page) != len(self._listed if has_more else rows)
        elif any(self._is_of_others(row) for row in new.values()):
            self._is_outdated = True

    def add_new(self) -> int:
        """Add the events of others that the list has shown and that the archive lacks; return how many.

        Both files are replaced, one after the other, when the new archive is on the disk and was read back.

        Raises:
            ArchiveFailed: that was not possible, or there are more than `max_events` at once.
        """
        with self._lock:
            if not self._summary or not self._new:
                return 0
            rows = [row for row in self._new.values() if self._is_of_others(row)]
            if rows:
                try:
                    self._summary = self._add(self._summary, rows)
                except OSError as error:
                    raise files.not_written(self.path, error) from None
            self._archived |= self._new.keys()
            self._new.clear()
            return len(rows)

    def note_loss(self, reason: str) -> None:
        """Say in the summary that the archive is incomplete, as it is when a purge is sent nevertheless.

        Raises:
            ArchiveFailed: the summary could not be written.
        """
        with self._lock:
            if self._summary and self._summary.complete:
                self._summary = replace(self._summary, complete=False, reason=reason)
                try:
                    write_text(files.summary_path(self.path), files.to_json(self._summary))
                except OSError as error:
                    raise files.not_written(self.path, error) from None

    def _is_of_others(self, row: dict[str, Any]) -> bool:
        return str(dig(row, "app", "guid")) not in self.own_apps

    def _add(self, summary: ArchiveSummary, rows: list[dict[str, Any]]) -> ArchiveSummary:
        if len(rows) > self._max_added:
            raise ArchiveFailed(
                f"{len(rows)} events appeared since the last purge, and --max-events allows {self._max_added} of them. "
                "Give a larger --max-events."
            )
        lines = [to_line(row) for row in rows]
        digest = files.require_content(self.path, files.Content(summary.events, summary.sha256))
        with writing(self.path, replace=True) as file:
            with self.path.open("rb") as archive:
                shutil.copyfileobj(archive, file)
            sha256 = files.write_lines(file, lines, digest)
            result = replace(
                summary, events=summary.events + len(lines), sha256=sha256, added=summary.added + len(rows)
            )
            files.require_content(Path(file.name), files.Content(result.events, result.sha256))
        write_text(files.summary_path(self.path), files.to_json(result))
        return result

    def _learn_app(self, exchange: Exchange) -> None:
        if exchange.route == APPS and exchange.succeeded:
            self.own_apps |= {guid for guid in [dig(exchange.json or {}, "guid")] if isinstance(guid, str)}
        elif exchange.route.startswith(f"{APPS}/"):
            self.own_apps.add(guid_in_path(exchange.route))


def _events(page: Exchange) -> Iterable[dict[str, Any]]:
    """Return the rows of a page that are objects, whatever their guids are."""
    return (row for row in (page.page or {}).get("resources", ()) if isinstance(row, dict))
