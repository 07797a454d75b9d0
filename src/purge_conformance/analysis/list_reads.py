"""The list of events as a scenario reads it in several ways, between two complete reads."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import require_complete, require_walk
from purge_conformance.analysis.late_effects import require_not_late
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Undecided
from purge_conformance.analysis.retention import is_deleted
from purge_conformance.analysis.sightings import sightings
from purge_conformance.evidence.listing import event_identity
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing, Row


@dataclass(frozen=True)
class ListRead:
    """The list at the beginning of a scenario, and the events that appeared until its end.

    Attributes:
        scenario: the one that read it.
        initial: the complete list at the beginning, without events that a retention job deleted during the scenario.
        new_guids: guids of the events that other clients caused during the scenario, or that the job deleted: they may
            be listed or not.
        deleted_guids: those of the events that the job deleted.
    """

    scenario: Scenario
    initial: Listing
    new_guids: frozenset[str]
    deleted_guids: frozenset[str] = frozenset()

    def known_guids(self, rows: Iterable[Row]) -> set[str]:
        """Return the guids of rows, without those of new events."""
        return {str(row.get("guid")) for row in rows} - self.new_guids


def list_reads(view: JudgmentView) -> Iterator[ListRead]:
    """Yield what was read before the first purge, if it can be judged, and what the scenario `lists` read.

    Raises:
        Undecided: as `require_list_read` does for `lists`; if its list was empty, only if there is no other.
    """
    early = list(_early_reads(view))
    yield from early
    try:
        yield require_list_read(view)
    except NotExercised:
        if not early:
            raise


def _early_reads(view: JudgmentView) -> Iterator[ListRead]:
    if view.of(Scenario.LISTS_BEFORE_PURGE, Step.CLOSING):
        with suppress(Undecided):
            yield require_list_read(view, Scenario.LISTS_BEFORE_PURGE)


def require_list_read(view: JudgmentView, scenario: Scenario = Scenario.LISTS) -> ListRead:
    """Return what a scenario read between two reads of the whole list.

    Raises:
        Inconclusive: the list could not be read, or events disappeared during the scenario.
        NotExercised: the list was empty.
    """
    opening, closing = (require_walk(view, scenario, step) for step in (Step.OPENING, Step.CLOSING))
    for listing in (opening, closing):
        require_complete(listing, "events")
    if not opening.rows:
        raise NotExercised("The list was empty.", Cause.CONFIGURATION, get_apps(view))
    last = closing.exchanges[-1].n
    deleted = {
        row["guid"] for row in opening.rows if row["guid"] not in closing.by_guid and is_deleted(view, row, last)
    }
    opening = replace(opening, rows=tuple(row for row in opening.rows if row["guid"] not in deleted))
    before, after = set(opening.by_guid), set(closing.by_guid)
    if before - after or _is_reseeded(view, opening, closing):
        require_not_late(view, opening.exchanges[0])
        raise Inconclusive("Events disappeared while the list was read: another client purged.", Cause.RACE)
    return ListRead(scenario, opening, frozenset(after - before | deleted), frozenset(deleted))


def _is_reseeded(view: JudgmentView, opening: Listing, closing: Listing) -> bool:
    """Whether a purge between two lists gave seeded events a new time, and kept their guids."""
    seen = view.cached(sightings)
    replaced = [
        guid
        for guid, row in opening.by_guid.items()
        if seen.is_seed(row) and event_identity(closing.by_guid[guid]) != event_identity(row)
    ]
    return bool(replaced) and not seen.rules_out_purge(opening.exchanges[0].n, closing.exchanges[-1].n)
