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
        case: id of the case that is violated, if the judgment tells its cases apart; or None.
    """

    def __init__(self, findings: tuple[Finding, ...], case: str | None = None) -> None:
        """Store the findings and the case."""
        self.findings = findings
        self.case = case
        super().__init__("\n".join(f"expected {f.expected}; got {f.got}" for f in findings))


class AttributableViolation(RequirementViolated):
    """A violation that, as the evidence shows, no other client can have caused."""


class Undecided(Exception):
    """The requirement could not be judged.

    Attributes:
        reason: why.
        cause: what that is attributed to.
        next_step: what to do so that it can be judged; empty if the cause says enough.
    """

    def __init__(self, reason: str, cause: Cause, next_step: str = "") -> None:
        """Store the reason, its cause and the next step."""
        self.reason = reason
        self.cause = cause
        self.next_step = next_step
        super().__init__(reason)


class Inconclusive(Undecided):
    """It was tried, without a clear result."""


class PrerequisiteFailed(Inconclusive):
    """What the judgment assumes does not hold in its evidence; the engine adds which requirements failed."""

    def __init__(self, reason: str) -> None:
        """Store the reason: a clause such as "plain purges already fail"."""
        super().__init__(reason, Cause.TARGET)


class NotExercised(Undecided):
    """It was not tried, or there was nothing to judge."""

    def __init__(self, reason: str, cause: Cause = Cause.TARGET, next_step: str = "") -> None:
        """Store the reason, its cause and the next step."""
        super().__init__(reason, cause, next_step)


@dataclass(frozen=True, slots=True)
class Trial:
    """One of several attempts at the same, for example one purge of those of a run.

    Attributes:
        exchange: number of the exchange that shows best how it ended.
        findings: what is wrong with it; none if it passed.
        kind: attempts of one kind differ in nothing that ought to matter.
    """

    exchange: int
    findings: tuple[Finding, ...]
    group: str = ""
