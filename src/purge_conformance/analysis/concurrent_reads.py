"""What concurrent reads of the list show during purges: measured, never judged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import is_page, listing_of, resources
from purge_conformance.evidence.steps import Part, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Collection

    from purge_conformance.evidence.records import Evidence, Exchange


def summarize_concurrent_reads(evidence: Evidence) -> str:
    """Return how often reads during concurrent purges showed what, in words; empty if there were none."""
    counts: Counter[str] = Counter()
    for span in evidence.spans(Scenario.CONCURRENT_PURGES, Step.CONCURRENT):
        before, after = (listing_of(evidence, side, Part.EVENTS).by_guid.keys() for side in (span.before, span.after))
        reads = [
            x
            for x in evidence.of(span.scenario, Step.CONCURRENT_READ, round=span.round, index=span.place.index)
            if Tag.CONCURRENT in x.tags
        ]
        counts.update(_classify_read(x, before, after) for x in reads)
    return ", ".join(f"{description} {times}x" for description, times in counts.most_common())


def _classify_read(read: Exchange, before: Collection[str], after: Collection[str]) -> str:
    if not is_page(read):
        return f"status {read.status}" if read.status else "no answer"
    guids = [row["guid"] for row in resources(read)]
    cases = {
        "nothing": not guids,
        "an event twice": len(set(guids)) < len(guids),
        "the old list": set(guids) == set(before),
        "the new list": set(guids) == set(after),
    }
    return next((words for words, matches in cases.items() if matches), "a partial or mixed list")
