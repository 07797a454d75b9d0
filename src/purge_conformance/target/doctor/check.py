"""What a check of a target found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.evidence.records import Exchange


class Status(StrEnum):
    """How well it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, for example `clock`.
        status: how well it is.
        got: what was seen.
        expected: what should have been; empty where all is well.
        next_step: what to do; empty where all is well.
        cause: what a problem is put down to: `configuration`, `authentication` or `network`.
        is_fatal: whether a run would judge nothing, or accuse wrongly.
    """

    name: str
    status: Status
    got: str
    expected: str = ""
    next_step: str = ""
    cause: str = "configuration"
    is_fatal: bool = False

    def __str__(self) -> str:
        """Return it as one sentence or two."""
        text = f"{self.name}: {self.got}"
        return f"{text}; expected {self.expected}. {self.next_step}" if self.expected else f"{text}."


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a few reads of a target showed.

    Attributes:
        answers: in the order of sending.
        expired_tokens: role whose token had come to its end -> what was said of it.
    """

    answers: tuple[Exchange, ...]
    expired_tokens: Mapping[str, str] = field(default_factory=dict)


def ok(name: str, got: str) -> Check:
    """Return that all is well."""
    return Check(name, Status.OK, got)


def warning(name: str, got: str, expected: str, next_step: str) -> Check:
    """Return that a run is possible, and what it will suffer from."""
    return Check(name, Status.WARNING, got, expected, next_step)
