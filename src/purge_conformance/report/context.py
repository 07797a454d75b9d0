"""The exchanges around one that shows a failure: those before it, those at the same time, and those after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.evidence.records import Exchange

NEIGHBOURS = 2  # before, and as many after
MAX_CONCURRENT = 8


def exchanges_around(exchange: Exchange, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the exchange and its neighbours in the same round of the same scenario, in the order of sending.

    Args:
        exchange: one of the run.
        exchanges: all of the run, in the order of their numbers.
    """
    of_round = [x for x in exchanges if (x.scenario, x.round) == (exchange.scenario, exchange.round)]
    beside = [x for x in of_round if x is not exchange and overlaps(x, exchange)][:MAX_CONCURRENT]
    chosen = {x.n: x for x in [exchange, *beside]}
    first, last = min(chosen), max(chosen)
    chosen |= {x.n: x for x in [x for x in of_round if x.n < first][-NEIGHBOURS:]}
    chosen |= {x.n: x for x in [x for x in of_round if x.n > last][:NEIGHBOURS]}
    return [chosen[n] for n in sorted(chosen)]


def overlaps(first: Exchange, second: Exchange) -> bool:
    """Whether two requests were under way at the same time."""
    return first.sent_at < second.sent_at + second.elapsed and second.sent_at < first.sent_at + first.elapsed
