"""The judged run: one result per requirement, rolled up to one verdict.

`report.json` holds this model, and every other report is written from it. The members of a requirement stand beside
those of its result.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.evidence.url_passwords import mask_passwords

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.report.defect import Defect
    from purge_conformance.report.gate import Breach, Gate

SIGNIFICANCE = 0.05  # one minus the confidence of a bound


class Outcome(StrEnum):
    """The result of one requirement, from best to worst."""

    PASSED = "passed"
    NOT_EXERCISED = "not exercised"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class Cause(StrEnum):
    """What a result other than a pass is attributed to."""

    TARGET = "target"
    CONFIGURATION = "configuration"
    AUTHENTICATION = "authentication"
    NETWORK = "network"
    RACE = "race"
    SUITE = "suite"


class Verdict(StrEnum):
    """The result of a run, about its target."""

    CONFORMANT = "conformant"
    EXCEPT_KNOWN = "conformant-except-known"  # the known failures are the only ones
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"
    PARTIAL = "partial"  # all is well in what was judged, which is not a whole profile


EXIT_CODES = {
    Verdict.CONFORMANT: 0,
    Verdict.EXCEPT_KNOWN: 0,
    Verdict.PARTIAL: 0,
    Verdict.NON_CONFORMANT: 1,
    Verdict.INCONCLUSIVE: 3,
}
BROKEN_GATE = 1  # the exit code


@dataclass(frozen=True, slots=True)
class Finding:
    """One observed violation of a requirement.

    Attributes:
        expected: what the requirement demands here.
        got: what the target did.
        exchange: number of the exchange that shows it best, or None.
        curl: one command that sends that request again, secrets as `$VARIABLE`; or None.
        script: a POSIX shell script that reproduces it, if it takes several requests; or None.
        passing_exchange: number of an exchange in which the same check passed; or None.
        apps: what is known of the apps that `expected` and `got` name by their guids, one sentence each.
        picture: lines that draw it: requests on a time axis, the steps of a sequence, or the pages of a list.
        case: the case of the requirement that it violates; None if the judgment does not say which.
        sent: the request whose answer `got` quotes, in words; None if it is not about one answer.
    """

    expected: str
    got: str
    exchange: int | None = None
    curl: str | None = None
    script: str | None = None
    passing_exchange: int | None = None
    apps: tuple[str, ...] = ()
    picture: tuple[str, ...] = ()
    case: str | None = None
    sent: str | None = None

    def __post_init__(self) -> None:
        """Mask passwords in URLs: evidence of older suites has them."""
        object.__setattr__(self, "got", mask_passwords(self.got))


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a requirement was tried, and how often it failed.

    Attributes:
        trials: how many there were; 0 if it was not tried in single trials.
        failures: how many of them failed.
        is_flaky: whether some trials of one kind failed and others of that kind passed.
    """

    trials: int = 0
    failures: int = 0
    is_flaky: bool = False

    def upper_bound(self) -> float:
        """Return the highest failure rate, at 95 % confidence, if no trial failed (Clopper-Pearson, one-sided)."""
        return float(1 - SIGNIFICANCE ** (1 / self.trials))


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one requirement.

    Attributes:
        requirement: what was judged.
        outcome: see `Outcome`.
        cause: what a result other than a pass is attributed to; None for a pass.
        reason: why it was not judged; empty for passed and failed.
        next_step: what to do so that it can be judged; empty for passed and failed. It says so where nothing helps.
        findings: at least one for a failure, none otherwise; the first 10.
        exchanges: numbers of the judged exchanges, at most 50, those of the findings first.
        seconds: how long the judgment took.
        tally: how often it was tried.
        cases: case of the requirement -> how many trials of it were judged.
        untried: case -> what it needs, of each case that was not tried and keeps nothing open.
        newer_than_evidence: whether it is not judged since the evidence was collected for an older requirement set.
        finding_count, exchange_count: how many there are; 0 in a report that does not count them.
        blocked_by: ids of the requirements whose failure is the only reason why it was not judged.
    """

    requirement: Requirement
    outcome: Outcome
    cause: Cause | None = None
    reason: str = ""
    next_step: str = ""
    findings: tuple[Finding, ...] = ()
    exchanges: tuple[int, ...] = ()
    seconds: float = 0.0
    tally: Tally = field(default_factory=Tally)
    cases: dict[str, int] = field(default_factory=dict)
    untried: dict[str, str] = field(default_factory=dict)
    newer_than_evidence: bool = False
    finding_count: int = 0
    exchange_count: int = 0
    blocked_by: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id of the requirement."""
        return self.requirement.id

    @property
    def level(self) -> Level:
        """The level of the requirement."""
        return self.requirement.level

    @property
    def profile(self) -> Profile:
        """The profile of the requirement."""
        return self.requirement.profile

    @property
    def statement(self) -> str:
        """The normative sentence."""
        return self.requirement.statement

    @property
    def is_conditional(self) -> bool:
        """Whether a run without an occasion for it is still complete."""
        return bool(self.requirement.conditional or self.requirement.not_judged or self.newer_than_evidence)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requirements were to be judged.

    Attributes:
        profiles: their names, as the user gave them.
        select: globs of ids, or the ids that pytest's own selection left; empty: all requirements of the profiles.
        musts: how many MUSTs the profiles have, whatever `select` and `observe-only` leave out.
    """

    profiles: tuple[str, ...] = (str(Profile.CORE),)
    select: tuple[str, ...] = ()
    musts: int = 0

    @property
    def reads_only(self) -> bool:
        """Whether it has only requirements that need no purge."""
        return Profile.OBSERVE_ONLY in self.profiles

    @property
    def is_partial(self) -> bool:
        """Whether it is less than whole profiles; a selection always is, also one of all requirements."""
        return bool(self.select) or self.reads_only


CORE = Scope()


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How often one operation answered with one status."""

    operation: str
    status: int
    documented: bool
    count: int


@dataclass(frozen=True, slots=True)
class Timing:
    """The duration of one scenario in seconds, and how many requests it sent."""

    scenario: str
    seconds: float
    requests: int


@dataclass(frozen=True, slots=True)
class Run:
    """One judged run of the suite against one target.

    Attributes:
        suite_version: version of this package that judged.
        spec_version: version of `openapi.yaml`, which is that of all of `spec/`.
        spec_digests: file of `spec/` -> SHA-256.
        target: base URL.
        settings: the settings of the run, without secrets.
        started_at, finished_at: RFC 3339, UTC; first and last record of the evidence.
        requests: how many were sent.
        purges: how many were sent with an admin token.
        requirements: one result each, in the order of `requirements.yaml`.
        statuses: every documented status, and every other that occurred.
        timings: one per scenario, in the order of the run.
        notes: what else a reader must know, one sentence each.
        verdict: see `roll_up`.
        scope: which requirements were to be judged.
        defects: what looks like the root causes of the failures.
        gate: what the user promised, and whether it was kept; None: nothing was promised.
        cut_short: whether the run did not end in order, so that it has no other verdict than inconclusive.
    """

    suite_version: str
    spec_version: str
    spec_digests: dict[str, str]
    target: str
    settings: dict[str, Any]
    started_at: str
    finished_at: str
    requests: int
    purges: int
    requirements: tuple[Result, ...]
    statuses: tuple[StatusCount, ...]
    timings: tuple[Timing, ...]
    notes: tuple[str, ...]
    verdict: Verdict
    scope: Scope = CORE
    defects: tuple[Defect, ...] = ()
    gate: Gate | None = None
    cut_short: bool = False

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the requirements that a known failure excuses."""
        return frozenset(self.gate.excuses if self.gate else ())

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """Why the gate is broken; empty if it was kept, or if nothing was promised."""
        return self.gate.breaches if self.gate else ()

    @property
    def exit_code(self) -> int:
        """The exit code of a command that judged: of a run that was cut short, of a broken gate, or of the verdict."""
        return BROKEN_GATE if self.breaches and not self.cut_short else EXIT_CODES[self.verdict]

    def counts(self) -> dict[Outcome, int]:
        """Return how many requirements had each outcome, zeros included, worst first."""
        counter = Counter(r.outcome for r in self.requirements)
        return {outcome: counter[outcome] for outcome in reversed(Outcome)}


def roll_up(results: Iterable[Result], scope: Scope = CORE, excused: Collection[str] = ()) -> Verdict:
    """Return the verdict: only a MUST decides, and only a pass counts as a pass.

    What is less than a whole profile is at best partial, also if it has no MUST.

    Args:
        results: of the run.
        scope: which requirements were to be judged.
        excused: ids of those that a known failure excuses.
    """
    musts = [r for r in results if r.level is Level.MUST]
    open_musts = [r for r in musts if r.id not in excused]
    if any(r.outcome is Outcome.FAILED for r in open_musts):
        return Verdict.NON_CONFORMANT
    if any(map(is_undecided, open_musts)):
        return Verdict.INCONCLUSIVE
    if scope.is_partial:
        return Verdict.PARTIAL
    if not musts:
        return Verdict.INCONCLUSIVE
    return Verdict.CONFORMANT if len(open_musts) == len(musts) else Verdict.EXCEPT_KNOWN


def is_undecided(result: Result) -> bool:
    """Whether this result, which is no failure, keeps the verdict from being conformant, unless it is excused."""
    if result.level is not Level.MUST:
        return False
    if result.outcome is Outcome.NOT_EXERCISED:
        return not result.is_conditional
    return result.outcome is Outcome.INCONCLUSIVE


def is_red(result: Result) -> bool:
    """Whether this result makes the exit code other than 0, unless it is excused: a MUST that failed or is open."""
    return is_undecided(result) or (result.outcome is Outcome.FAILED and result.level is Level.MUST)


def is_red_as_a_whole(run: Run, shown: Iterable[Result]) -> bool:
    """Whether the exit code is not 0 although nothing that is shown is red, for example of a run that was cut short.

    Args:
        run: what was judged.
        shown: the results that a reader sees, beside the breaches of the gate.
    """
    is_shown = run.breaches or any(is_red(r) for r in shown if r.id not in run.excused)
    return run.exit_code != 0 and not is_shown
