"""The ways in which a judgment ends other than by passing: a violation, or the reason why it could not decide.

Any other exception is a defect of the suite and says nothing about the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from purge_conformance.report.model import Finding


class RequirementViolated(AssertionError):
    """The target violates the requirement.

    Attributes:
        findings: at least one.
        total: how many there are, also of those that are left out.
        case: id of the violated case, if the judgment distinguishes cases; or None.
    """

    def __init__(self, findings: tuple[Finding, ...], case: str | None = None, total: int = 0) -> None:
        """Store the findings, the case, and how many findings there are; 0: those that are given."""
        self.findings = findings
        self.total = max(total, len(findings))
        self.case = case
        super().__init__("\n".join(f"expected {f.expected}; got {f.got}" for f in findings))


class AttributableViolation(RequirementViolated):
    """A violation that no other client can have caused, as the evidence shows."""


class Undecided(Exception):
    """The requirement could not be judged.

    Attributes:
        reason: why it could not be judged.
        cause: what that is attributed to.
        next_step: what the user does so that it can be judged; empty for the default of the cause.
        blocked_by: ids of the requirements whose failure is the only reason; the engine knows them.
    """

    def __init__(self, reason: str, cause: Cause, next_step: str = "", blocked_by: tuple[str, ...] = ()) -> None:
        """Store the reason, its cause, the next step, and what failed."""
        self.reason = reason
        self.cause = cause
        self.next_step = next_step
        self.blocked_by = blocked_by
        super().__init__(reason)


class Inconclusive(Undecided):
    """The requirement was tried, and the evidence does not decide it."""


class PrerequisiteFailed(Inconclusive):
    """A requirement that the judgment assumes is violated; the engine appends its id to the reason."""

    def __init__(self, reason: str) -> None:
        """Store the reason: a clause such as "plain purges already fail"."""
        super().__init__(reason, Cause.TARGET)


class NotExercised(Undecided):
    """The requirement was not tried, or there was nothing to judge."""

    def __init__(self, reason: str, cause: Cause = Cause.TARGET, next_step: str = "") -> None:
        """Store the reason, its cause and the next step."""
        super().__init__(reason, cause, next_step)


@dataclass(frozen=True, slots=True)
class Trial:
    """One of several attempts at the same thing, for example one purge of those of a run.

    Attributes:
        exchange: number of the exchange that shows its result best.
        findings: how it violates the requirement; empty if it passed.
        group: trials of one group differ in nothing that should affect the result.
        case: id of the case that it is a trial of; empty if the judgment counts its cases otherwise.
    """

    exchange: int
    findings: tuple[Finding, ...]
    group: str = ""
    case: str = ""
