"""Faults of requests that delete the oldest event, as a retention job does regardless of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.reference.mutation import act_and_reject, fault, on_error, wrap_operations
from purge_conformance.reference.store.transitions import NOT_SEEDED, delete_oldest

if TYPE_CHECKING:
    from purge_conformance.reference.behaviour import Call, Handler, Reply


def _delete_recorded(call: Call) -> None:
    delete_oldest(call.session, 1, NOT_SEEDED)


fault("forbidden-purge-destroys-oldest")(
    wrap_operations("purge_events")(on_error(403, act_and_reject(_delete_recorded)))
)


@fault("start-destroys-oldest")
@wrap_operations("start_app")
def start_destroys_oldest(call: Call, answer: Handler) -> Reply:
    delete_oldest(call.session, 1)
    return answer(call)
