"""What readers see while purges are under way; it is measured, never judged."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import is_page, read_snapshot, resources
from purge_conformance.evidence.records import CONCURRENT

if TYPE_CHECKING:
    from collections.abc import Collection

    from purge_conformance.evidence.records import Evidence, Exchange

SCENARIO = "parallel"
ROUNDS = ("first", "second")


def summarize_concurrent_reads(evidence: Evidence) -> str:
    """Return how often each sight was seen by those who read the list during purges at the same time; or nothing."""
    counts: Counter[str] = Counter()
    for scenario, name in product(evidence.repetitions(SCENARIO), ROUNDS):
        looks = (read_snapshot(evidence, scenario, f"{name}.{look}").events for look in ("before", "after"))
        before, after = (look.by_guid.keys() for look in looks)
        reads = [x for x in evidence.of(scenario, f"{name}.reads") if CONCURRENT in x.tags]
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
