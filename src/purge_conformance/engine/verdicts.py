"""From the end of each judgment to one judged run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.analysis.assertions import (
    AttributableViolation,
    Inconclusive,
    NotExercised,
    RequirementViolated,
    Undecided,
)
from purge_conformance.analysis.concurrent_reads import summarize_concurrent_reads
from purge_conformance.analysis.interference import DISTURBED_BY_FOREIGN_PURGE, count_changing_apps, find_foreign_purge
from purge_conformance.analysis.openapi import find_operation_id
from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.apps import Mode
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import BadData
from purge_conformance.evidence import clock, curl
from purge_conformance.evidence.records import base_name
from purge_conformance.report.model import (
    Cause,
    Finding,
    Outcome,
    Result,
    Run,
    StatusCoverage,
    Tally,
    Timing,
    Verdict,
    roll_up,
)
from purge_conformance.target import archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Evidence, Exchange

MAX_EVIDENCE = 50  # exchanges that a result names


@dataclass
class RunBuilder:
    """The results of one run, as the judgments come in.

    Attributes:
        evidence: what is judged.
        expected: the requirements that are to be judged, by id.
        results: id -> result.
    """

    evidence: Evidence
    expected: dict[str, Requirement]
    results: dict[str, Result] = field(default_factory=dict)

    def expect_only(self, names: Iterable[str]) -> None:
        """Expect these judgments alone, and what no judgment is made for; whoever ran pytest left out the rest."""
        expected_names = set(names)
        self.expected = {name: r for name, r in self.expected.items() if name in expected_names or r.not_judged}

    def record(
        self,
        name: str,
        error: BaseException | None,
        exchange_numbers: Sequence[int],
        seconds: float,
        tally: Tally | None = None,
    ) -> Result:
        """Take the end of one judgment: the exception that left it, or None; and return what it means."""
        requirement = self.expected[name]
        may_be_disturbed = name in DISTURBED_BY_FOREIGN_PURGE and not isinstance(error, AttributableViolation)
        if isinstance(error, RequirementViolated) and may_be_disturbed and self._foreign_purge:
            error = _foreign_purge_result(error, *self._foreign_purge)
        findings = self._findings(error) if isinstance(error, RequirementViolated) else ()
        outcome, cause, reason = _classify(error)
        finding_numbers = [number for finding in findings for number in (finding.exchange, finding.passing)]
        key_numbers = [number for number in finding_numbers if number is not None]
        numbers = tuple(dict.fromkeys([*key_numbers, *exchange_numbers]))[:MAX_EVIDENCE]
        result = _result(requirement, outcome, cause, reason, findings, numbers, seconds)
        if tally and outcome in {Outcome.PASSED, Outcome.FAILED}:
            result = replace(result, tally=tally)
        self.results[name] = result
        return result

    def build(self) -> Run:
        """Return the judged run; what no judgment reported on is inconclusive, and blamed on the suite."""
        exchanges = self.evidence.exchanges
        results = tuple(self.results.get(name) or _missing_result(self.expected[name]) for name in self.expected)
        last = max((x.sent_at + x.elapsed for x in exchanges), default=None)
        header = self.evidence.header
        return Run(
            suite=__version__,
            spec_version=str(catalogue.document(catalogue.OPENAPI)["info"]["version"]),
            spec=catalogue.digests(),
            target=header.target,
            settings=header.settings,
            started_at=header.started_at,
            finished_at=clock.format_rfc3339(last) if last else header.started_at,
            requests=len(exchanges),
            purges=sum(is_purge(x.method, x.path) and x.role == ADMIN for x in exchanges),
            requirements=results,
            coverage=_coverage(exchanges),
            timings=_timings(exchanges),
            notes=self._notes,
            verdict=Verdict.INCONCLUSIVE if _is_interrupted(self.evidence) else roll_up(results),
        )

    @cached_property
    def _notes(self) -> tuple[str, ...]:
        return tuple(_notes(self.evidence))

    @cached_property
    def _foreign_purge(self) -> tuple[int, int] | None:
        return find_foreign_purge(self.evidence)

    def _findings(self, error: RequirementViolated) -> tuple[Finding, ...]:
        by_number = {x.n: x for x in self.evidence.exchanges}
        header = self.evidence.header

        def complete(finding: Finding) -> Finding:
            exchange = by_number.get(finding.exchange or 0)
            line = curl.command(exchange, header) if exchange else None
            return replace(finding, curl=line)

        return tuple(complete(finding) for finding in error.findings)


def _is_interrupted(evidence: Evidence) -> bool:
    """Whether the run was told to end: what it would have seen later might tell of what it saw."""
    return any(note.name == "interrupted" for note in evidence.notes)


def _foreign_purge_result(error: RequirementViolated, first: int, last: int) -> Inconclusive:
    """Return that a finding may be somebody else's doing."""
    finding = error.findings[0]
    message = f"expected {finding.expected}; got {finding.got}"
    return Inconclusive(
        f"somebody else purged during the run, between the exchanges {first} and {last}; {message}", Cause.RACE
    )


def _classify(error: BaseException | None) -> tuple[Outcome, Cause | None, str]:
    match error:
        case None:
            return Outcome.PASSED, None, ""
        case RequirementViolated():
            return Outcome.FAILED, Cause.TARGET, ""
        case NotExercised():
            return Outcome.NOT_EXERCISED, error.cause, error.reason
        case Undecided():
            return Outcome.INCONCLUSIVE, error.cause, error.reason
        case _:
            reason = f"the judgment itself failed ({type(error).__name__}: {error}). Please report it."
            return Outcome.INCONCLUSIVE, Cause.SUITE, reason


def _missing_result(requirement: Requirement) -> Result:
    if requirement.not_judged:
        return _result(requirement, Outcome.NOT_EXERCISED, Cause.SUITE, requirement.not_judged)
    return _result(requirement, Outcome.INCONCLUSIVE, Cause.SUITE, "no judgment reported on it. Run again.")


def _result(  # noqa: PLR0913, PLR0917 -- the parts of a result
    requirement: Requirement,
    outcome: Outcome,
    cause: Cause | None,
    reason: str,
    findings: tuple[Finding, ...] = (),
    numbers: tuple[int, ...] = (),
    seconds: float = 0.0,
) -> Result:
    return Result(
        id=requirement.id,
        level=requirement.level,
        profile=requirement.profile,
        group=requirement.group,
        statement=requirement.statement,
        quote=requirement.quote,
        source=requirement.source,
        operation=requirement.operation,
        remedy=requirement.remedy,
        conditional=bool(requirement.conditional or requirement.not_judged),
        outcome=outcome,
        cause=cause,
        reason=reason,
        findings=findings,
        evidence=numbers,
        seconds=round(seconds, 4),
    )


def _coverage(exchanges: Iterable[Exchange]) -> tuple[StatusCoverage, ...]:
    """Return every documented status with how often it occurred, and every other that did."""
    counts = Counter((find_operation_id(x.method, x.path), x.status) for x in exchanges if x.status is not None)
    rows: list[StatusCoverage] = []
    for operation, documented in catalogue.documented_statuses().items():
        occurred = {status for name, status in counts if name == operation and status is not None}
        rows += [
            StatusCoverage(operation, status, status in documented, counts[operation, status])
            for status in sorted(occurred | set(documented))
        ]
    return tuple(rows)


def _timings(exchanges: Iterable[Exchange]) -> tuple[Timing, ...]:
    by_experiment: dict[str, list[Exchange]] = {}
    for x in exchanges:
        by_experiment.setdefault(x.experiment, []).append(x)
    times: dict[str, list[Sequence[Exchange]]] = {}
    for name, group in by_experiment.items():
        times.setdefault(base_name(name), []).append(group)
    return tuple(
        Timing(name, round(sum(map(_span, groups)), 4), sum(map(len, groups))) for name, groups in times.items()
    )


def _span(exchanges: Sequence[Exchange]) -> float:
    seconds = max(x.sent_at + x.elapsed for x in exchanges) - exchanges[0].sent_at
    return max(0.0, seconds)  # the suite's clock may be set back meanwhile


def _notes(evidence: Evidence) -> Iterable[str]:
    if summary := evidence.note("archive", "archived"):
        yield from archive.describe(summary)
    yield from evidence.note("reach", "doctor") or ()
    if apps_error := evidence.note("foundation", "trouble"):
        is_observing = evidence.header.settings.get("apps") == Mode.OBSERVE
        yield (
            f"No app was made: {apps_error}"
            if is_observing
            else f"The suite could not use apps of its own: {apps_error}"
        )
    apps, changing = count_changing_apps(evidence)
    if changing or (apps and evidence.header.settings.get("apps") == Mode.OBSERVE):
        yield f"{apps} apps of others were there, {changing} of them in flux: what counts is those that were stable."
    if foreign_purge := find_foreign_purge(evidence):
        between = f"between the exchanges {foreign_purge[0]} and {foreign_purge[1]}"
        yield f"Somebody else purged during the run, {between}. Run again when nobody does."
    if concurrent_reads := summarize_concurrent_reads(evidence):
        yield f"While purges were under way at the same time, readers of the list saw: {concurrent_reads}."
    if leftovers := evidence.note("demolish", "left"):
        yield f"Left over on the target; {_removal_hint(evidence)}: {', '.join(leftovers)}"
    yield from dict.fromkeys(str(note.value) for note in evidence.notes if note.name == "expired")
    cut_short = [note for note in evidence.notes if note.name in {"stopped", "lost", "interrupted", "crashed"}]
    for (experiment, why), times in Counter((base_name(note.experiment), note.value) for note in cut_short).items():
        yield f"{experiment} was cut short{f' {times} times' if times > 1 else ''}: {why}"
    yield from (note.value["reason"] for note in evidence.notes if note.name == "unusable")


def _removal_hint(evidence: Evidence) -> str:
    """Return how what a run left is deleted."""
    if evidence.header.settings.get("apps") == Mode.HOOK:
        return "delete it as the hook would"
    run = evidence.note("demolish", "run")
    return f"`purge-conformance cleanup {evidence.header.target}{f' --run {run}' if run else ''}` deletes it"


def requirements_to_judge(evidence: Evidence, profiles: Sequence[str], select: Sequence[str]) -> dict[str, Requirement]:
    """Return the requirements to judge: those named, or else those that the run was asked for.

    Raises:
        BadSetting: a glob matches nothing, or a profile is unknown.
        BadData: the header of the evidence does not say what it was asked for.
    """
    settings = evidence.header.settings
    try:
        names = profiles or settings["profiles"]
        globs = select or settings["select"]
    except KeyError as error:
        raise BadData(f"The header of the evidence has no setting {error}. Restore the file.") from None
    return {
        requirement.id: requirement
        for requirement in catalogue.select_requirements(catalogue.parse_profiles(names), globs)
    }
