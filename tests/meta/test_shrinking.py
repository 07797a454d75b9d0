"""Drawing and shrinking sequences: the same each time, with all that a run shall try, and no step too many."""

from __future__ import annotations

from collections import Counter
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


def until(wrong: Callable[[ModelState, ModelState, Step], bool]) -> Callable[[Steps], Steps | None]:
    """Make what `shrunk` asks: the steps up to the first one that goes wrong, given the worlds around it."""

    def shown(steps: Steps) -> Steps | None:
        world = ModelState()
        for place, step in enumerate(steps, 1):
            before, world = world, world.after(step)
            if wrong(before, world, step):
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
def test_shortest_has_no_step_too_many(wrong: Callable[[ModelState, ModelState, Step], bool], seed: int) -> None:
    """Of what is left, no step can be left out: it goes wrong no more then, or has no shorter way to."""
    shown = until(wrong)
    for steps in generate(seed):
        if first := shown(steps):
            found = shrink(first, shown)
            rests = [drop_impossible_steps(found[:place] + found[place + 1 :]) for place in range(len(found) - 1)]
            assert shown(found) == found
            assert not [rest for rest in rests if shown(rest)]
            assert len(found) <= len(WRONG[wrong]) + 1


def test_what_never_shows_again_stays() -> None:
    """Steps that a target goes wrong in only once are left as they are."""
    steps = next(iter(generate(1)))
    assert shrink(steps, lambda _: None) == steps


@pytest.mark.parametrize("seed", range(20))
def test_sequences_are_drawn_alike(seed: int) -> None:
    """The same seed draws the same sequences, and they make sense from the first step to the last."""
    drawn = list(generate(seed))
    assert drawn == list(generate(seed))
    assert [drop_impossible_steps(steps) for steps in drawn] == drawn
    assert all(steps[-1].action is Action.PURGE for steps in drawn)


@pytest.mark.parametrize("seed", range(20))
def test_sequences_try_everything(seed: int) -> None:
    """Whatever the seed, a run purges nine times, is refused four times, reads in all five ways, and does the rest."""
    steps = [step for sequence in generate(seed) for step in sequence]
    counts = Counter(step.action for step in steps)
    assert set(counts) == set(Action)
    assert (counts[Action.PURGE], counts[Action.REJECTED_PURGE], counts[Action.READ]) == (9, 4, 5)
    assert len(steps) <= 60


def test_seeds_draw_differently() -> None:
    """Different seeds draw different sequences."""
    assert len({tuple(generate(seed)) for seed in range(50)}) == 50
