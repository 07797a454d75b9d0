"""The generator of random sequences."""

from __future__ import annotations

from collections import Counter

import pytest

from purge_conformance.analysis.app_model.state import Deed, sensible
from purge_conformance.scenarios.sequences.generator import draw


@pytest.mark.parametrize("seed", range(20))
def test_same_seed_same_sequences(seed: int) -> None:
    """The same seed draws the same sequences, and each of their steps is possible."""
    drawn = list(draw(seed))
    assert drawn == list(draw(seed))
    assert [sensible(steps) for steps in drawn] == drawn
    assert all(steps[-1].deed is Deed.PURGE for steps in drawn)


@pytest.mark.parametrize("seed", range(20))
def test_sequences_cover_every_step(seed: int) -> None:
    """With every seed a run has nine purges, four rejected ones, all five kinds of read, and every other step."""
    steps = [step for sequence in draw(seed) for step in sequence]
    counts = Counter(step.deed for step in steps)
    assert set(counts) == set(Deed)
    assert (counts[Deed.PURGE], counts[Deed.REFUSED], counts[Deed.READ]) == (9, 4, 5)
    assert len(steps) <= 60


def test_seeds_differ() -> None:
    """Different seeds draw different sequences."""
    assert len({tuple(draw(seed)) for seed in range(50)}) == 50
