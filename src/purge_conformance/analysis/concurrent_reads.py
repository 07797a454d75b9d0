"""Reads of the list while a purge is under way: what they show is reported, and never judged by LIST."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import is_page, listing_of, pagination, resources, total_results
from purge_conformance.evidence.steps import Part, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from purge_conformance.evidence.records import Evidence, Exchange

# Answers of a purge that may go on after them.
UNFINISHED_STATUSES = {None, HTTPStatus.ACCEPTED, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
MAX_REMAINING_S = 60.0  # how long such a purge may go on


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


def is_during_purge(read: Exchange, purges: Iterable[Exchange]) -> bool:
    """Whether one of these purges may have been under way during a read; one without a final answer may go on."""
    if Tag.CONCURRENT in read.tags:
        return True
    end = read.sent_at + read.elapsed
    return any(x.sent_at < end and read.sent_at < _latest_end(x) for x in purges)


def _latest_end(purge: Exchange) -> float:
    is_open = purge.status in UNFINISHED_STATUSES
    return purge.sent_at + purge.elapsed + (MAX_REMAINING_S if is_open else 0)


def _classify_read(read: Exchange, before: Collection[str], after: Collection[str]) -> str:
    if not is_page(read):
        return f"status {read.status}" if read.status else "no answer"
    guids, total = [row["guid"] for row in resources(read)], total_results(read)
    is_whole = not pagination(read).get("next")
    cases = {
        "a total that its rows contradict": is_whole and total is not None and total != len(guids),
        "nothing": not guids,
        "an event twice": len(set(guids)) < len(guids),
        "the old list": set(guids) == set(before),
        "the new list": set(guids) == set(after),
    }
    return next((words for words, matches in cases.items() if matches), "a partial or mixed list")
