"""A pure model of a few apps and of their events, as the documentation specifies them.

The model leaves open what the documentation does not specify: whether a start of a started app or a scaling of a
stopped app is recorded, and what happens to the events of a deleted app before the next purge.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Action(StrEnum):
    """The kind of a step."""

    CREATE = "create"
    START = "start"
    STOP = "stop"
    SCALE = "scale"
    DELETE = "delete"
    PURGE = "purge"
    REJECTED_PURGE = "purge as"
    READ = "read by"


APP_ACTIONS = {Action.CREATE, Action.START, Action.STOP, Action.SCALE, Action.DELETE}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence.

    Attributes:
        action: its kind.
        argument: the name of the app; of a purge that must be rejected, the credential; of a read, its kind.
        size: of a scaling, `instances=2` or `memory_in_mb=96`.
    """

    action: Action
    argument: str = ""
    size: str = ""

    def __str__(self) -> str:
        """Return the step in words, as the evidence has it."""
        return " ".join(filter(None, (self.action, self.argument, self.size)))

    @classmethod
    def parse(cls, words: str) -> Step:
        """Return the step that `str` returned these words for."""
        action = max((each for each in Action if words.startswith(each)), key=len)
        argument, _, size = words.removeprefix(action).strip().partition(" ")
        return cls(action, argument, size)

    @property
    def app(self) -> str | None:
        """The name of the app that the step changes, or None."""
        return self.argument if self.action in APP_ACTIONS else None

    @property
    def scale_values(self) -> dict[str, int]:
        """The values that a scaling requests, as in its body."""
        name, _, value = self.size.partition("=")
        return {name: int(value)}


class State(StrEnum):
    """The state of an app."""

    STOPPED = "stopped"
    STARTED = "started"
    DELETED = "deleted"
    UNKNOWN = "perhaps deleted"  # its deletion was not confirmed


@dataclass(frozen=True, slots=True)
class App:
    """An app, and what the list must show of it.

    Attributes:
        state: its state.
        size: the values that scalings requested.
        is_seeded: whether the last purge seeded an event for it.
        min_recorded: how many changes since the last purge must be recorded.
        is_uncertain: whether more changes may be recorded, or events may have disappeared.
    """

    state: State = State.STOPPED
    size: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"instances": 1}))
    is_seeded: bool = False
    min_recorded: int = 0
    is_uncertain: bool = False

    @property
    def exists(self) -> bool:
        """Whether a step can change it."""
        return self.state in {State.STOPPED, State.STARTED}


@dataclass(frozen=True, slots=True)
class ModelState:
    """The apps of one sequence, by name, without those of other clients."""

    apps: Mapping[str, App] = field(default_factory=lambda: MappingProxyType({}))

    def allows(self, step: Step) -> bool:
        """Whether a step is possible: its app exists, or the step creates it for the first time."""
        if step.action is Action.CREATE:
            return step.argument not in self.apps
        return step.app is None or (step.app in self.apps and self.apps[step.app].exists)

    def after(self, step: Step) -> ModelState:
        """Return the state after a step; an impossible step, a rejected purge and a read change nothing."""
        if step.action is Action.PURGE:
            return ModelState({name: _after_purge(app) for name, app in self.apps.items()})
        if step.app is None or not self.allows(step):
            return self
        return ModelState({**self.apps, step.app: _after_change(self.apps.get(step.app, App()), step)})

    def with_unknown_state(self, name: str) -> ModelState:
        """Return the same state, with one app in an unknown state."""
        return ModelState({**self.apps, name: replace(self.apps[name], state=State.UNKNOWN)})


def drop_impossible_steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps without those that are impossible after the steps before them."""
    model, possible = ModelState(), []
    for step in steps:
        if model.allows(step):
            possible.append(step)
        model = model.after(step)
    return tuple(possible)


def _after_purge(app: App) -> App:
    return replace(app, is_seeded=app.state is State.STARTED, min_recorded=0, is_uncertain=False)


def _after_change(app: App, step: Step) -> App:
    match step.action:
        case Action.START | Action.STOP:
            state = State.STARTED if step.action is Action.START else State.STOPPED
            is_certain = app.state is not state and app.size["instances"] > 0
            return _record_change(replace(app, state=state), is_certain=is_certain)
        case Action.SCALE:
            is_certain = app.state is State.STARTED and any(app.size.get(k) != v for k, v in step.scale_values.items())
            return _record_change(replace(app, size={**app.size, **step.scale_values}), is_certain=is_certain)
        case Action.CREATE:
            return replace(app, is_uncertain=True)  # unspecified: a creation may or may not be recorded
        case Action.DELETE:
            return replace(app, state=State.DELETED, is_uncertain=True)
        case _:
            return app


def _record_change(app: App, *, is_certain: bool) -> App:
    return replace(app, min_recorded=app.min_recorded + 1) if is_certain else replace(app, is_uncertain=True)
