"""The complete reads of the list of a run, and the purges of the suite between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.intermediaries import is_firewall_page, is_of_target
from purge_conformance.evidence.listing import listing_at
from purge_conformance.evidence.steps import Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Evidence, Exchange


def complete_listings(view: JudgmentView) -> list[Listing]:
    """Return each complete read of the list that nothing was concurrent with, in the order of the run.

    Two kinds do not count: reads that test paging, since LIST-04 judges an event that is on no page; and reads of the
    random sequences, which delete apps: their events may disappear with them.
    """
    return view.memoized(_find_complete_listings)


def _find_complete_listings(view: JudgmentView) -> Iterator[Listing]:
    page_parameters = {"page", "per_page"}
    sequential = (
        x
        for x in view.resource_exchanges()
        if Tag.CONCURRENT not in x.tags and x.scenario is not Scenario.SEQUENCES and x.step is not Step.WALK
    )
    keys = dict.fromkeys(x.key for x in sequential if x.route == EVENTS_PATH and set(x.query) <= page_parameters)
    for scenario, number, place in keys:
        listing = listing_at(view, scenario, place, number)
        if listing.complete and all(set(x.query) == page_parameters for x in listing.exchanges):
            yield listing


def has_purge_between(view: JudgmentView, first: Exchange, last: Exchange) -> bool:
    """Whether a purge may have been done between two exchanges.

    It may if it succeeded, was induced to fail, or was sent as admin and got no answer or was concurrent with others.
    """
    purges = [x for x in view.exchanges if first.n < x.n < last.n and is_purge(x.method, x.path)]
    unanswered = {x.n for x in purges if x.role == ADMIN and not (is_of_target(x) or is_firewall_page(x))}
    concurrent = {x.n for x in purges if x.role == ADMIN and Tag.CONCURRENT in x.tags}
    return any(x.succeeded or x.n in unanswered | concurrent or Tag.INDUCED in x.tags for x in purges)


def own_purges(evidence: Evidence) -> list[Exchange]:
    """Return the suite's purges that may have taken effect."""
    return evidence.cached(_find_own_purges)


def _find_own_purges(evidence: Evidence) -> list[Exchange]:
    purges = (x for x in evidence.exchanges if is_purge(x.method, x.path) and x.role == ADMIN)
    return [x for x in purges if not x.rejected]
