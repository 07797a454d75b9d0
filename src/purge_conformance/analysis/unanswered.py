"""Requests that were not processed, and what that is attributed to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from purge_conformance.analysis.next_steps import (
    ACCEPT_CONNECTIONS,
    AFTER_CONCURRENT_LIMIT,
    AFTER_LONG_WAIT,
    AFTER_RATE_LIMIT,
    GIVE_TIME,
    PAST_FIREWALL,
    PAST_ROUTER,
)
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.evidence.intermediaries import (
    RATE_LIMITED,
    ROUTER_ERROR,
    is_closed_on_unusual,
    is_firewall_page,
    is_of_target,
)
from purge_conformance.evidence.steps import Tag
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purge_conformance.evidence.records import Exchange

MAX_REASONS = 3
TIMED_OUT = ("TimeoutError", "ReadTimeout", "the response was incomplete after")
LIMITED = f"rate limited ({RATE_LIMITED})"


def find_unanswered(exchanges: Iterable[Exchange]) -> Inconclusive | None:
    """Return what kept the target from processing requests, the most frequent reason first.

    None if it answered each of them itself. A request that was sent again does not count.
    """
    sent = [x for x in exchanges if Tag.SUPERSEDED not in x.tags]
    unanswered = [x for x in sent if not is_of_target(x)]
    if not unanswered:
        return None
    waits = {x.status: names for x in unanswered if (names := x.tags.get(Tag.LONG_WAIT))}  # the last one of a status
    reasons = Counter(_describe(x, waits) for x in unanswered)
    words = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common(MAX_REASONS))
    return Inconclusive(
        f"Of {len(sent)} requests the target itself answered {len(sent) - len(unanswered)}; {words}.",
        Cause.NETWORK,
        _next_step(unanswered),
    )


def _next_step(unanswered: Iterable[Exchange]) -> str:
    """Return the next step after what most of these requests met; a limit of the target counts before all else."""
    steps = Counter(map(_next_step_of, unanswered))
    limits = (AFTER_LONG_WAIT, AFTER_RATE_LIMIT, AFTER_CONCURRENT_LIMIT)
    return next((step for step in limits if step in steps), steps.most_common(1)[0][0])


def _next_step_of(exchange: Exchange) -> str:
    if Tag.LONG_WAIT in exchange.tags:
        return AFTER_LONG_WAIT
    if exchange.header(ROUTER_ERROR):
        return PAST_ROUTER
    if exchange.status == RATE_LIMITED:
        return AFTER_CONCURRENT_LIMIT if Tag.CONCURRENT in exchange.tags else AFTER_RATE_LIMIT
    if is_firewall_page(exchange) or is_closed_on_unusual(exchange):
        return PAST_FIREWALL
    if exchange.status is not None:
        return PAST_ROUTER
    if (exchange.error or "").startswith(TIMED_OUT):
        return GIVE_TIME
    return ACCEPT_CONNECTIONS if Tag.CONCURRENT in exchange.tags else ""


def _describe(exchange: Exchange, waits: Mapping[int | None, str]) -> str:
    if is_closed_on_unusual(exchange):
        return "the connection was closed on an unusual request, as some firewalls do"
    if exchange.status is None:
        return f"no response ({exchange.error})"
    if Tag.LONG_WAIT in exchange.tags:
        return f"asked to wait longer than --patience allows ({exchange.status}, {waits[exchange.status]})"
    if router_error := exchange.header(ROUTER_ERROR):
        return f"the router answered {exchange.status} ({ROUTER_ERROR}: {router_error})"
    if exchange.status == RATE_LIMITED:
        return LIMITED
    return f"a {'firewall' if is_firewall_page(exchange) else 'gateway'} answered {exchange.status}"
