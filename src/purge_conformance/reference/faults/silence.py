"""Faults of purges that get no answer, or only a part of it, and of purges that are refused at times."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.connection_changes import CUT, HANGING, SILENT, marked, withholding_marked
from purge_conformance.reference.faults.concurrency import on_collision
from purge_conformance.reference.mutation import Change, combine, fault, wrap_operations

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
    from purge_conformance.reference.mutation import Answer


def _silence_purges(mark: str) -> Change:
    """Return the change that carries out each purge and sends no answer, or only a part of it."""

    @wrap_operations("purge_events")
    def mark_reply(call: Call, answer: Handler) -> Reply:
        return marked(answer(call), mark)

    return combine(mark_reply, withholding_marked)


fault("purge-gets-no-answer")(_silence_purges(SILENT))
fault("purge-answer-cut-off")(_silence_purges(CUT))
fault("purge-hangs")(_silence_purges(HANGING))


def _silence_parallel_purges(mark: str) -> Change:
    """Return the change that carries out purges that overlap and sends no answer."""

    @on_collision
    def mark_reply(answer: Answer, _: sessionmaker[Session]) -> Reply:
        return marked(answer(), mark)

    return combine(mark_reply, withholding_marked)


fault("parallel-purges-get-no-answer")(_silence_parallel_purges(SILENT))
fault("parallel-purges-hang")(_silence_parallel_purges(HANGING))


@fault("each-fifth-purge-403")
def each_fifth_purge_403(behaviour: Behaviour) -> Behaviour:
    purges = count(1)

    @wrap_operations("purge_events")
    def refuse_every_fifth(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        if next(purges) % 5 == 0:
            raise problems.not_authorized()
        return reply

    return refuse_every_fifth(behaviour)
