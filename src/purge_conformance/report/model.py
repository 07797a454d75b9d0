"""The judged run: one result per requirement, rolled up to one verdict.

`report.json` holds this model, and every other report is written from it. The members of a requirement stand beside
those of its result.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.model import Level, Profile, Requirement, Source
from purge_conformance.evidence.url_passwords import mask_passwords
from purge_conformance.report.defect import Defect

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = 2
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
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"
    PARTIAL = "partial"  # all is well in what was judged, which is not a whole profile


EXIT_CODES = {Verdict.CONFORMANT: 0, Verdict.PARTIAL: 0, Verdict.NON_CONFORMANT: 1, Verdict.INCONCLUSIVE: 3}


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
    """

    expected: str
    got: str
    exchange: int | None = None
    curl: str | None = None
    script: str | None = None
    passing_exchange: int | None = None

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
        findings: at least one for a failure, none otherwise.
        exchanges: numbers of the judged exchanges, at most 50, those of the findings first.
        seconds: how long the judgment took.
        tally: how often it was tried.
        cases: case of the requirement -> how many trials of it were judged.
        untried: case -> what it needs, of each case that was not tried and keeps nothing open.
        newer_than_evidence: whether it is not judged since the evidence was collected for an older requirement set.
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

    def counts(self) -> dict[Outcome, int]:
        """Return how many requirements had each outcome, zeros included, worst first."""
        counter = Counter(r.outcome for r in self.requirements)
        return {outcome: counter[outcome] for outcome in reversed(Outcome)}


def roll_up(results: Iterable[Result], scope: Scope = CORE) -> Verdict:
    """Return the verdict: only a MUST decides, and only a pass counts as a pass.

    What is less than a whole profile is at best partial, also if it has no MUST.
    """
    musts = [r for r in results if r.level is Level.MUST]
    if any(r.outcome is Outcome.FAILED for r in musts):
        return Verdict.NON_CONFORMANT
    if any(map(is_undecided, musts)):
        return Verdict.INCONCLUSIVE
    if scope.is_partial:
        return Verdict.PARTIAL
    return Verdict.CONFORMANT if musts else Verdict.INCONCLUSIVE


def is_undecided(result: Result) -> bool:
    """Whether this result, which is no failure, keeps the verdict from being conformant."""
    if result.level is not Level.MUST:
        return False
    if result.outcome is Outcome.NOT_EXERCISED:
        return not result.is_conditional
    return result.outcome is Outcome.INCONCLUSIVE


def is_red(result: Result) -> bool:
    """Whether this result alone makes the exit code other than 0: a MUST that failed or keeps the verdict open."""
    return is_undecided(result) or (result.outcome is Outcome.FAILED and result.level is Level.MUST)


def is_red_as_a_whole(run: Run) -> bool:
    """Whether the exit code is not 0 although no requirement is red, for example because the run was cut short."""
    return EXIT_CODES[run.verdict] != 0 and not any(map(is_red, run.requirements))


# The members of a requirement that `report.json` holds.
REQUIREMENT_FIELDS = (
    *("id", "level", "profile", "since", "group", "statement", "quote", "source", "operation", "shown_by", "remedy"),
    *("conditional", "not_judged"),
)


def to_dict(run: Run) -> dict[str, Any]:
    """Return the run as `report.json` holds it."""
    return {"schema": SCHEMA, **_plain(run)}


def _plain(value: Any) -> Any:  # noqa: ANN401 -- any part of a run
    if isinstance(value, Result):
        members = {name: getattr(value.requirement, name) for name in REQUIREMENT_FIELDS}
        return _plain(members | {each.name: getattr(value, each.name) for each in fields(value)[1:]})
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def from_dict(data: dict[str, Any]) -> Run:
    """Return the run that `report.json` holds; the data must be valid against `report.schema.json`.

    Of each requirement it has the members that the file holds: no cases, and nothing that the requirement depends on.
    """
    rows = {
        "requirements": tuple(_result(row) for row in data["requirements"]),
        "statuses": tuple(StatusCount(**row) for row in data["statuses"]),
        "timings": tuple(Timing(**row) for row in data["timings"]),
        "notes": tuple(data["notes"]),
        "verdict": Verdict(data["verdict"]),
        "scope": _scope(data["scope"]),
        "defects": tuple(map(_defect, data.get("defects", ()))),
    }
    return Run(**{name: value for name, value in {**data, **rows}.items() if name != "schema"})


def _scope(row: dict[str, Any]) -> Scope:
    return Scope(tuple(row["profiles"]), tuple(row["select"]), row["musts"])


def _defect(row: dict[str, Any]) -> Defect:
    return Defect(**row | {"requirements": tuple(row["requirements"]), "exchanges": tuple(row["exchanges"])})


def _result(row: dict[str, Any]) -> Result:
    values = {
        "outcome": Outcome(row["outcome"]),
        "cause": Cause(row["cause"]) if row["cause"] else None,
        "findings": tuple(Finding(**finding) for finding in row["findings"]),
        "exchanges": tuple(row["exchanges"]),
        "tally": Tally(**row["tally"]),
    }
    members = {name: value for name, value in row.items() if name not in REQUIREMENT_FIELDS}
    return Result(**{"requirement": _requirement(row), **members, **values})


def _requirement(row: dict[str, Any]) -> Requirement:
    values = {"level": Level(row["level"]), "profile": Profile(row["profile"]), "source": Source(**row["source"])}
    return Requirement(**{name: row[name] for name in REQUIREMENT_FIELDS} | values)
