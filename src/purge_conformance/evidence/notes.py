"""The declared notes: what a scenario learns and no exchange shows; each name with the type of its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from purge_conformance.evidence.members import (
    BOOLEAN,
    OBJECT,
    OBJECT_OF_STRINGS,
    POSITIVE,
    STRING,
    STRINGS,
    check,
    check_members,
    integer,
    one_of,
    or_null,
)
from purge_conformance.evidence.steps import App, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.evidence.members import Check

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class NoteName(Generic[Value]):
    """A name under which scenarios note something.

    Attributes:
        name: as it is written.
        load: makes the value out of JSON; raises BadData where that is not possible.
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


def _value(expected: Check) -> Callable[[Any], Any]:
    """Return the function that loads a value which JSON has in the same form."""

    def load(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
        check(value, expected)
        return value

    return load


def _unusable(value: dict[str, Any]) -> Unusable:
    check_members(value, _UNUSABLE)
    return Unusable(**value)


def _not_induced(value: dict[str, Any]) -> NotInduced:
    check_members(value, _NOT_INDUCED)
    return NotInduced(**value)


def _change(value: dict[str, Any]) -> AppChange:
    check_members(value, _CHANGE, {"current": OBJECT})
    return AppChange(**{**value, "step": Step(value["step"])})


def _plan(value: dict[str, Any]) -> SequencePlan:
    check_members(value, _PLAN)
    return SequencePlan(**{**value, "actions": tuple(value["actions"])})


def _apps(value: dict[str, str]) -> dict[App, str]:
    check(value, OBJECT_OF_STRINGS)
    for label in value:
        check(label, _APP, "label")
    return {App(label): guid for label, guid in value.items()}


_APP = one_of(App, "the label of an app of the suite")
_CHANGE = {"step": one_of(Step, "a step"), "app": or_null(STRING), "done": BOOLEAN}
_PLAN = {"number": POSITIVE, "actions": STRINGS, "processes": integer(0), "shorter": BOOLEAN}
_NOT_INDUCED = {"operation": STRING, "status": POSITIVE, "failed": BOOLEAN, "reason": STRING}
_UNUSABLE = {
    "cause": one_of(("authentication", "configuration", "network"), "the cause of an unusable target"),
    "reason": STRING,
}
_string, _strings, _object, _boolean, _number = (
    _value(expected) for expected in (STRING, STRINGS, OBJECT, BOOLEAN, POSITIVE)
)

# of any scenario: why it was cut short
STOPPED = NoteName("stopped", _string)  # the guard blocked a request
EXPIRED = NoteName("expired", _string)  # a token has expired
CRASHED = NoteName("crashed", _string)  # a defect of the suite
UNUSABLE = NoteName("unusable", _unusable)
LOST = NoteName("lost", _string)  # the target no longer answers
INTERRUPTED = NoteName("interrupted", _string)
REFUSAL = NoteName("refusal", _string)  # why the run ended before its first purge, with exit code 2

WARNINGS = NoteName("warnings", _strings)  # preflight: what doctor warns of
RUN = NoteName("run", _string)  # foundation and cleanup: the label of what the run creates
APPS = NoteName("apps", _apps)  # foundation: label -> guid
APPS_ERROR = NoteName("apps-error", _string)  # foundation: why an app could not be created or started; empty: all could
APPS_NEXT_STEP = NoteName("apps-next-step", _string)  # foundation: what lets the suite create and start apps; or empty
HOME_SPACE = NoteName("home-space", _string)  # foundation: which existing space the suite creates its apps in, and why
UNTIMED = NoteName("untimed", _string)  # foundation: why a change cannot be timed
ARCHIVED = NoteName("archived", _object)  # archive: members of target.archive.ArchiveSummary; older suites: fewer
LACKING = NoteName("archive-lacks-events", _string)  # any scenario: why a purge destroyed what was not archived
ADDED = NoteName("added-to-archive", _number)  # any scenario: how many events were archived just before a purge
LEFT_OUT = NoteName("left-out", _strings)  # any scenario: the cases for which --max-purges leaves it no purge
CHANGE = NoteName("change", _change)  # app-changes, changes-after-purges: one note per change
SEQUENCE = NoteName("sequence", _plan)  # sequences: one note per sequence
NOT_INDUCED = NoteName("not-induced", _not_induced)  # induced-errors: one note per error
LEFT = NoteName("left", _strings)  # cleanup: what could not be deleted, each with the reason
FINISHED = NoteName("finished", _boolean)  # cleanup: the run was not killed

NAMES: dict[str, NoteName[Any]] = {
    note.name: note
    for note in (
        *(STOPPED, EXPIRED, CRASHED, UNUSABLE, LOST, INTERRUPTED, REFUSAL),
        *(WARNINGS, RUN, APPS, APPS_ERROR, APPS_NEXT_STEP, HOME_SPACE, UNTIMED, ARCHIVED, LACKING, ADDED, LEFT_OUT),
        *(CHANGE, SEQUENCE, NOT_INDUCED, LEFT, FINISHED),
    )
}
