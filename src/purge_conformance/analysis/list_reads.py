"""The list of events as the scenario `lists` reads it, between two complete reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import require_complete, require_walk
from purge_conformance.analysis.late_effects import require_not_late
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.sightings import sightings
from purge_conformance.evidence.listing import event_identity
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing, Row


@dataclass(frozen=True)
class ListRead:
    """The list at the beginning of the scenario, and the events that appeared until its end.

    Attributes:
        initial: the complete list at the beginning.
        new_guids: guids of the events that other clients caused during the scenario.
    """

    initial: Listing
    new_guids: frozenset[str]

    def known_guids(self, rows: Iterable[Row]) -> set[str]:
        """Return the guids of rows, without those of new events."""
        return {str(row.get("guid")) for row in rows} - self.new_guids


def require_list_read(view: JudgmentView) -> ListRead:
    """Return what the scenario `lists` read.

    Raises:
        Inconclusive: the list could not be read, or events disappeared during the scenario.
        NotExercised: the list was empty.
    """
    opening, closing = (require_walk(view, Scenario.LISTS, step) for step in (Step.OPENING, Step.CLOSING))
    for listing in (opening, closing):
        require_complete(listing, "events")
    if not opening.rows:
        raise NotExercised("The list was empty.", Cause.CONFIGURATION, get_apps(view))
    before, after = set(opening.by_guid), set(closing.by_guid)
    if before - after or _is_reseeded(view, opening, closing):
        require_not_late(view, opening.exchanges[0])
        raise Inconclusive("Events disappeared while the list was read: another client purged.", Cause.RACE)
    return ListRead(opening, frozenset(after - before))


def _is_reseeded(view: JudgmentView, opening: Listing, closing: Listing) -> bool:
    """Whether a purge between two lists gave seeded events a new time, and kept their guids."""
    seen = view.cached(sightings)
    replaced = [
        guid
        for guid, row in opening.by_guid.items()
        if seen.is_seed(row) and event_identity(closing.by_guid[guid]) != event_identity(row)
    ]
    return bool(replaced) and not seen.rules_out_purge(opening.exchanges[0].n, closing.exchanges[-1].n)
