"""Variants with a retention job: it deletes the oldest events, whatever clients do, and seeds nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from purge_conformance.reference.mutation import Change, variant
from purge_conformance.reference.store.initial_data import initial_apps, initial_data
from purge_conformance.reference.store.tables import AppUsageEvent
from purge_conformance.reference.store.transitions import delete_oldest

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour, Reply
    from purge_conformance.reference.mutation import Answer

READS_PER_JOB = 5  # of the list of apps: by requests rather than by time, so that a run is the same each time
MAX_EVENTS = 12


def _with_job(job: Callable[[Session], object], is_due: Callable[[str, int], bool]) -> Change:
    """Return the change that runs a job in a transaction of its own before an operation is done for the n-th time."""

    def change(behaviour: Behaviour) -> Behaviour:
        times: dict[str, int] = {}

        async def schedule(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            times[operation] = times.get(operation, 0) + 1
            if is_due(operation, times[operation]):
                with sessions.begin() as session:
                    job(session)
            return await furnished.schedule(operation, answer, sessions)

        furnished = initial_data(restarts=30)(behaviour)
        return replace(furnished, schedule=schedule)

    return change


def _at_reads_of_apps(operation: str, times: int) -> bool:
    return operation == "list_apps" and times % READS_PER_JOB == 0


def _delete_of_others(session: Session) -> None:
    delete_oldest(session, 2, AppUsageEvent.app_guid.in_([app.guid for app in initial_apps(session)]))


def _delete_beyond_limit(session: Session) -> None:
    count = session.scalar(select(func.count(AppUsageEvent.id))) or 0
    delete_oldest(session, max(0, count - MAX_EVENTS))


variant("retention-deletes-two-oldest")(_with_job(lambda session: delete_oldest(session, 2), _at_reads_of_apps))
variant("retention-deletes-oldest-of-others")(_with_job(_delete_of_others, _at_reads_of_apps))
variant("retention-keeps-newest")(_with_job(_delete_beyond_limit, lambda _operation, _times: True))
