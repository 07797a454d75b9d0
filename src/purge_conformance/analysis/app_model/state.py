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


class Deed(StrEnum):
    """What a step does."""

    CREATE = "create"
    START = "start"
    STOP = "stop"
    SCALE = "scale"
    DELETE = "delete"
    PURGE = "purge"
    REFUSED = "purge as"
    READ = "read by"


OF_APP = {Deed.CREATE, Deed.START, Deed.STOP, Deed.SCALE, Deed.DELETE}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence.

    Attributes:
        deed: what is done.
        what: the name of the app; of a refused purge whose credential, of a read by which parameters.
        size: of a scaling, `instances=2` or `memory_in_mb=96`.
    """

    deed: Deed
    what: str = ""
    size: str = ""

    def __str__(self) -> str:
        """Write the step in words, as it stands in the evidence."""
        return " ".join(filter(None, (self.deed, self.what, self.size)))

    @classmethod
    def parse(cls, words: str) -> Step:
        """Read what `str` wrote."""
        deed = max((deed for deed in Deed if words.startswith(deed)), key=len)
        what, _, size = words.removeprefix(deed).strip().partition(" ")
        return cls(deed, what, size)

    @property
    def app(self) -> str | None:
        """The name of the app that the step changes, or None."""
        return self.what if self.deed in OF_APP else None

    @property
    def scaled(self) -> dict[str, int]:
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
    seeded: bool = False
    recorded: int = 0
    perhaps: bool = False

    @property
    def exists(self) -> bool:
        """Whether something can be done to it."""
        return self.state in {State.STOPPED, State.STARTED}


@dataclass(frozen=True, slots=True)
class World:
    """The apps of one sequence, by name; nothing that others have is in it."""

    apps: Mapping[str, App] = field(default_factory=lambda: MappingProxyType({}))

    def allows(self, step: Step) -> bool:
        """Whether a step makes sense: its app exists, or is to be made for the first time."""
        if step.deed is Deed.CREATE:
            return step.what not in self.apps
        return step.app is None or (step.app in self.apps and self.apps[step.app].exists)

    def after(self, step: Step) -> World:
        """Return what is there once a step is done; one that makes no sense, is refused or reads changes nothing."""
        if step.deed is Deed.PURGE:
            return World({name: _purged(app) for name, app in self.apps.items()})
        if step.app is None or not self.allows(step):
            return self
        return World({**self.apps, step.app: _changed(self.apps.get(step.app, App()), step)})

    def losing_sight_of(self, name: str) -> World:
        """Return the same world, but that nobody knows what became of an app."""
        return World({**self.apps, name: replace(self.apps[name], state=State.UNKNOWN)})


def sensible(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps without those that make no sense where they stand."""
    world, kept = World(), []
    for step in steps:
        if world.allows(step):
            kept.append(step)
        world = world.after(step)
    return tuple(kept)


def _purged(app: App) -> App:
    return replace(app, seeded=app.state is State.STARTED, recorded=0, perhaps=False)


def _changed(app: App, step: Step) -> App:
    match step.deed:
        case Deed.START | Deed.STOP:
            state = State.STARTED if step.deed is Deed.START else State.STOPPED
            certain = app.state is not state and app.size["instances"] > 0
            return _told(replace(app, state=state), certain=certain)
        case Deed.SCALE:
            certain = app.state is State.STARTED and any(app.size.get(k) != v for k, v in step.scaled.items())
            return _told(replace(app, size={**app.size, **step.scaled}), certain=certain)
        case Deed.CREATE:
            return replace(app, perhaps=True)  # nothing says that it must be recorded, nor that it must not
        case Deed.DELETE:
            return replace(app, state=State.DELETED, perhaps=True)
        case _:
            return app


def _told(app: App, *, certain: bool) -> App:
    return replace(app, recorded=app.recorded + 1) if certain else replace(app, perhaps=True)
