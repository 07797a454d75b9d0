"""What differs between two reports, and which differences are regressions.

Two reports are compared by the requirements that both have. A requirement or a case that only one of them has is named
with the reason: another requirement set, profile or selection. Where requirement set, profiles and selection are the
same, one that is missing no longer ran.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Literal

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.report.facts import ReportFacts, RequirementFacts

# Settings that follow from others, or that the comparison shows elsewhere.
OTHER_SETTINGS = {"profiles", "select", "unselected_scenarios", "token_scopes"}
OLDER_EVIDENCE = "evidence of requirement set"  # how the need of a case begins that is newer than the evidence


class Kind(StrEnum):
    """What changed."""

    FAILED = "newly failed"
    NOT_JUDGED = "newly not judged"
    ABSENT = "no longer in the report"
    CASE = "case no longer ran"
    PASSED = "newly passed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a requirement, or of one of its cases.

    Attributes:
        id: of the requirement.
        level: of the requirement, as the new report has it.
        kind: what changed.
        old: the outcome in the old report.
        new: the outcome in the new report; None if it does not have the requirement.
        why: what explains it: expected and got of a failure, the cause and the reason of what was not judged, what a
            case needs; empty if nothing does.
        case: id of the case; None: the requirement as a whole.
        statement: of the requirement.
        is_regression: whether it is one.
    """

    id: str
    level: Level
    kind: Kind
    old: Outcome
    new: Outcome | None
    why: str = ""
    case: str | None = None
    statement: str = ""
    is_regression: bool = False


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many trials of a case were judged; None: the report does not have the case."""

    id: str
    case: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A requirement that only one report judges.

    Attributes:
        id: of the requirement.
        side: which report has it: "old" (not selected any more, withdrawn) or "new" (selected now, a new requirement).
        outcome: in that report.
        why: why the other report lacks it.
    """

    id: str
    side: Literal["old", "new"]
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports, and how they differ.

    Attributes:
        old, new: the reports.
        compared: ids of the requirements that both reports have, and the old one judged.
        changes: of outcomes, and the cases that no longer ran; regressions first.
        cases: those whose number of trials changed.
        not_compared: the requirements that only one report has.
        not_judged: ids of the requirements that neither report judged.
        settings: name -> its values, of the settings that both reports have and that differ.
    """

    old: ReportFacts
    new: ReportFacts
    compared: tuple[str, ...]
    changes: tuple[Change, ...]
    cases: tuple[CaseCount, ...]
    not_compared: tuple[NotCompared, ...]
    not_judged: tuple[str, ...]
    settings: dict[str, tuple[object, object]]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """The changes that are regressions."""
        return tuple(change for change in self.changes if change.is_regression)


def compare(old: ReportFacts, new: ReportFacts, *, fail_on_should: bool = False) -> Comparison:
    """Compare two reports.

    A regression is a MUST that passed and now fails, one that was judged and no longer is, or a case of one that no
    longer ran.

    Args:
        old: the earlier report.
        new: the later one.
        fail_on_should: whether SHOULDs count as MUSTs do.
    """
    scored = {Level.MUST, Level.SHOULD} if fail_on_should else {Level.MUST}
    pairs = [(row, new.requirements[name]) for name, row in old.requirements.items() if name in new.requirements]
    comparable = [(before, after) for before, after in pairs if not after.newer_than_evidence]
    has_same_cases = old.requirements_digest == new.requirements_digest != ""
    changes = [change for pair in comparable for change in _changes(*pair, has_same_cases=has_same_cases)]
    changes += [_absent(row) for row in old.requirements.values() if _is_absent(row, old, new)]
    changes = [replace(each, is_regression=each.level in scored and _is_worse(each)) for each in changes]
    return Comparison(
        old,
        new,
        compared=tuple(before.id for before, _ in comparable if before.is_judged),
        changes=tuple(sorted(changes, key=_order)),
        cases=tuple(count for pair in comparable for count in _case_counts(*pair)),
        not_compared=tuple(_not_compared(old, new)),
        not_judged=tuple(before.id for before, after in comparable if not (before.is_judged or after.is_judged)),
        settings=dict(_settings(old, new)),
    )


def _changes(before: RequirementFacts, after: RequirementFacts, *, has_same_cases: bool) -> Iterator[Change]:
    """Yield the change of an outcome, and the cases that no longer ran.

    A failure ends at its first violation, and what neither report judged had no case that counts.
    """
    change = partial(Change, before.id, after.level, old=before.outcome, new=after.outcome, statement=after.statement)
    if not after.is_judged:
        if before.is_judged:
            yield change(Kind.NOT_JUDGED, why=after.why)
        return
    if after.outcome is not before.outcome:
        yield change(Kind.FAILED if after.outcome is Outcome.FAILED else Kind.PASSED, why=after.why)
    if after.outcome is not Outcome.FAILED and after.cases is not None:
        for case, trials in (before.cases or {}).items():
            is_withdrawn = case not in after.cases and not has_same_cases
            if trials and not after.cases.get(case) and not is_withdrawn and not _needs_newer_evidence(after, case):
                need = after.untried.get(case)
                yield change(Kind.CASE, case=case, why=f"needs: {need}" if need else "")


def _needs_newer_evidence(after: RequirementFacts, case: str) -> bool:
    return after.untried.get(case, "").startswith(OLDER_EVIDENCE)


def by_requirement(changes: Iterable[Change]) -> list[list[Change]]:
    """Return the changes, with the cases of one requirement that no longer ran in one group, each other one alone."""
    groups: dict[tuple[str, Kind], list[Change]] = {}
    for each in changes:
        groups.setdefault((each.id, each.kind), []).append(each)
    return list(groups.values())


def _absent(row: RequirementFacts) -> Change:
    why = "the new report has the same requirement set, profiles and selection"
    return Change(row.id, row.level, Kind.ABSENT, row.outcome, None, why, statement=row.statement)


def _is_absent(row: RequirementFacts, old: ReportFacts, new: ReportFacts) -> bool:
    """Whether a requirement that was judged is missing although nothing explains it."""
    return row.is_judged and row.id not in new.requirements and not _why_missing(row, old, new)


def _is_worse(change: Change) -> bool:
    if change.kind is Kind.FAILED:
        return change.old is Outcome.PASSED
    return change.kind is not Kind.PASSED


def _order(change: Change) -> tuple[bool, int, int]:
    return not change.is_regression, list(Kind).index(change.kind), list(Level).index(change.level)


def _case_counts(before: RequirementFacts, after: RequirementFacts) -> Iterator[CaseCount]:
    old, new = before.cases, after.cases
    if old is None or new is None:
        return
    for case in dict.fromkeys([*old, *new]):
        if old.get(case) != new.get(case):
            yield CaseCount(before.id, case, old.get(case), new.get(case))


def _not_compared(old: ReportFacts, new: ReportFacts) -> Iterator[NotCompared]:
    """Yield the requirements that only one report has, and those that are newer than the evidence of the new one."""
    for row in old.requirements.values():
        if row.id not in new.requirements and not _is_absent(row, old, new):
            yield NotCompared(row.id, "old", row.outcome, _why_missing(row, old, new) or "not judged, and then missing")
    for row in new.requirements.values():
        if row.id not in old.requirements:
            yield NotCompared(row.id, "new", row.outcome, _why_missing(row, new, old) or "missing before")
        elif row.newer_than_evidence:
            yield NotCompared(row.id, "old", old.requirements[row.id].outcome, "newer than the new report's evidence")


def _why_missing(row: RequirementFacts, having: ReportFacts, other: ReportFacts) -> str:
    """Return why `other` lacks a requirement that `having` has; empty if nothing explains it."""
    if row.profile not in other.profiles:
        return f"of profile {row.profile}, which the other report does not judge"
    if other.select:
        return "not selected in the other report"
    if Profile.OBSERVE_ONLY in other.profiles and Profile.OBSERVE_ONLY not in having.profiles:
        return "not judged by reads alone, as the other report is (observe-only)"
    if having.requirements_digest != other.requirements_digest or not other.requirements_digest:
        return "not in the requirement set of the other report"
    return ""


def _settings(old: ReportFacts, new: ReportFacts) -> Iterator[tuple[str, tuple[object, object]]]:
    for name, before in old.settings.items():
        if name not in OTHER_SETTINGS and name in new.settings and new.settings[name] != before:
            yield name, (before, new.settings[name])
