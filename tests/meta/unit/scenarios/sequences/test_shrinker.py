"""The shrinker of failing sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purge_conformance.analysis.app_model.state import Action, ModelState, State, Step, drop_impossible_steps
from purge_conformance.scenarios.sequences.generator import generate
from purge_conformance.scenarios.sequences.shrinker import shrink

if TYPE_CHECKING:
    from collections.abc import Callable


Steps = tuple[Step, ...]


def reproduce_until(wrong: Callable[[ModelState, ModelState, Step], bool]) -> Callable[[Steps], Steps | None]:
    """Return a reproduction for the shrinker: the steps up to the first wrong one, given the states around it."""

    def shown(steps: Steps) -> Steps | None:
        model = ModelState()
        for place, step in enumerate(steps, 1):
            before, model = model, model.after(step)
            if wrong(before, model, step):
                return steps[:place]
        return None

    return shown


def _many_changes(before: ModelState, _: ModelState, step: Step) -> bool:
    return step.action is Action.PURGE and any(app.min_recorded > 1 for app in before.apps.values())


def _seeded_then_deleted(before: ModelState, _: ModelState, step: Step) -> bool:
    gone = (app for app in before.apps.values() if app.state is State.DELETED)
    return step.action is Action.PURGE and any(app.is_seeded for app in gone)


def _stopped_after_purge(before: ModelState, after: ModelState, step: Step) -> bool:
    return (
        step.action is Action.STOP
        and before.apps[step.argument].is_seeded
        and after.apps[step.argument].state is State.STOPPED
    )


WRONG: dict[Callable[[ModelState, ModelState, Step], bool], list[str]] = {
    _many_changes: ["create", "start", "stop", "purge"],
    _seeded_then_deleted: ["create", "start", "purge", "delete", "purge"],
    _stopped_after_purge: ["create", "start", "purge", "stop"],
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda f: f.__name__)
@settings(derandomize=True, deadline=None, max_examples=30, database=None)
@given(seed=st.integers(0, 10_000))
def test_shrunk_sequence_is_minimal(wrong: Callable[[ModelState, ModelState, Step], bool], seed: int) -> None:
    """No step of a shrunk sequence can be omitted."""
    shown = reproduce_until(wrong)
    for steps in generate(seed):
        if first := shown(steps):
            found = shrink(first, shown)
            rests = [drop_impossible_steps(found[:place] + found[place + 1 :]) for place in range(len(found) - 1)]
            assert shown(found) == found
            assert not [rest for rest in rests if shown(rest)]
            assert len(found) <= len(WRONG[wrong]) + 1


def test_unrepeated_failure_is_not_shrunk() -> None:
    """A sequence that fails only once is not shrunk."""
    steps = next(iter(generate(1)))
    assert shrink(steps, lambda _: None) == steps
