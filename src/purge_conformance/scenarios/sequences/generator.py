"""Generates the sequences of a run; the same seed generates the same ones.

Every run contains each template of steps between two purges. The seed determines their order, their combinations and
their apps.
"""

from __future__ import annotations

from functools import reduce
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.reads import READ_KINDS
from purge_conformance.analysis.app_model.state import Action, ModelState, State, Step
from purge_conformance.evidence.tag_values import CredentialKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    StepTemplate = Callable[[Random, ModelState], Iterator[Step]]

SEQUENCES_PER_RUN = 2
ROUNDS_PER_SEQUENCE = 3  # after the first purge; each round ends with a purge
TEMPLATES_PER_ROUND = 2
PURGES_PER_RUN = SEQUENCES_PER_RUN * (1 + ROUNDS_PER_SEQUENCE) + 1  # one sequence begins with two
INITIAL_APPS = ("a", "b", "c")  # two of them are started
APP_NAMES = "abcdefghijklmnopqrstuvwxyz"
PURGE = Step(Action.PURGE)
# Argument of a rejected purge -> the kind of its credential.
CREDENTIAL_KINDS: Mapping[str, CredentialKind] = MappingProxyType(
    {"none": CredentialKind.NONE, "forged": CredentialKind.INVALID, "other": CredentialKind.VALID}
)
SCALE_SIZES = ("instances=2", "instances=3", "instances=0", "memory_in_mb=96", "memory_in_mb=160")


def generate(seed: int, purges: int = PURGES_PER_RUN) -> Iterator[tuple[Step, ...]]:
    """Yield the sequences of a run.

    Args:
        seed: the same seed yields the same sequences.
        purges: how many purges may be sent. If not all fit, there is one sequence with fewer rounds, and each of them
            has more of the templates; it has at least two purges.
    """
    rng = Random(seed)  # noqa: S311 -- the same in every run with this seed
    if purges < PURGES_PER_RUN:
        yield _short_sequence(rng, max(1, purges - 1))
        return
    templates = rng.sample(TEMPLATES, SEQUENCES_PER_RUN * ROUNDS_PER_SEQUENCE * TEMPLATES_PER_ROUND)
    begins, ends = _steps_without_effect(rng)
    double_purge_index = rng.randrange(SEQUENCES_PER_RUN)  # this sequence begins with two purges in a row
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


def _short_sequence(rng: Random, rounds: int) -> tuple[Step, ...]:
    """Return a sequence with every template; it has more apps, so that few templates share one.

    Each round begins and ends with a rejected purge, with all reads in between.
    """
    templates = rng.sample(TEMPLATES, len(TEMPLATES))
    templates.remove(_recreate)
    templates.insert(0, _recreate)  # its app has to be one that the purge before seeded
    names = APP_NAMES[: len(INITIAL_APPS) + len(TEMPLATES) // rounds // 2]
    steps = [*(Step(Action.CREATE, name) for name in names)]
    steps += [*(Step(Action.START, name) for name in rng.sample(names, (len(names) + 1) // 2)), PURGE]
    for number in range(rounds):
        steps.append(_rejected_purge(rng))
        for template in templates[number::rounds]:
            steps += template(rng, _state_after(steps))
        steps += [Step(Action.READ, how) for how in rng.sample(READ_KINDS, len(READ_KINDS))]
        steps += [_rejected_purge(rng), PURGE]
    return tuple(steps)


def _rejected_purge(rng: Random) -> Step:
    return Step(Action.REJECTED_PURGE, rng.choice(tuple(CREDENTIAL_KINDS)))


def _steps_without_effect(rng: Random) -> tuple[list[list[Step]], list[list[Step]]]:
    """Return steps without effect for the beginnings and the ends of the rounds: reads and rejected purges."""
    reads = [[Step(Action.READ, how)] for how in rng.sample(READ_KINDS, len(READ_KINDS))]
    rejected = [[_rejected_purge(rng)] for _ in range(4)]
    begins = [[], [], *rejected[:2], *reads[:2]]
    ends = [*rejected[2:], *reads[2:], []]
    return rng.sample(begins, len(begins)), rng.sample(ends, len(ends))


def _state_after(steps: Iterable[Step]) -> ModelState:
    return reduce(ModelState.after, steps, ModelState())


def _pick_app(rng: Random, model: ModelState, *states: State) -> str:
    """Pick an app in one of these states that did not change since the last purge; if there is none, a similar one."""
    existing = {name: app for name, app in model.apps.items() if app.exists}
    matching = {name: app for name, app in existing.items() if app.state in states} or existing
    return rng.choice(
        [name for name, app in matching.items() if not app.min_recorded and not app.is_uncertain] or list(matching)
    )


def _on_one_app(*actions: Action, state: State) -> StepTemplate:
    """Return a template that applies actions to one app, in that state if an app has it."""

    def template(rng: Random, model: ModelState) -> Iterator[Step]:
        name = _pick_app(rng, model, state)
        for action in actions:
            yield _scaling(rng, model, name) if action is Action.SCALE else Step(action, name)

    return template


def _scaling(rng: Random, model: ModelState, name: str) -> Step:
    """Scale an app to a size that it does not have."""
    steps = [Step(Action.SCALE, name, size) for size in SCALE_SIZES]
    return rng.choice([step for step in steps if step.scale_values.items() - model.apps[name].size.items()])


def _toggle(final_action: Action, state: State) -> StepTemplate:
    """Return a template that starts and stops an app until the final action has occurred twice."""
    other = Action.STOP if final_action is Action.START else Action.START

    def template(rng: Random, model: ModelState) -> Iterator[Step]:
        name = _pick_app(rng, model, State.STARTED, State.STOPPED)
        actions = (
            (final_action, other, final_action)
            if model.apps[name].state is not state
            else (other, final_action, other, final_action)
        )
        yield from (Step(action, name) for action in actions)

    return template


def _repeat_action(rng: Random, model: ModelState) -> Iterator[Step]:
    """Start a started app, or stop a stopped one."""
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
