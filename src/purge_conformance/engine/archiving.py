"""Archives the existing events of a run, and decides whether it may purge."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.pagination import NEWEST_EVENTS, read_pages
from purge_conformance.config.settings import ALLOW_INCOMPLETE_ARCHIVE
from purge_conformance.errors import ArchiveFailed, ArchiveIncomplete, PurgeBlocked
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import is_page, listing_at
from purge_conformance.evidence.steps import Place, Scenario, Step
from purge_conformance.target import archive
from purge_conformance.target.before_purge import require_permission
from purge_conformance.target.other_runs import require_first_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.target.archive.events import ArchiveSummary
    from purge_conformance.target.archive.list_check import Reading


def observing(
    growing: archive.GrowingArchive, on_send: Callable[[Client, Exchange], None]
) -> Callable[[Client, Exchange], None]:
    """Return what calls `on_send` for an exchange that the archive has observed."""

    def observe(client: Client, exchange: Exchange) -> None:
        growing.observe(exchange)
        on_send(client, exchange)

    return observe


def archive_events(
    client: Client, evidence: Evidence, growing: archive.GrowingArchive, warn: Callable[[str], None]
) -> None:
    """Write the events that the scenario has read to the archive, and only then allow purges.

    If the list cannot be read at all, no purge is sent, and the run goes on: what needs no purge is judged.

    Raises:
        ArchiveIncomplete: the archive could not be written, or is incomplete and the settings do not allow to purge.
        PurgeRefused: the user's command does not allow to purge.
        RunInProgress: another run created its apps since this run began, and before it created its own.
    """
    listing, reading = _last_walk(client, evidence)
    try:
        summary = archive.write(
            growing.path,
            client.settings.target.url,
            listing.exchanges,
            lambda: reading,
            own_apps=growing.own_apps,
            allow_incomplete=True,
        )
    except ArchiveFailed as reason:
        raise ArchiveIncomplete(f"No purge was sent. {reason}") from None
    growing.start(summary, listing.exchanges)
    client.note(notes.ARCHIVED, asdict(summary))
    settings = client.settings
    client.guard.is_archived = summary.complete or settings.allow_incomplete_archive or settings.owns_target
    client.guard.archive_new = partial(_add_new, client, growing)
    if not settings.owns_target:
        client.before_purge = partial(_look, client, growing, count(1))
    if reading.extent is archive.Extent.NOTHING and not client.guard.is_archived:
        client.guard.archive_error = reading.reason
        warn(f"Nothing will be purged: the list of events cannot be read. {reading.reason}")
    elif not client.guard.is_archived:
        raise ArchiveIncomplete(
            f"The archive is incomplete, so no purge was sent. {reading.reason} "
            f"To purge all the same, and lose the rest, give {ALLOW_INCOMPLETE_ARCHIVE}.",
        )
    _warn_of_loss(summary, warn, is_expected=settings.owns_target)
    if client.guard.is_archived and client.guard.purges_left:
        require_first_run(client, evidence.note(Scenario.FOUNDATION, notes.RUN) or "")
        require_permission(client, growing.path, summary)


def _last_walk(client: Client, evidence: Evidence) -> tuple[Listing, Reading]:
    """Return the last walk over the list, and what the walks achieved."""
    places = [
        place
        for place in (Place(Step.EXISTING_EVENTS, number or None) for number in range(archive.MAX_WALKS))
        if evidence.at(Scenario.ARCHIVE, place)
    ] or [Place(Step.EXISTING_EVENTS)]
    listing = listing_at(evidence, Scenario.ARCHIVE, places[-1])
    names = (notes.EXPIRED, notes.STOPPED, notes.CRASHED)
    blocked = next(filter(None, (evidence.note(Scenario.ARCHIVE, name) for name in names)), "")
    reading = archive.check_pages(listing.exchanges).reading(client.settings.limits, blocked=blocked)
    return listing, archive.after_walks(reading, len(places))


def _add_new(client: Client, growing: archive.GrowingArchive) -> None:
    if added := growing.add_new():
        client.note(notes.ADDED, added)


def _look(client: Client, growing: archive.GrowingArchive, numbers: Iterator[int]) -> None:
    """Read the newest events if no scenario did shortly before this purge; all if the list has others as well.

    Raises:
        PurgeBlocked: not all events can be read, and the settings do not allow to lose any.
        ArchiveFailed: the summary of the archive cannot be changed to say that events are lost.
    """
    problem = _read_what_is_new(client, growing, numbers) if client.guard.is_archived else ""
    if problem and not client.settings.allow_incomplete_archive:
        raise PurgeBlocked(
            f"A purge was not sent: what others recorded before it could not be archived. {problem} Give "
            f"{ALLOW_INCOMPLETE_ARCHIVE} to purge all the same."
        )
    if problem:
        client.note(notes.LACKING, problem)
        growing.note_loss(problem)


def _read_what_is_new(client: Client, growing: archive.GrowingArchive, numbers: Iterator[int]) -> str:
    """Read what may be new in the list; return why that is not everything, or an empty string."""
    if growing.needs_look:
        newest = client.get(NEWEST_EVENTS, Place(Step.BEFORE_PURGE, next(numbers)))
        if not is_page(newest):
            return archive.check_pages([newest]).reading(client.settings.limits).reason
    for walks in range(1, archive.MAX_WALKS + 1):
        if not growing.may_lack_events:
            break
        listing = read_pages(client, EVENTS_PATH, Place(Step.BEFORE_PURGE, next(numbers)))
        reading = archive.check_pages(listing.exchanges).reading(client.settings.limits)
        growing.may_lack_events = not reading.is_whole
        if not reading.is_whole and (reading.extent is not archive.Extent.CHANGED or walks == archive.MAX_WALKS):
            return archive.after_walks(reading, walks).reason
    return ""


def _warn_of_loss(summary: ArchiveSummary, warn: Callable[[str], None], *, is_expected: bool) -> None:
    is_loss = not summary.complete and not is_expected
    if is_loss or any(archive.recency_warning(summary.age)):
        warn(" ".join(archive.describe(asdict(summary))))
