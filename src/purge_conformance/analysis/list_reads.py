"""The list, between two readings of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import Inconclusive, NotExercised, require_complete, require_walk
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Listing, Row


@dataclass(frozen=True)
class ListRead:
    """The list, read at the beginning and at the end of an experiment that reads it in all ways.

    Attributes:
        opening: the whole, before.
        newcomers: guids of the events that others caused meanwhile.
    """

    initial: Listing
    new_guids: frozenset[str]

    def known_guids(self, rows: Iterable[Row]) -> set[str]:
        """Return the guids of rows, without newcomers."""
        return {str(row.get("guid")) for row in rows} - self.new_guids


def require_list_read(view: JudgmentView) -> ListRead:
    """Return what the experiment `lists` read.

    Raises:
        Inconclusive: the list could not be read, or events vanished meanwhile.
        NotExercised: there was none to read.
    """
    opening, closing = (require_walk(view, "lists", step) for step in ("opening", "closing"))
    for listing in (opening, closing):
        require_complete(listing, "events")
    if not opening.rows:
        raise NotExercised("the list was empty", Cause.CONFIGURATION)
    before, after = set(opening.by_guid), set(closing.by_guid)
    if before - after:
        raise Inconclusive("events vanished while the list was read: somebody else purged", Cause.RACE)
    return ListRead(opening, frozenset(after - before))
