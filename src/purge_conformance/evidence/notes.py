"""The declared notes: what a scenario learns and no exchange shows; each name with the type of its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from purge_conformance.evidence.steps import App, Step

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class NoteName(Generic[Value]):
    """A name under which scenarios note something.

    Attributes:
        name: as it is written.
        load: makes the value out of JSON; raises KeyError, TypeError or ValueError where that is not possible.
    """

    name: str
    load: Callable[[Any], Value]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why the target cannot be judged at all; `cause` is a value of `report.Cause`."""

    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppChange:
    """A change of an app between two lists of the events; a span with the same step holds the lists.

    Attributes:
        step: which change.
        app: the guid of the app; None: there is no such app.
        done: whether the target accepted it.
        current: what an event of the change shows, member -> its current value; empty in evidence of older suites.
    """

    step: Step
    app: str | None
    done: bool
    current: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SequencePlan:
    """A sequence that is about to be executed.

    Attributes:
        number: among the sequences of the run, from 1.
        actions: in words, as `analysis.app_model.state.Action` reads them.
        processes: how many processes an app has.
        shorter: whether it is tried because a longer one disagreed with the model.
    """

    number: int
    actions: tuple[str, ...]
    processes: int
    shorter: bool


@dataclass(frozen=True, slots=True)
class NotInduced:
    """Why an error did not occur that the hook was asked for.

    Attributes:
        operation: `purge`, `list` or `get`.
        status: that was asked for.
        failed: whether the hook failed; else it does not know the state, or the target answered otherwise.
        reason: in words.
    """

    operation: str
    status: int
    failed: bool
    reason: str


def _instance_of(kind: Callable[..., Value], value: dict[str, Any]) -> Value:
    return kind(**value)


def _change(value: dict[str, Any]) -> AppChange:
    return AppChange(**{**value, "step": Step(value["step"])})


def _plan(value: dict[str, Any]) -> SequencePlan:
    return SequencePlan(**{**value, "actions": tuple(value["actions"])})


def _apps(value: dict[str, str]) -> dict[App, str]:
    return {App(label): guid for label, guid in value.items()}


def _object(value: dict[str, Any]) -> dict[str, Any]:
    return dict(value)


def _strings(value: list[str]) -> list[str]:
    return [str(item) for item in value]


# of any scenario: why it was cut short
STOPPED = NoteName("stopped", str)  # the guard blocked a request
EXPIRED = NoteName("expired", str)  # a token has expired
CRASHED = NoteName("crashed", str)  # a defect of the suite
UNUSABLE = NoteName("unusable", partial(_instance_of, Unusable))
LOST = NoteName("lost", str)  # the target no longer answers
INTERRUPTED = NoteName("interrupted", str)

WARNINGS = NoteName("warnings", _strings)  # preflight: what doctor warns of
RUN = NoteName("run", str)  # foundation and cleanup: the label of what the run creates
APPS = NoteName("apps", _apps)  # foundation: label -> guid
APPS_ERROR = NoteName("apps-error", str)  # foundation: why an app could not be created or started; empty: all could
UNTIMED = NoteName("untimed", str)  # foundation: why a change cannot be timed
ARCHIVED = NoteName("archived", _object)  # archive: members of target.archive.Archived; older suites: fewer
CHANGE = NoteName("change", _change)  # app-changes, changes-after-purges: one note per change
SEQUENCE = NoteName("sequence", _plan)  # sequences: one note per sequence
NOT_INDUCED = NoteName("not-induced", partial(_instance_of, NotInduced))  # induced-errors: one note per error
LEFT = NoteName("left", _strings)  # cleanup: what could not be deleted, each with the reason
FINISHED = NoteName("finished", bool)  # cleanup: the run was not killed

NAMES: dict[str, NoteName[Any]] = {
    note.name: note
    for note in (
        *(STOPPED, EXPIRED, CRASHED, UNUSABLE, LOST, INTERRUPTED),
        *(WARNINGS, RUN, APPS, APPS_ERROR, UNTIMED, ARCHIVED),
        *(CHANGE, SEQUENCE, NOT_INDUCED, LEFT, FINISHED),
    )
}
