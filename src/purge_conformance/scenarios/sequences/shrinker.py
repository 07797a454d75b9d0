"""Delta debugging: finds a shorter sequence that still reproduces a disagreement."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Action, ModelState, State, Step, drop_impossible_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Steps = tuple[Step, ...]


def shrink(steps: Steps, reproduce: Callable[[Steps], Steps | None]) -> Steps:
    """Remove steps while the rest reproduces: steps of no app, of one app after the other, chunks, single steps.

    Args:
        steps: possible steps, of which the last one disagrees.
        reproduce: executes possible steps; returns those up to the one that disagrees, or None if none does.

    Returns:
        possible steps of which none can be removed, provided that `reproduce` is deterministic.
    """
    steps = _try(from_clean_state(steps), reproduce) or steps
    for name in (None, *dict.fromkeys(step.app for step in steps if step.app)):
        steps = _try_without(steps, [place for place, step in enumerate(steps) if step.app == name], reproduce)
    size = len(steps) // 2
    while size > 1:
        for end in range(len(steps), 0, -size):
            chunk = range(max(0, end - size), min(end, len(steps)))
            steps = _try_without(
                steps, [place for place in chunk if steps[place].action is not Action.CREATE], reproduce
            )
        size //= 2
    before = None
    while steps != before:
        before = steps
        for place in reversed(range(len(steps))):
            steps = _try_without(steps, [place], reproduce)
    return steps


def from_clean_state(steps: Steps) -> Steps:
    """Return steps that lead to the same state: create the apps as they were before the second-last purge, then go on.

    They are not a part of the original steps, and usually much shorter than any part that reproduces.
    """
    purges = [place for place, step in enumerate(steps[:-1]) if step.action is Action.PURGE]
    last_purge = purges[-1] if purges else 0
    apps = reduce(ModelState.after, steps[:last_purge], ModelState()).apps
    creations = [Step(Action.CREATE, name) for name, app in apps.items() if app.exists]
    starts = [Step(Action.START, name) for name, app in apps.items() if app.state is State.STARTED]
    return drop_impossible_steps([*creations, *starts, *steps[last_purge:]])


def _try_without(steps: Steps, places: Collection[int], reproduce: Callable[[Steps], Steps | None]) -> Steps:
    """Return the steps without those at some places if the rest reproduces, otherwise all; the last step stays."""
    remaining = (step for place, step in enumerate(steps) if place not in places or place == len(steps) - 1)
    rest = drop_impossible_steps(remaining)  # without its creation, an app has no steps
    return (_try(rest, reproduce) if rest != steps else None) or steps


def _try(steps: Steps, reproduce: Callable[[Steps], Steps | None]) -> Steps | None:
    return reproduce(steps) if steps else None
