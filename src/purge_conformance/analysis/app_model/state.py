"""A small pure model of a few apps and of the events that the documentation lets one expect of them.

Where it is silent, the model is too: whether a start of a started app is recorded, or a scaling of a stopped one, and
what becomes of the events of a deleted app before the next purge.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Action(StrEnum):
    """What a step does."""

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
        deed: what is done.
        what: the name of the app; of a refused purge whose credential, of a read by which parameters.
        size: of a scaling, `instances=2` or `memory_in_mb=96`.
    """

    action: Action
    argument: str = ""
    size: str = ""

    def __str__(self) -> str:
        """Write the step in words, as it stands in the evidence."""
        return " ".join(filter(None, (self.action, self.argument, self.size)))

    @classmethod
    def parse(cls, words: str) -> Step:
        """Read what `str` wrote."""
        action = max((deed for deed in Action if words.startswith(deed)), key=len)
        argument, _, size = words.removeprefix(action).strip().partition(" ")
        return cls(action, argument, size)

    @property
    def app(self) -> str | None:
        """The name of the app that the step changes, or None."""
        return self.argument if self.action in APP_ACTIONS else None

    @property
    def scale_values(self) -> dict[str, int]:
        """What a scaling asks for, as its body says it."""
        name, _, value = self.size.partition("=")
        return {name: int(value)}


class State(StrEnum):
    """What an app is."""

    STOPPED = "stopped"
    STARTED = "started"
    DELETED = "deleted"
    UNKNOWN = "perhaps deleted"  # the target did not come to an end with it


@dataclass(frozen=True, slots=True)
class App:
    """An app, and what the list must show of it.

    Attributes:
        state: what it is.
        size: what was asked of it by scalings.
        seeded: whether the last purge seeded it.
        recorded: how many changes since the last purge must have been recorded.
        perhaps: whether more may have been recorded since, or events may have gone.
    """

    state: State = State.STOPPED
    size: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"instances": 1}))
    is_seeded: bool = False
    min_recorded: int = 0
    is_uncertain: bool = False

    @property
    def exists(self) -> bool:
        """Whether something can be done to it."""
        return self.state in {State.STOPPED, State.STARTED}


@dataclass(frozen=True, slots=True)
class ModelState:
    """The apps of one sequence, by name; nothing that others have is in it."""

    apps: Mapping[str, App] = field(default_factory=lambda: MappingProxyType({}))

    def allows(self, step: Step) -> bool:
        """Whether a step makes sense: its app exists, or is to be made for the first time."""
        if step.action is Action.CREATE:
            return step.argument not in self.apps
        return step.app is None or (step.app in self.apps and self.apps[step.app].exists)

    def after(self, step: Step) -> ModelState:
        """Return what is there once a step is done; one that makes no sense, is refused or reads changes nothing."""
        if step.action is Action.PURGE:
            return ModelState({name: _after_purge(app) for name, app in self.apps.items()})
        if step.app is None or not self.allows(step):
            return self
        return ModelState({**self.apps, step.app: _after_change(self.apps.get(step.app, App()), step)})

    def with_unknown_state(self, name: str) -> ModelState:
        """Return the same world, but that nobody knows what became of an app."""
        return ModelState({**self.apps, name: replace(self.apps[name], state=State.UNKNOWN)})


def drop_impossible_steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps without those that make no sense where they stand."""
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
            return replace(app, is_uncertain=True)  # nothing says that it must be recorded, nor that it must not
        case Action.DELETE:
            return replace(app, state=State.DELETED, is_uncertain=True)
        case _:
            return app


def _record_change(app: App, *, is_certain: bool) -> App:
    return replace(app, min_recorded=app.min_recorded + 1) if is_certain else replace(app, is_uncertain=True)
