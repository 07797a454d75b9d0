"""The random sequences, as they were played: rebuilt from the evidence, and held against the model once more."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Deed, Step
from purge_conformance.analysis.app_model.trace import BECOMES, History, Taken
from purge_conformance.evidence.listing import dig, read_listing, resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.app_model.trace import Disagreement
    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.evidence.records import Exchange

EXPERIMENT = "sequences"
ACCEPTED, NOT_FOUND = 202, 404


@dataclass(frozen=True)
class Play:
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
    shorter: bool
    taken: tuple[Taken, ...]
    history: History

    @property
    def length(self) -> int:
        """How many steps it took until the target disagreed."""
        return sum(one.place <= self.found.place for one in self.taken if self.found)

    @property
    def found(self) -> Disagreement | None:
        """Where the target disagrees with the model."""
        return self.history.found


def plays(seen: Seen) -> Iterator[Play]:
    """Yield each sequence that was played, in order."""
    number = 1
    while told := seen.note(EXPERIMENT, f"sequence {number}"):
        steps = tuple(Step.parse(words) for words in told["steps"])
        history, taken = History(told["processes"]), list(_taken(seen, number, steps))
        for one in taken:
            history = history if history.ended else history.then(one)
        yield Play(number, steps, told["shorter"], tuple(taken), history)
        number += 1


def _taken(seen: Seen, number: int, steps: tuple[Step, ...]) -> Iterator[Taken]:
    for place, step in enumerate(steps, 1):
        label = f"{number}.{place}"
        answers = seen.of(EXPERIMENT, f"{label} {step}")
        if not answers:
            continue
        one = Taken(place, step, answers[-1], _last_look(seen, label))
        match step.deed:
            case Deed.CREATE:
                yield replace(one, guid=made(one.answer, seen.of(EXPERIMENT, f"{label} {step} made")))
            case Deed.START | Deed.STOP:
                yield replace(one, settled=_became(step, [one.answer, *seen.of(EXPERIMENT, f"{label} became")]))
            case Deed.DELETE:
                gone = any(x.status == NOT_FOUND for x in seen.of(EXPERIMENT, f"{label} gone"))
                yield replace(one, settled=gone)
            case Deed.READ:
                yield replace(one, reads=(read_listing(seen, EXPERIMENT, f"{label} {step}"),))
            case _:
                yield one


def made(answer: Exchange, looks: Sequence[Exchange]) -> str | None:
    """Return the guid of what was made, at once or by a job, as the last look shows then; None where nothing was."""
    if answer.status != ACCEPTED:
        guid = dig(answer.json, "guid")
        return guid if isinstance(guid, str) else None
    name = json.loads(answer.request_body or "{}").get("name")
    return next((row["guid"] for look in looks[-1:] for row in resources(look) if row.get("name") == name), None)


def _became(step: Step, looks: Sequence[Exchange]) -> bool:
    """Whether the last of the looks tells of the state, or could not be had."""
    return (looks[-1].status or 0) // 100 != 2 or dig(looks[-1].json, "state") == BECOMES[step.deed]  # noqa: PLR2004


def _last_look(seen: Seen, label: str) -> Listing | None:
    """Return the last look after a step; several were taken where a change was slow to be recorded."""
    look, number = None, 0
    while seen.of(EXPERIMENT, f"{label} look {number}"):
        look, number = read_listing(seen, EXPERIMENT, f"{label} look {number}"), number + 1
    return look
