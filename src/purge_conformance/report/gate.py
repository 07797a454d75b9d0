"""The gate: what the user promised about a run, and whether it was kept.

The verdict is about the target. The gate is about the user's promises: which failures are known, and that nothing is
worse than in an earlier report.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.config.known_failures import EntryKind


class GateStatus(StrEnum):
    """Whether the promises were kept."""

    KEPT = "kept"
    BROKEN = "broken"


class BreachKind(StrEnum):
    """How a promise was broken."""

    STALE = "stale"  # a known failure no longer occurs
    MISMATCH = "mismatch"  # it fails, but not as entered
    EXPIRED = "expired"  # it fails as entered, and its date is over
    REGRESSION = "regression"  # worse than in the baseline

    @property
    def promise(self) -> str:
        """What was broken: the promise of `--known-failures` or of `--baseline`."""
        return "baseline" if self is BreachKind.REGRESSION else "known-failures"


@dataclass(frozen=True, slots=True)
class Breach:
    """Why the gate is broken.

    Attributes:
        kind: how the promise was broken.
        requirement: id of the requirement that it is about.
        sentence: what was got and what was promised, and the next step.
    """

    kind: BreachKind
    requirement: str
    sentence: str

    @property
    def test_case(self) -> str:
        """The name of its test case in junit.xml and in pytest, for example `known-failures.PURGE-01`."""
        return f"{self.kind.promise}.{self.requirement}"


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """An entry of the known failures whose failure occurred as entered, and that excuses it.

    Attributes:
        requirements: ids of the requirements that it excuses; at least one.
        kind: `failure`, `flaky` or `not-judged`.
        case: the only case of the requirement that it excuses; None: no case is named.
        owner: who takes care of it.
        reason: why it is accepted.
        link: where it is tracked; None if it is not.
        expires: the last day on which it excuses, as YYYY-MM-DD.
        consequences: ids of the requirements that were not judged only because of it, and are excused with it.
    """

    requirements: tuple[str, ...]
    kind: EntryKind
    case: str | None
    owner: str
    reason: str
    link: str | None
    expires: str
    consequences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotChecked:
    """An entry of the known failures that this run can say nothing about: it is neither stale nor an excuse.

    Attributes:
        requirement: id of the requirement.
        sentence: why the run says nothing about it.
    """

    requirement: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Gate:
    """The promises of a run and what became of them; a run without a promise has no gate.

    Attributes:
        known_failures: the entries that excuse something.
        not_checked: the entries that this run says nothing about.
        breaches: why it is broken; empty if it was kept.
        baseline: the report that the run was compared with, as the user named it; None: none was given.
    """

    known_failures: tuple[KnownFailure, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    breaches: tuple[Breach, ...] = ()
    baseline: str | None = None

    @property
    def status(self) -> GateStatus:
        """Whether the promises were kept."""
        return GateStatus.BROKEN if self.breaches else GateStatus.KEPT

    @property
    def excuses(self) -> dict[str, KnownFailure]:
        """Id of each requirement that a known failure excuses, itself or as its consequence -> that entry."""
        return {name: each for each in self.known_failures for name in (*each.consequences, *each.requirements)}

    def by_test_case(self) -> dict[str, list[Breach]]:
        """Return name of a test case -> the breaches that it reports."""
        groups: dict[str, list[Breach]] = {}
        for breach in self.breaches:
            groups.setdefault(breach.test_case, []).append(breach)
        return groups


def merge_gates(gates: Iterable[Gate]) -> Gate | None:
    """Return the gate of all promises from that of each; None if nothing was promised."""
    parts = tuple(gates)
    if not parts:
        return None
    return Gate(
        known_failures=tuple(each for part in parts for each in part.known_failures),
        not_checked=tuple(each for part in parts for each in part.not_checked),
        breaches=tuple(each for part in parts for each in part.breaches),
        baseline=next((part.baseline for part in parts if part.baseline is not None), None),
    )
