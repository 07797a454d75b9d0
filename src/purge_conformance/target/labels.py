"""The label of a run on what the suite creates, and how long ago such a resource changed."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import RUN_LABEL, Row, dig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.listing import Listing

ACTIVE_WITHIN_S = 3600.0  # a run that changed something more recently may be in progress


def run_of(row: Row) -> str | None:
    """Return the run that created a resource; None: another client did."""
    label = dig(row, "metadata", "labels", RUN_LABEL)
    return label if isinstance(label, str) else None


def age_of(row: Row, listing: Listing) -> float:
    """Return the seconds since a resource changed, by the target's clock if known; 0 if its row has no time."""
    page = listing.exchanges[-1]
    now = clock.parse_http_date(page.header("Date")) or page.sent_at
    moments = [
        moment.timestamp() for name in ("created_at", "updated_at") if (moment := clock.parse_rfc3339(row.get(name)))
    ]
    return now - max(moments, default=now)


def active_runs(ages: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return each run that may be in progress, and the seconds since it last changed something.

    Args:
        ages: of each resource: its run, and the seconds since it changed.
    """
    latest: dict[str, float] = {}
    for run, age in ages:
        latest[run] = max(0.0, min(age, latest.get(run, inf)))
    return {run: age for run, age in latest.items() if age < ACTIVE_WITHIN_S}
