"""An attempt at what must be refused, between two looks at the newest events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.checks import answered, need
from purge_conformance.snapshot import is_page, key, resources, total_results

if TYPE_CHECKING:
    from purge_conformance.checks import Seen
    from purge_conformance.evidence import Exchange

ODD_REQUESTS = ("cut-json", "json-object", "json-array", "no-json", "unknown-query")  # steps of the experiment `odd`


@dataclass(frozen=True)
class Attempt:
    """A request between two looks at the newest events."""

    request: Exchange
    before: Exchange
    after: Exchange

    def loss(self) -> str | None:
        """Return what was lost between the looks, in words; None if nothing was."""
        rows = [{key(row) for row in resources(look)} for look in (self.before, self.after)]
        totals = [total_results(look) for look in (self.before, self.after)]
        if totals[0] is not None and totals[1] is not None and totals[1] < totals[0]:
            return f"{totals[0]} events before, {totals[1]} after"
        lost, new = rows[0] - rows[1], rows[1] - rows[0]
        if lost and not (self._is_full() and len(new) >= len(lost)):
            guid, created_at = min(lost)
            return f"{len(lost)} of the newest {len(rows[0])} events are gone, one of them {guid} of {created_at}"
        return None

    def _is_full(self) -> bool:
        """Whether the last look may not have shown all: newer events may have pushed older ones off the page."""
        return len(resources(self.after)) >= int(self.after.query.get("per_page", 0))


def attempts(seen: Seen, *steps: str) -> list[Attempt]:
    """Return the refused experiment's answered attempts of these steps whose looks could be read and showed events."""
    sent = need(seen, "refused", *steps, why="nothing of the kind was tried")
    looks = answered(seen.of("refused", "look"))
    found = []
    for request in sent:
        before = max((look for look in looks if look.n < request.n), key=_number, default=None)
        after = min((look for look in looks if look.n > request.n), key=_number, default=None)
        if before and after and resources(before) and is_page(after):
            found.append(Attempt(request, before, after))
    return found


def odd_attempts(seen: Seen) -> list[Attempt]:
    """Return the odd purges whose looks could be read and showed events; of a long list, its first page."""
    found = []
    for name in ODD_REQUESTS:
        before, after = (seen.of("odd", f"{name}.{look}.events")[:1] for look in ("before", "after"))
        sent = answered(seen.of("odd", name))
        if sent and before and after and resources(before[0]) and is_page(after[0]):
            found.append(Attempt(sent[-1], before[0], after[0]))
    return found


def _number(exchange: Exchange) -> int:
    return exchange.n
