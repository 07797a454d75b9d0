"""The state of the app model."""

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
    st.builds(Step, st.just(Action.REJECTED_PURGE), st.sampled_from(tuple(CREDENTIAL_KINDS))),
    st.builds(Step, st.just(Action.READ), st.sampled_from(READ_KINDS)),
    st.just(Step(Action.PURGE)),
)
SEQUENCES = st.lists(STEPS, max_size=30).map(tuple)
PURGE = Step(Action.PURGE)
same_each_time = settings(derandomize=True, deadline=None, max_examples=200, database=None)


def state_after(steps: tuple[Step, ...]) -> ModelState:
    """Return the state of the model after these steps."""
    return reduce(ModelState.after, steps, ModelState())


class NaiveServer:
    """A server that keeps the events of each app in a list, and records whatever changes."""

    def __init__(self) -> None:
        """Start without an event."""
        self.apps: dict[str, str] = {}
        self.sizes: dict[str, dict[str, int]] = {}
        self.events: list[tuple[str, str]] = []

    def do(self, step: Step) -> None:
        """Execute a step if it is possible."""
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
    """A server that records each change has the seeded events, and a number of others within the model's bounds."""
    naive = NaiveServer()
    for step in steps:
        naive.do(step)
    events = Counter(naive.events)
    for name, app in state_after(steps).apps.items():
        assert app.state == naive.apps[name]
        if app.exists:
            assert events[name, "seeded"] == app.is_seeded
            assert events[name, "recorded"] >= app.min_recorded
            assert app.is_uncertain or events[name, "recorded"] == app.min_recorded


@same_each_time
@given(SEQUENCES)
def test_purge_is_idempotent(steps: tuple[Step, ...]) -> None:
    """A second purge leaves the result of the first unchanged."""
    once = state_after((*steps, PURGE))
    assert once.after(PURGE) == once


@same_each_time
@given(SEQUENCES)
def test_purge_seeds_started_apps(steps: tuple[Step, ...]) -> None:
    """After a purge exactly the started apps have an event."""
    model = state_after((*steps, PURGE))
    assert {name for name, app in model.apps.items() if app.is_seeded} == {
        name for name, app in model.apps.items() if app.state is State.STARTED
    }
    assert not any(app.min_recorded or app.is_uncertain for app in model.apps.values())


@same_each_time
@given(SEQUENCES, st.builds(Step, st.sampled_from([Action.REJECTED_PURGE, Action.READ]), st.just("none")))
def test_rejected_purge_changes_nothing(steps: tuple[Step, ...], step: Step) -> None:
    """A rejected purge and a read change nothing."""
    assert state_after(steps).after(step) == state_after(steps)


@same_each_time
@given(SEQUENCES)
def test_impossible_steps_are_dropped(steps: tuple[Step, ...]) -> None:
    """Impossible steps can be dropped, and every other step is possible."""
    kept = drop_impossible_steps(steps)
    assert state_after(kept) == state_after(steps)
    assert drop_impossible_steps(kept) == kept


@same_each_time
@given(STEPS)
def test_step_round_trips(step: Step) -> None:
    """A step that is written as text is the same step when it is parsed."""
    assert Step.parse(str(step)) == step


def test_unfinished_deletion_is_unknown() -> None:
    """After an unfinished deletion the state of an app is unknown, and no further step changes it."""
    model = ModelState({"a": App(State.STARTED)}).with_unknown_state("a").after(PURGE)
    assert model.apps["a"].state is State.UNKNOWN
    assert not model.allows(Step(Action.START, "a"))
