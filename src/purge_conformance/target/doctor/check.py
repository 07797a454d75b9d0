"""The findings of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from purge_conformance.evidence.safe_text import capitalize
from purge_conformance.target.doctor.duration import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.evidence.records import Exchange


REACHABLE = "reachable"  # the name of the check that the target responds


class Status(StrEnum):
    """The severity of a finding; only a problem fails `doctor`."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Effect(StrEnum):
    """What a problem does to a run, which looks for it before it creates or purges anything."""

    WARNING = "warning"  # the run goes on; its reports name the problem
    REFUSAL = "refusal"  # the user has to correct a setting: no run, no verdict, exit code 2
    NO_JUDGMENT = "no judgment"  # nothing can be judged: the run ends, with reports and exit code 3


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: the subject, for example `clock`.
        status: the severity.
        got: what was observed.
        expected: what was expected instead; empty if the status is ok.
        next_step: what to do; empty if the status is ok.
        cause: of a problem: `configuration`, `authentication` or `network`.
        effect: of a problem, on a run.
    """

    name: str
    status: Status
    got: str
    expected: str = ""
    next_step: str = ""
    cause: str = "configuration"
    effect: Effect = Effect.WARNING

    def __str__(self) -> str:
        """Return the finding and its next step as one line."""
        text = capitalize(self.got) if self.name == REACHABLE else f"{self.name}: {self.got}"
        return f"{text}; expected {self.expected}. {self.next_step}" if self.expected else f"{text}."


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The responses to a few reads of a target.

    Attributes:
        answers: the exchanges, in the order of sending.
        expired_tokens: role whose token has expired -> the reason.
        work: what the run is expected to do; its duration follows from it.
    """

    answers: tuple[Exchange, ...]
    expired_tokens: Mapping[str, str] = field(default_factory=dict)
    work: Work = field(default_factory=Work)


def ok(name: str, got: str) -> Check:
    """Return a finding without a defect."""
    return Check(name, Status.OK, got)


def refusal(name: str, got: str, expected: str, next_step: str, cause: str = "configuration") -> Check:
    """Return a problem that the user has to correct before a run."""
    return Check(name, Status.PROBLEM, got, expected, next_step, cause, Effect.REFUSAL)


def warning(name: str, got: str, expected: str, next_step: str) -> Check:
    """Return a defect that allows a run."""
    return Check(name, Status.WARNING, got, expected, next_step)
