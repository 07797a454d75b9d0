"""Requests that were not processed, and what that is attributed to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance.analysis.next_steps import AFTER_LONG_WAIT, AFTER_RATE_LIMIT
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.evidence.intermediaries import RATE_LIMITED, ROUTER_ERROR, is_of_target
from purge_conformance.evidence.steps import Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Exchange

MAX_REASONS = 3
LIMITED = f"rate limited ({RATE_LIMITED})"


def find_unanswered(exchanges: Iterable[Exchange]) -> Inconclusive | None:
    """Return what kept the target from processing requests, the most frequent reason first.

    None if it answered each of them itself. A request that was sent again does not count.
    """
    sent = [x for x in exchanges if Tag.SUPERSEDED not in x.tags]
    reasons = Counter(_describe(x) for x in sent if not is_of_target(x))
    if not reasons:
        return None
    words = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common(MAX_REASONS))
    next_step = AFTER_RATE_LIMIT if LIMITED in reasons else ""
    if any(Tag.LONG_WAIT in x.tags for x in sent):
        next_step = AFTER_LONG_WAIT
    return Inconclusive(
        f"Of {len(sent)} requests the target itself answered {len(sent) - reasons.total()}; {words}.",
        Cause.NETWORK,
        next_step,
    )


def _describe(exchange: Exchange) -> str:
    if exchange.status is None:
        return f"no response ({exchange.error})"
    if wait := exchange.tags.get(Tag.LONG_WAIT):
        return f"asked to wait longer than --patience allows ({exchange.status}, {wait})"
    if router_error := exchange.header(ROUTER_ERROR):
        return f"the router answered {exchange.status} ({ROUTER_ERROR}: {router_error})"
    return LIMITED if exchange.status == RATE_LIMITED else f"a gateway answered {exchange.status}"
