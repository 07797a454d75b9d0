"""The random sequences of a run, rebuilt from the evidence and compared with the model again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Action
from purge_conformance.analysis.app_model.state import Step as SequenceStep
from purge_conformance.analysis.app_model.trace import RESULTING_STATES, ExecutedStep, SequenceTrace
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import dig, listing_at, resources
from purge_conformance.evidence.steps import Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.app_model.trace import Disagreement
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange


@dataclass(frozen=True)
class SequenceRun:
    """A sequence that was executed.

    Attributes:
        number: of the sequence in the run, from 1.
        steps: the planned actions.
        is_shrunk: whether it was executed because a longer one disagreed with the model.
        executed_steps: the actions that were executed.
        trace: the comparison of these with the model.
    """

    number: int
    steps: tuple[SequenceStep, ...]
    is_shrunk: bool
    executed_steps: tuple[ExecutedStep, ...]
    trace: SequenceTrace

    @property
    def length(self) -> int:
        """The number of executed steps up to the disagreement."""
        return sum(step.position <= self.disagreement.position for step in self.executed_steps if self.disagreement)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The actions and the lists after them."""
        listings = (step.listing.exchanges if step.listing else () for step in self.executed_steps)
        return (*(step.response for step in self.executed_steps), *(x for pages in listings for x in pages))

    @property
    def disagreement(self) -> Disagreement | None:
        """Where the target disagrees with the model."""
        return self.trace.disagreement


def sequence_runs(view: JudgmentView) -> Iterator[SequenceRun]:
    """Yield each sequence that was executed, in order."""
    for plan in view.noted(notes.SEQUENCE, Scenario.SEQUENCES):
        steps = tuple(SequenceStep.parse(words) for words in plan.actions)
        trace, executed = SequenceTrace(plan.processes), list(_executed_steps(view, plan.number, steps))
        for execution in executed:
            trace = trace if trace.is_finished else trace.with_step(execution)
        yield SequenceRun(plan.number, steps, plan.shorter, tuple(executed), trace)


def _executed_steps(view: JudgmentView, number: int, steps: tuple[SequenceStep, ...]) -> Iterator[ExecutedStep]:
    for position, step in enumerate(steps, 1):
        responses = requests_of(view, number, position, Step.ACTION)
        if not responses:
            continue
        execution = ExecutedStep(position, step, responses[-1], _last_listing(view, number, position))
        match step.action:
            case Action.CREATE:
                reads = requests_of(view, number, position, Step.AWAIT_CREATION)
                yield replace(execution, created_guid=created_guid(execution.response, reads))
            case Action.START | Action.STOP:
                reads = requests_of(view, number, position, Step.AWAIT_STATE)
                yield replace(execution, is_confirmed=_reached_state(step, [execution.response, *reads]))
            case Action.DELETE:
                reads = requests_of(view, number, position, Step.AWAIT_DELETION)
                yield replace(execution, is_confirmed=any(x.status == HTTPStatus.NOT_FOUND for x in reads))
            case Action.READ:
                place = Place(Step.ACTION, sequence=number, position=position)
                yield replace(execution, walks=(listing_at(view, Scenario.SEQUENCES, place),))
            case _:
                yield execution


def requests_of(view: JudgmentView, number: int, position: int, step: Step) -> tuple[Exchange, ...]:
    """Return the requests of one action of a sequence: the action itself, or the reads that wait for its effect."""
    return view.of(Scenario.SEQUENCES, step, sequence=number, position=position)


def created_guid(response: Exchange, reads: Sequence[Exchange]) -> str | None:
    """Return the guid of a created object, from the response or from the last read after a job; None without one."""
    if response.status != HTTPStatus.ACCEPTED:
        guid = dig(response.json, "guid")
        return guid if isinstance(guid, str) else None
    name = json.loads(response.request_body or "{}").get("name")
    return next((row["guid"] for page in reads[-1:] for row in resources(page) if row.get("name") == name), None)


def _reached_state(step: SequenceStep, reads: Sequence[Exchange]) -> bool:
    """Whether the last read shows the state, or did not succeed."""
    return not reads[-1].succeeded or dig(reads[-1].json, "state") == RESULTING_STATES[step.action]


def _last_listing(view: JudgmentView, number: int, position: int) -> Listing | None:
    """Return the last list after an action; the suite reads it again if a change is recorded late."""
    reads = requests_of(view, number, position, Step.LIST_AFTER_ACTION)
    last = max((x.place.index or 0 for x in reads), default=None)
    if last is None:
        return None
    place = Place(Step.LIST_AFTER_ACTION, last, sequence=number, position=position)
    return listing_at(view, Scenario.SEQUENCES, place)
