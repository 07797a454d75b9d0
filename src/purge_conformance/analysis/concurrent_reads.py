"""What readers see while purges are under way; it is measured, never judged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import is_page, listing_of, resources
from purge_conformance.evidence.steps import Part, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Collection

    from purge_conformance.evidence.records import Evidence, Exchange


def summarize_concurrent_reads(evidence: Evidence) -> str:
    """Return how often each sight was seen by those who read the list during purges at the same time; or nothing."""
    counts: Counter[str] = Counter()
    for span in evidence.spans(Scenario.CONCURRENT_PURGES, Step.CONCURRENT):
        before, after = (listing_of(evidence, side, Part.EVENTS).by_guid.keys() for side in (span.before, span.after))
        reads = [
            x
            for x in evidence.of(span.scenario, Step.CONCURRENT_READ, round=span.round, index=span.place.index)
            if Tag.CONCURRENT in x.tags
        ]
        counts.update(_classify_read(x, before, after) for x in reads)
    return ", ".join(f"{sight} {times}x" for sight, times in counts.most_common())


def _classify_read(read: Exchange, before: Collection[str], after: Collection[str]) -> str:
    if not is_page(read):
        return f"status {read.status}" if read.status else "no answer"
    guids = [row["guid"] for row in resources(read)]
    cases = {
        "nothing": not guids,
        "an event twice": len(set(guids)) < len(guids),
        "the list of before": set(guids) == set(before),
        "the list of afterwards": set(guids) == set(after),
    }
    return next((words for words, holds in cases.items() if holds), "a part, or a mixture")
