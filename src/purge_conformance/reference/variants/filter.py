"""Variants of what a filter leaves out where the documentation has several readings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.reference.api.query import MAX_RESULT
from purge_conformance.reference.mutation import Change, new_registrar
from purge_conformance.reference.store.transitions import find_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from purge_conformance.reference.api.query import ListQuery
    from purge_conformance.reference.behaviour import Behaviour
    from purge_conformance.reference.store.database import Listing
    from purge_conformance.reference.store.tables import AppUsageEvent

VARIANTS: dict[str, Change] = {}
variant = new_registrar(VARIANTS)


def _after_guid_by_time(keep: Callable[[AppUsageEvent, AppUsageEvent], bool]) -> Change:
    """Let after_guid mean what time it is, given which events to keep after another one."""

    def change(behaviour: Behaviour) -> Behaviour:
        def find_events(
            session: Session, listing: Listing[AppUsageEvent], query: ListQuery
        ) -> tuple[int, Sequence[AppUsageEvent]]:
            anchor = find_event(session, query.single_guids.get("after_guid", ""))
            if anchor is None:
                return behaviour.find_events(session, listing, query)
            unpaged = replace(query, single_guids={}, skip=0, take=MAX_RESULT)
            rows = [row for row in behaviour.find_events(session, listing, unpaged)[1] if keep(row, anchor)]
            return len(rows), rows[query.skip : query.skip + query.take]

        return replace(behaviour, find_events=find_events)

    return change


variant("after-guid-by-time-and-guid")(
    _after_guid_by_time(lambda row, anchor: (row.created_at, row.guid) > (anchor.created_at, anchor.guid))
)
variant("after-guid-keeps-the-same-second")(
    _after_guid_by_time(lambda row, anchor: row.created_at >= anchor.created_at and row.guid != anchor.guid)
)
