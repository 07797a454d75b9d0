"""From the end of each judgment to one judged run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.analysis.defects import find_defects
from purge_conformance.analysis.foreign_purges import find_foreign_purge
from purge_conformance.analysis.next_steps import AFTER_KILL
from purge_conformance.analysis.outcomes import (
    AttributableViolation,
    Inconclusive,
    NotExercised,
    PrerequisiteFailed,
    RequirementViolated,
    Undecided,
)
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import is_purge
from purge_conformance.catalogue.model import Disturbance
from purge_conformance.config.roles import ADMIN
from purge_conformance.engine.cases import open_case, with_cases
from purge_conformance.engine.findings import complete
from purge_conformance.engine.next_steps import NO_RUN_CAN, after_fixing, default_next_step, name_failures
from purge_conformance.engine.prerequisites import has_crashed, judge
from purge_conformance.engine.run_facts import count_statuses, measure_scenarios, run_notes
from purge_conformance.engine.scope import not_collected
from purge_conformance.engine.scripts import with_script
from purge_conformance.engine.tolerance import judge_again, with_findings
from purge_conformance.engine.untried import explain, or_refusal, or_silent_purges
from purge_conformance.evidence import clock, notes
from purge_conformance.evidence.ending import describe_kill
from purge_conformance.evidence.safe_text import capitalize
from purge_conformance.report.gate import merge_gates
from purge_conformance.report.model import CORE, Cause, Outcome, Result, Run, Scope, Verdict, is_red, roll_up
from purge_conformance.report.nearest import with_nearest_fault
from purge_conformance.report.text import enumerate_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.gate import Gate
    from purge_conformance.report.known_failures import KnownFailures

MAX_EXCHANGES = 50  # that a result names
NO_REPORT = Inconclusive("No judgment reported on it.", Cause.SUITE, "Run again; if it stays so, report it.")
STOPPED_EARLY = Inconclusive(
    "pytest stopped before it was judged.",
    Cause.CONFIGURATION,
    "Judge the evidence again, without -x, --maxfail or --sw.",
)


@dataclass
class RunBuilder:
    """Collects the results of one run, judgment by judgment.

    Attributes:
        evidence: what is judged.
        expected: the requirements to judge and to report, by id.
        results: id -> result.
        ends: id -> how its judgment ended, before anything excused it; also of requirements that are not reported, and
            that others rest on.
        missing: how the judgments end that reported nothing.
        scope: that of `expected`, for the verdict.
        known: the known failures, or None.
        promises: what else the user promised; each returns what became of it in a run, whose verdict and gate are not
            known yet.
    """

    evidence: Evidence
    expected: dict[str, Requirement]
    results: dict[str, Result] = field(default_factory=dict)
    ends: dict[str, BaseException | None] = field(default_factory=dict)
    missing: Inconclusive = NO_REPORT
    scope: Scope = CORE
    known: KnownFailures | None = None
    promises: tuple[Callable[[Run], Gate], ...] = ()

    def expect_only(self, names: Iterable[str]) -> None:
        """Expect only these judgments, as pytest's own selection may have left out others: then they are a selection.

        What has no judgment stays expected only if nothing was left out.
        """
        selected = set(names)
        if any(name not in selected and not r.not_judged for name, r in self.expected.items()):
            self.expected = {name: r for name, r in self.expected.items() if name in selected}
            self.scope = replace(self.scope, select=tuple(self.expected))

    def record(
        self,
        name: str,
        error: BaseException | None,
        view: JudgmentView | None,
        seconds: float,
    ) -> Result:
        """Record the end of one judgment, which is an exception or None, and return its result.

        Args:
            name: id of the requirement.
            error: what the judgment raised; None if it passed.
            view: what it read and counted; None if it did not begin.
            seconds: how long it took.
        """
        self.ends[name] = error
        requirement = self.expected[name]
        view = view or JudgmentView(self.evidence)
        if error is None or isinstance(error, Undecided):
            error = not_collected(self.evidence, requirement) or error
        error = open_case(requirement, view) if error is None else explain(requirement, error, view)
        error = or_silent_purges(requirement, or_refusal(error, view), view, self._end)
        result = with_cases(_result(requirement, self._excuse(requirement, error)), view)
        findings = tuple(complete(finding, requirement, view) for finding in result.findings)
        finding_numbers = [number for each in findings for number in (each.exchange, each.passing_exchange)]
        numbers = [number for number in finding_numbers if number is not None]
        every = tuple(dict.fromkeys([*numbers, *view.read_exchanges]))
        result = replace(result, findings=findings, exchanges=every[:MAX_EXCHANGES], exchange_count=len(every))
        result = replace(result, seconds=round(seconds, 4))
        if result.outcome in {Outcome.PASSED, Outcome.FAILED}:
            result = replace(result, tally=view.tally)
        if result.outcome is Outcome.FAILED:
            result = with_script(self._with_findings_behind(result), self.evidence)
        self.results[name] = result
        return result

    def _with_findings_behind(self, result: Result) -> Result:
        """Return a failure with what the judgment finds behind a known failure of one case."""
        again = judge_again(result, self.known, self.evidence)
        if again is None:
            return result
        end, view = again
        requirement = result.requirement
        found = _result(requirement, self._excuse(requirement, end)) if isinstance(end, RequirementViolated) else None
        findings = found.findings if found else ()
        return with_findings(result, tuple(complete(each, requirement, view) for each in findings), view)

    def build(self) -> Run:
        """Return the judged run; a requirement that no judgment reported on is inconclusive, caused by the suite."""
        run = self._run()
        gates = [promise(run) for promise in self.promises]
        if self.known:
            gates.insert(0, self.known.gate(run, self._unreported(run)))
        run = replace(run, gate=merge_gates(gates))
        return run if run.cut_short else replace(run, verdict=roll_up(run.requirements, run.scope, run.excused))

    def is_red(self, result: Result) -> bool:
        """Whether a result makes the exit code other than 0, as far as that is known before the run is judged."""
        return is_red(result) and not (self.known and self.known.may_excuse(result, self._day))

    @property
    def _day(self) -> date:
        """The last day of the run."""
        last = max((x.sent_at + x.elapsed for x in self.evidence.exchanges), default=None)
        return date.fromisoformat((clock.format_rfc3339(last) if last else self.evidence.header.started_at)[:10])

    def _unreported(self, run: Run) -> list[Result]:
        """Return the failures that keep others from being judged, of requirements that the run does not report."""
        names = {name for result in run.requirements for name in result.blocked_by} - self.expected.keys()
        return [self._failure(_requirement(name), self._end(name)) for name in sorted(names)]

    def _failure(self, requirement: Requirement, error: BaseException | None) -> Result:
        result, view = _result(requirement, error), JudgmentView(self.evidence)
        return replace(result, findings=tuple(complete(each, requirement, view) for each in result.findings))

    def _run(self) -> Run:
        """Return the run before the promises are looked at: inconclusive, without a gate."""
        exchanges = self.evidence.exchanges
        results = name_failures(
            [self.results.get(name) or self._missing_result(self.expected[name]) for name in self.expected]
        )
        last = max((x.sent_at + x.elapsed for x in exchanges), default=None)
        header = self.evidence.header
        return Run(
            suite_version=__version__,
            spec_version=str(catalogue.document(catalogue.OPENAPI)["info"]["version"]),
            spec_digests=catalogue.digests(),
            target=header.target,
            settings=header.settings,
            started_at=header.started_at,
            finished_at=clock.format_rfc3339(last) if last else header.started_at,
            requests=len(exchanges),
            purges=sum(is_purge(x.method, x.path) and x.role == ADMIN for x in exchanges),
            requirements=results,
            statuses=count_statuses(exchanges),
            timings=measure_scenarios(exchanges),
            notes=self._notes,
            verdict=Verdict.INCONCLUSIVE,
            scope=self.scope,
            defects=tuple(with_nearest_fault(each, results) for each in find_defects(results, exchanges)),
            cut_short=_is_cut_short(self.evidence),
        )

    def _missing_result(self, requirement: Requirement) -> Result:
        if requirement.not_judged:
            return _undecided(
                requirement, Outcome.NOT_EXERCISED, NotExercised(requirement.not_judged, Cause.SUITE, NO_RUN_CAN)
            )
        return _undecided(requirement, Outcome.INCONCLUSIVE, self.missing)

    def _excuse(self, requirement: Requirement, error: BaseException | None) -> BaseException | None:
        """Return how the judgment ends once its prerequisites and the disturbances of the run are considered."""
        if isinstance(error, PrerequisiteFailed):
            return self._not_judged(error.reason, [*requirement.all_prerequisites(), *requirement.assumes])
        if has_crashed(error) and (killed := describe_kill(self.evidence)):
            return Inconclusive(killed, Cause.CONFIGURATION, AFTER_KILL)  # the evidence ends where none else does
        if not isinstance(error, RequirementViolated):
            return error
        prerequisites = requirement.prerequisites(error.case)
        if self._violated(prerequisites):
            return self._not_judged("", prerequisites)
        if crashed := [name for name in prerequisites if has_crashed(self._end(name))]:
            return _unknown_prerequisites(crashed)
        can_be_disturbed = Disturbance.FOREIGN_PURGE in requirement.disturbed_by
        if can_be_disturbed and not isinstance(error, AttributableViolation) and self._foreign_purge:
            return _disturbed(error, *self._foreign_purge)
        return error

    def _not_judged(self, phrase: str, prerequisites: Iterable[str]) -> Inconclusive:
        """Return that the violated ones of these prerequisites prevent a judgment.

        If another client's purge excuses each of them, it prevents the judgment too.
        """
        violated = self._violated(prerequisites)
        excuses = [self._excuse(_requirement(name), self.ends[name]) for name in violated]
        races = [each for each in excuses if isinstance(each, Inconclusive) and each.cause is Cause.RACE]
        if violated and len(races) == len(violated):
            reason = f"{_prerequisites_failed(phrase, violated)} Another client purged during the run."
            return Inconclusive(reason, Cause.RACE, races[0].next_step)
        if not violated and self._foreign_purge:
            words = f"{phrase[:1].upper()}{phrase[1:]}"
            return Inconclusive(f"{words}. Another client purged during the run.", Cause.RACE)
        return Inconclusive(_prerequisites_failed(phrase, violated), Cause.TARGET, after_fixing(violated), violated)

    def _violated(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of the requirements whose judgments fail, running the ones that have not ended yet."""
        return tuple(name for name in dict.fromkeys(names) if isinstance(self._end(name), RequirementViolated))

    def _end(self, name: str) -> BaseException | None:
        if name not in self.ends:
            self.ends[name] = judge(name, JudgmentView(self.evidence))
        return self.ends[name]

    @cached_property
    def _notes(self) -> tuple[str, ...]:
        return tuple(run_notes(self.evidence))

    @cached_property
    def _foreign_purge(self) -> tuple[int, int] | None:
        return find_foreign_purge(self.evidence)


def _is_cut_short(evidence: Evidence) -> bool:
    """Whether the run did not end in order: later evidence could have changed what the earlier evidence means."""
    is_ended = evidence.noted(notes.INTERRUPTED) or evidence.noted(notes.LOST) or evidence.noted(notes.REFUSAL)
    return bool(is_ended or describe_kill(evidence))


def _requirement(name: str) -> Requirement:
    return next(each for each in catalogue.requirements() if each.id == name)


def _prerequisites_failed(phrase: str, violated: Sequence[str]) -> str:
    """Return a reason: the clause of a judgment, if it gives one, and the prerequisites that are violated."""
    if not phrase:
        return f"Not judged: {enumerate_ids(violated, 'and')}, which it depends on, failed."
    ids = f" ({enumerate_ids(violated)})" if violated else ""
    return f"{capitalize(phrase)}{ids}."


def _unknown_prerequisites(crashed: Sequence[str]) -> Inconclusive:
    ids = enumerate_ids(crashed, "and")
    return Inconclusive(f"Not judged: the judgment of {ids}, which it depends on, crashed.", Cause.SUITE)


def _disturbed(error: RequirementViolated, first: int, last: int) -> Inconclusive:
    finding = error.findings[0]
    message = f"expected {finding.expected}; got {finding.got}"
    return Inconclusive(
        f"Another client purged during the run, between exchanges {first} and {last}; {message}.", Cause.RACE
    )


def _result(requirement: Requirement, error: BaseException | None) -> Result:
    match error:
        case None:
            return Result(requirement, Outcome.PASSED)
        case RequirementViolated():
            return Result(requirement, Outcome.FAILED, Cause.TARGET, findings=error.findings, finding_count=error.total)
        case NotExercised():
            return _undecided(requirement, Outcome.NOT_EXERCISED, error)
        case Undecided():
            return _undecided(requirement, Outcome.INCONCLUSIVE, error)
        case _:
            reason = f"The judgment itself failed ({type(error).__name__}: {error})."
            return _undecided(requirement, Outcome.INCONCLUSIVE, Inconclusive(reason, Cause.SUITE))


def _undecided(requirement: Requirement, outcome: Outcome, error: Undecided) -> Result:
    next_step = error.next_step or default_next_step(outcome, error.cause)
    return Result(requirement, outcome, error.cause, error.reason, next_step, blocked_by=error.blocked_by)
