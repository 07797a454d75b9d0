"""How reports group results: failures by defect, and what was not judged by reason and by next step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from purge_conformance.catalogue.model import Level
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.defect import Defect
from purge_conformance.report.text import NOTHING_TO_DO, failed_results, results_not_judged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.report.model import Finding, Result, Run

MIN_SPAN = 3  # consecutive ids


class HasId(Protocol):
    """A requirement, a result of it, or what a report of any version says about it."""

    @property
    def id(self) -> str:
        """The id of the requirement."""


@dataclass(frozen=True, slots=True)
class DefectView:
    """A defect with the results that it explains.

    Attributes:
        number: its place among the defects of the run, from 1.
        defect: what was sent and what came.
        results: the failed results, each with those of its findings that belong to the defect.
        is_known: whether known failures excuse each of these results.
    """

    number: int
    defect: Defect
    results: tuple[tuple[Result, tuple[Finding, ...]], ...]
    is_known: bool = False

    @property
    def ids(self) -> str:
        """The ids of the requirements as text, three or more consecutive ones as `PURGE-01 to 06`."""
        return compact_ids(result for result, _ in self.results)

    @property
    def is_binding(self) -> bool:
        """Whether a MUST fails because of it."""
        return any(result.level is Level.MUST for result, _ in self.results)

    @property
    def finding(self) -> Finding:
        """The finding that says what the target did."""
        findings = [finding for _, each in self.results for finding in each]
        return next((f for f in findings if f.got == self.defect.got), findings[0])

    @property
    def others(self) -> str:
        """How many other requests show the defect, as the end of a sentence; empty if there are none."""
        rest = self.defect.requests - 1
        return f"; {pluralize(rest, 'other request')} show{'s' if rest == 1 else ''} the same" if rest > 0 else ""


def defects_of(run: Run) -> list[DefectView]:
    """Return the defects of a run. A failed result that none of them explains, as in an older report, is one itself."""
    failed = failed_results(run)
    explained = {name for defect in run.defects for name in defect.requirements}
    rest = [_own_defect(result) for result in failed if result.id not in explained]
    views: list[DefectView] = []
    for defect in [*run.defects, *rest]:
        results = tuple((r, _findings(r, defect, run)) for r in failed if r.id in defect.requirements)
        if results:
            is_known = all(r.id in run.excused for r, _ in results)
            views.append(DefectView(len(views) + 1, defect, results, is_known))
    return views


def count_defects(run: Run) -> str:
    """Return for example `2 defects (1 known), 7 requirements failed`; empty if none did."""
    failed, views = len(failed_results(run)), defects_of(run)
    known = sum(view.is_known for view in views)
    defects = f"{pluralize(len(views), 'defect')}{f' ({known} known)' if known else ''}"
    return f"{defects}, {pluralize(failed, 'requirement')} failed" if failed else ""


def by_reason(results: Iterable[Result]) -> list[list[Result]]:
    """Return the results in groups with the same outcome, reason, cause and next step."""
    groups: dict[tuple[str | None, ...], list[Result]] = {}
    for result in results:
        groups.setdefault((result.outcome, result.reason, result.cause, result.next_step), []).append(result)
    return list(groups.values())


def by_next_step(run: Run) -> dict[str, list[Result]]:
    """Return next step -> the results that it lets a further run judge; those that block the verdict first."""
    groups: dict[str, list[Result]] = {}
    for result in results_not_judged(run):
        if result.next_step and not result.next_step.startswith(NOTHING_TO_DO):
            groups.setdefault(result.next_step, []).append(result)
    return groups


def distinct_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that read differently."""
    distinct: dict[tuple[str | None, ...], Finding] = {}
    for finding in findings:
        distinct.setdefault((finding.expected, finding.got, finding.curl), finding)
    return list(distinct.values())


def by_steps(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return the findings in groups that the same command shows; the first of a result may have its script."""
    groups: dict[str | None, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.curl, []).append(finding)
    return list(groups.values())


def compact_ids(results: Iterable[HasId]) -> str:
    """Return the ids as text, three or more consecutive ones as `PURGE-01 to 06`."""
    return ", ".join(id_spans(results))


def id_spans(results: Iterable[HasId]) -> list[str]:
    """Return the ids, three or more consecutive ones as `PURGE-01 to 06`."""
    return spans_of(result.id for result in results)


def spans_of(ids: Iterable[str]) -> list[str]:
    """Return the ids, three or more consecutive ones as `PURGE-01 to 06`."""
    spans: list[list[str]] = []
    for name in ids:
        area, _, number = name.rpartition("-")
        previous_area, _, previous = spans[-1][-1].rpartition("-") if spans else ("", "", "")
        is_next = area == previous_area and number.isdigit() and previous.isdigit() and int(number) == int(previous) + 1
        if is_next:
            spans[-1].append(name)
        else:
            spans.append([name])
    return [words for names in spans for words in _span(names)]


def levels_of(results: Iterable[Result]) -> str:
    """Return the levels as text: `MUST` of a single result, otherwise for example `3 MUST, 1 SHOULD`."""
    counts = Counter(result.level for result in results)
    if counts.total() == 1:
        return str(next(iter(counts)))
    return ", ".join(f"{counts[level]} {level}" for level in Level if counts[level])


def _span(names: list[str]) -> list[str]:
    return names if len(names) < MIN_SPAN else [f"{names[0]} to {names[-1].rpartition('-')[2]}"]


def _own_defect(result: Result) -> Defect:
    return Defect((result.id,), "", result.findings[0].got if result.findings else "")


def _findings(result: Result, defect: Defect, run: Run) -> tuple[Finding, ...]:
    """Return the findings of a result that belong to a defect: all of them unless others explain some."""
    if sum(result.id in each.requirements for each in run.defects) <= 1:
        return result.findings
    own = tuple(finding for finding in result.findings if finding.exchange in defect.exchanges)
    return own or result.findings
