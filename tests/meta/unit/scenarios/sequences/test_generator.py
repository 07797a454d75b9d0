"""The generator of random sequences."""

from __future__ import annotations

from collections import Counter

import pytest

from purge_conformance.analysis.app_model.state import Action, drop_impossible_steps
from purge_conformance.scenarios.sequences.generator import generate


@pytest.mark.parametrize("seed", range(20))
def test_same_seed_same_sequences(seed: int) -> None:
    """The same seed draws the same sequences, and each of their steps is possible."""
    drawn = list(generate(seed))
    assert drawn == list(generate(seed))
    assert [drop_impossible_steps(steps) for steps in drawn] == drawn
    assert all(steps[-1].action is Action.PURGE for steps in drawn)


@pytest.mark.parametrize("seed", range(20))
def test_sequences_cover_every_step(seed: int) -> None:
    """With every seed a run has nine purges, four rejected ones, all five kinds of read, and every other step."""
    steps = [step for sequence in generate(seed) for step in sequence]
    counts = Counter(step.action for step in steps)
    assert set(counts) == set(Action)
    assert (counts[Action.PURGE], counts[Action.REJECTED_PURGE], counts[Action.READ]) == (9, 4, 5)
    assert len(steps) <= 60


def test_seeds_differ() -> None:
    """Different seeds draw different sequences."""
    assert len({tuple(generate(seed)) for seed in range(50)}) == 50
