"""Draws the sequences of a run: the same seed draws the same ones.

What can happen between two purges is dealt like a deck of cards, so that each run has each of it; in which order,
beside what else and to which app, is left to the seed.
"""

from __future__ import annotations

from functools import reduce
from random import Random
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.reads import READ_KINDS
from purge_conformance.analysis.app_model.state import Action, ModelState, State, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    StepTemplate = Callable[[Random, ModelState], Iterator[Step]]

SEQUENCES_PER_RUN = 2
ROUNDS_PER_SEQUENCE = 3  # in a sequence, after its first purge; each ends with a further one
TEMPLATES_PER_ROUND = 2  # in a round
INITIAL_APPS = ("a", "b", "c")  # at first; two of them are started
APP_NAMES = "abcdefghijklmnopqrstuvwxyz"
PURGE = Step(Action.PURGE)
CREDENTIAL_KINDS = ("none", "forged", "other")  # whose purge is refused
SCALE_SIZES = ("instances=2", "instances=3", "instances=0", "memory_in_mb=96", "memory_in_mb=160")


def generate(seed: int) -> Iterator[tuple[Step, ...]]:
    """Yield the sequences of a run."""
    rng = Random(seed)  # noqa: S311 -- the same in every run
    templates = rng.sample(TEMPLATES, SEQUENCES_PER_RUN * ROUNDS_PER_SEQUENCE * TEMPLATES_PER_ROUND)
    begins, ends = _steps_without_effect(rng)
    double_purge_index = rng.randrange(SEQUENCES_PER_RUN)  # one of them begins with a purge right after another
    for number in range(SEQUENCES_PER_RUN):
        steps = [*(Step(Action.CREATE, name) for name in INITIAL_APPS)]
        steps += [*(Step(Action.START, name) for name in rng.sample(INITIAL_APPS, 2)), PURGE]
        steps += [PURGE] if number == double_purge_index else []
        for _ in range(ROUNDS_PER_SEQUENCE):
            steps += begins.pop()
            for _ in range(TEMPLATES_PER_ROUND):
                steps += templates.pop()(rng, _state_after(steps))
            steps += [*ends.pop(), PURGE]
        yield tuple(steps)


def _steps_without_effect(rng: Random) -> tuple[list[list[Step]], list[list[Step]]]:
    """Deal what changes nothing, or should not: at the beginning of each round, just after a purge, and at the end."""
    reads = [[Step(Action.READ, how)] for how in rng.sample(READ_KINDS, len(READ_KINDS))]
    rejected = [[Step(Action.REJECTED_PURGE, rng.choice(CREDENTIAL_KINDS))] for _ in range(4)]
    begins = [[], [], *rejected[:2], *reads[:2]]
    ends = [*rejected[2:], *reads[2:], []]
    return rng.sample(begins, len(begins)), rng.sample(ends, len(ends))


def _state_after(steps: Iterable[Step]) -> ModelState:
    return reduce(ModelState.after, steps, ModelState())


def _pick_app(rng: Random, model: ModelState, *states: State) -> str:
    """Pick the name of an app that is in one of these states and was left alone since the last purge, if any is so."""
    existing = {name: app for name, app in model.apps.items() if app.exists}
    matching = {name: app for name, app in existing.items() if app.state in states} or existing
    return rng.choice(
        [name for name, app in matching.items() if not app.min_recorded and not app.is_uncertain] or list(matching)
    )


def _on_one_app(*actions: Action, state: State) -> StepTemplate:
    """Make a card that does these things to one app, which is in that state if any is."""

    def template(rng: Random, model: ModelState) -> Iterator[Step]:
        name = _pick_app(rng, model, state)
        for action in actions:
            yield _scaling(rng, model, name) if action is Action.SCALE else Step(action, name)

    return template


def _scaling(rng: Random, model: ModelState, name: str) -> Step:
    """Scale an app to another size than it has."""
    steps = [Step(Action.SCALE, name, size) for size in SCALE_SIZES]
    return rng.choice([step for step in steps if step.scale_values.items() - model.apps[name].size.items()])


def _toggle(final_action: Action, state: State) -> StepTemplate:
    """Make a card that starts and stops an app until it ends so for the second time."""
    other = Action.STOP if final_action is Action.START else Action.START

    def template(rng: Random, model: ModelState) -> Iterator[Step]:
        name = _pick_app(rng, model, State.STARTED, State.STOPPED)
        actions = (
            (final_action, other, final_action)
            if model.apps[name].state is not state
            else (other, final_action, other, final_action)
        )
        yield from (Step(deed, name) for deed in actions)

    return template


def _repeat_action(rng: Random, model: ModelState) -> Iterator[Step]:
    """Do once more what is done already."""
    name = _pick_app(rng, model, State.STARTED, State.STOPPED)
    yield Step(Action.START if model.apps[name].state is State.STARTED else Action.STOP, name)


def _create(rng: Random, model: ModelState) -> Iterator[Step]:
    name = APP_NAMES[len(model.apps)]
    yield from (Step(Action.CREATE, name), Step(Action.START, name))
    yield _scaling(rng, model.after(Step(Action.CREATE, name)), name)


def _recreate(rng: Random, model: ModelState) -> Iterator[Step]:
    yield Step(Action.DELETE, _pick_app(rng, model, State.STARTED))
    yield from _create(rng, model)


TEMPLATES: tuple[StepTemplate, ...] = (
    _on_one_app(Action.START, state=State.STOPPED),
    _on_one_app(Action.STOP, state=State.STARTED),
    _on_one_app(Action.STOP, Action.START, state=State.STARTED),
    _on_one_app(Action.SCALE, state=State.STARTED),
    _on_one_app(Action.SCALE, Action.STOP, Action.START, state=State.STARTED),
    _on_one_app(Action.SCALE, Action.STOP, state=State.STARTED),
    _on_one_app(Action.SCALE, Action.START, state=State.STOPPED),
    _toggle(Action.START, State.STARTED),
    _toggle(Action.STOP, State.STOPPED),
    _repeat_action,
    _create,
    _recreate,
)
