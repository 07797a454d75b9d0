"""The model of apps and events: what it foretells, against a naive simulation of the same sequences."""

from __future__ import annotations

from collections import Counter
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from purge_conformance.analysis.app_model.reads import READ_KINDS
from purge_conformance.analysis.app_model.state import Action, App, ModelState, State, Step, drop_impossible_steps
from purge_conformance.scenarios.sequences.generator import CREDENTIAL_KINDS, SCALE_SIZES

NAMES = st.sampled_from("abc")
STEPS = st.one_of(
    st.builds(Step, st.sampled_from([Action.CREATE, Action.START, Action.STOP, Action.DELETE]), NAMES),
    st.builds(Step, st.just(Action.SCALE), NAMES, st.sampled_from(SCALE_SIZES)),
    st.builds(Step, st.just(Action.REJECTED_PURGE), st.sampled_from(CREDENTIAL_KINDS)),
    st.builds(Step, st.just(Action.READ), st.sampled_from(READ_KINDS)),
    st.just(Step(Action.PURGE)),
)
SEQUENCES = st.lists(STEPS, max_size=30).map(tuple)
PURGE = Step(Action.PURGE)
same_each_time = settings(derandomize=True, deadline=None, max_examples=200, database=None)


def world_of(steps: tuple[Step, ...]) -> ModelState:
    """Return what the model says after these steps."""
    return reduce(ModelState.after, steps, ModelState())


class Naive:
    """A server that keeps the events of each app in a list, and records whatever changes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.apps: dict[str, str] = {}
        self.sizes: dict[str, dict[str, int]] = {}
        self.events: list[tuple[str, str]] = []

    def do(self, step: Step) -> None:
        """Do a step, if it makes sense."""
        if step.action is Action.PURGE:
            self.events = [(name, "seeded") for name, state in self.apps.items() if state == "started"]
        elif step.action is Action.CREATE and step.argument not in self.apps:
            self.apps[step.argument], self.sizes[step.argument] = "stopped", {"instances": 1}
        elif step.action is not Action.CREATE and self.apps.get(step.argument) in {"started", "stopped"}:
            self._change(step)

    def _change(self, step: Step) -> None:
        before = (self.apps[step.argument], dict(self.sizes[step.argument]))
        if step.action is Action.SCALE:
            self.sizes[step.argument] |= step.scale_values
        else:
            self.apps[step.argument] = {"start": "started", "stop": "stopped", "delete": "deleted"}[step.action]
        after = (self.apps[step.argument], self.sizes[step.argument])
        if before != after and "started" in {before[0], after[0]}:
            self.events.append((step.argument, "recorded"))


@same_each_time
@given(SEQUENCES)
def test_model_agrees_with_simulation(steps: tuple[Step, ...]) -> None:
    """A server that records each change has the seeded events, and between the least and the most of the others."""
    naive = Naive()
    for step in steps:
        naive.do(step)
    events = Counter(naive.events)
    for name, app in world_of(steps).apps.items():
        assert app.state == naive.apps[name]
        if app.exists:
            assert events[name, "seeded"] == app.is_seeded
            assert events[name, "recorded"] >= app.min_recorded
            assert app.is_uncertain or events[name, "recorded"] == app.min_recorded


@same_each_time
@given(SEQUENCES)
def test_purge_is_idempotent(steps: tuple[Step, ...]) -> None:
    """A second purge in a row leaves what the first left."""
    once = world_of((*steps, PURGE))
    assert once.after(PURGE) == once


@same_each_time
@given(SEQUENCES)
def test_purge_seeds_the_started(steps: tuple[Step, ...]) -> None:
    """After a purge the started apps are seeded, and they alone, and nothing else is there."""
    world = world_of((*steps, PURGE))
    assert {name for name, app in world.apps.items() if app.is_seeded} == {
        name for name, app in world.apps.items() if app.state is State.STARTED
    }
    assert not any(app.min_recorded or app.is_uncertain for app in world.apps.values())


@same_each_time
@given(SEQUENCES, st.builds(Step, st.sampled_from([Action.REJECTED_PURGE, Action.READ]), st.just("none")))
def test_refused_purge_changes_nothing(steps: tuple[Step, ...], step: Step) -> None:
    """Neither a refused purge nor a read changes anything."""
    assert world_of(steps).after(step) == world_of(steps)


@same_each_time
@given(SEQUENCES)
def test_sensible_steps_lead_to_the_same(steps: tuple[Step, ...]) -> None:
    """Steps that make no sense can be left out, and what is left all makes sense."""
    kept = drop_impossible_steps(steps)
    assert world_of(kept) == world_of(steps)
    assert drop_impossible_steps(kept) == kept


@same_each_time
@given(STEPS)
def test_step_is_written_and_read(step: Step) -> None:
    """A step that is written in words is the same step when they are read."""
    assert Step.parse(str(step)) == step


def test_app_out_of_sight_is_unknown() -> None:
    """Of an app whose deletion came to no end the model says nothing, and nothing further is done to it."""
    world = ModelState({"a": App(State.STARTED)}).with_unknown_state("a").after(PURGE)
    assert world.apps["a"].state is State.UNKNOWN
    assert not world.allows(Step(Action.START, "a"))
