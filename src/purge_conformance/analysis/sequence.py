"""The random sequences, as they were played: rebuilt from the evidence, and held against the model once more."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Action, Step
from purge_conformance.analysis.app_model.trace import RESULTING_STATES, ExecutedStep, SequenceTrace
from purge_conformance.evidence.listing import dig, read_listing, resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.app_model.trace import Disagreement
    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

SCENARIO = "sequences"
ACCEPTED, NOT_FOUND = 202, 404


@dataclass(frozen=True)
class SequenceRun:
    """A sequence that was played.

    Attributes:
        number: among the sequences of the run, from 1.
        steps: what was to be done.
        shorter: whether it was tried because a longer one disagreed.
        taken: what was done.
        history: what came of it.
    """

    number: int
    steps: tuple[Step, ...]
    is_shrunk: bool
    executed_steps: tuple[ExecutedStep, ...]
    trace: SequenceTrace

    @property
    def length(self) -> int:
        """How many steps it took until the target disagreed."""
        return sum(one.position <= self.disagreement.position for one in self.executed_steps if self.disagreement)

    @property
    def disagreement(self) -> Disagreement | None:
        """Where the target disagrees with the model."""
        return self.trace.disagreement


def sequence_runs(view: JudgmentView) -> Iterator[SequenceRun]:
    """Yield each sequence that was played, in order."""
    number = 1
    while note := view.note(SCENARIO, f"sequence {number}"):
        steps = tuple(Step.parse(words) for words in note["steps"])
        trace, executed = SequenceTrace(note["processes"]), list(_executed_steps(view, number, steps))
        for execution in executed:
            trace = trace if trace.is_finished else trace.with_step(execution)
        yield SequenceRun(number, steps, note["shorter"], tuple(executed), trace)
        number += 1


def _executed_steps(view: JudgmentView, number: int, steps: tuple[Step, ...]) -> Iterator[ExecutedStep]:
    for place, step in enumerate(steps, 1):
        label = f"{number}.{place}"
        responses = view.of(SCENARIO, f"{label} {step}")
        if not responses:
            continue
        execution = ExecutedStep(place, step, responses[-1], _last_listing(view, label))
        match step.action:
            case Action.CREATE:
                yield replace(
                    execution, created_guid=created_guid(execution.response, view.of(SCENARIO, f"{label} {step} made"))
                )
            case Action.START | Action.STOP:
                yield replace(
                    execution,
                    is_confirmed=_reached_state(step, [execution.response, *view.of(SCENARIO, f"{label} became")]),
                )
            case Action.DELETE:
                is_gone = any(x.status == NOT_FOUND for x in view.of(SCENARIO, f"{label} gone"))
                yield replace(execution, is_confirmed=is_gone)
            case Action.READ:
                yield replace(execution, walks=(read_listing(view, SCENARIO, f"{label} {step}"),))
            case _:
                yield execution


def created_guid(response: Exchange, reads: Sequence[Exchange]) -> str | None:
    """Return the guid of what was made, at once or by a job, as the last look shows then; None where nothing was."""
    if response.status != ACCEPTED:
        guid = dig(response.json, "guid")
        return guid if isinstance(guid, str) else None
    name = json.loads(response.request_body or "{}").get("name")
    return next((row["guid"] for look in reads[-1:] for row in resources(look) if row.get("name") == name), None)


def _reached_state(step: Step, reads: Sequence[Exchange]) -> bool:
    """Whether the last of the looks tells of the state, or could not be had."""
    return (reads[-1].status or 0) // 100 != 2 or dig(reads[-1].json, "state") == RESULTING_STATES[step.action]  # noqa: PLR2004


def _last_listing(view: JudgmentView, label: str) -> Listing | None:
    """Return the last look after a step; several were taken where a change was slow to be recorded."""
    listing, number = None, 0
    while view.of(SCENARIO, f"{label} look {number}"):
        listing, number = read_listing(view, SCENARIO, f"{label} look {number}"), number + 1
    return listing
