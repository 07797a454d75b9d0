"""What a run amounts to: one result a requirement, rolled up to one verdict.

`report.json` is this model, field by field; every other report is written from it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.model import Level, Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1
SIGNIFICANCE = 0.05  # of a bound: one minus its confidence


class Outcome(StrEnum):
    """What became of one requirement, from best to worst."""

    PASSED = "passed"
    NOT_EXERCISED = "not exercised"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class Cause(StrEnum):
    """What a non-pass is put down to."""

    TARGET = "target"
    CONFIGURATION = "configuration"
    AUTHENTICATION = "authentication"
    NETWORK = "network"
    RACE = "race"
    SUITE = "suite"


class Verdict(StrEnum):
    """What a run says of its target."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"


EXIT_CODES = {Verdict.CONFORMANT: 0, Verdict.NON_CONFORMANT: 1, Verdict.INCONCLUSIVE: 3}


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a requirement was seen to be broken.

    Attributes:
        expected: what the requirement asks for here.
        got: what the target did.
        exchange: number of the exchange that shows it best, or None.
        curl: one command that sends that request again, secrets as `$VARIABLE`; or None.
        script: where it takes several requests, a script for a POSIX shell that sends them; or None.
        passing: number of the exchange of another trial of the same kind, which passed; or None.
    """

    expected: str
    got: str
    exchange: int | None = None
    curl: str | None = None
    script: str | None = None
    passing: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a requirement was tried, and how often that failed.

    Attributes:
        trials: how many there were; 0 where it was not tried in single trials.
        failures: how many of them failed.
        is_flaky: whether of trials of one kind some failed and some passed.
    """

    trials: int = 0
    failures: int = 0
    is_flaky: bool = False

    def upper_bound(self) -> float:
        """Return the failure rate that none of so many trials leaves possible, at 95 % (Clopper-Pearson, one-sided)."""
        return float(1 - SIGNIFICANCE ** (1 / self.trials))


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one requirement.

    Attributes:
        id, level, profile, group, statement, quote, source, operation, remedy: as in `requirements.yaml`.
        conditional: whether it can only be judged on an occasion that nobody can provoke.
        outcome: see `Outcome`.
        cause: what a non-pass is put down to; None for a pass.
        reason: why it was not judged; empty for passed and failed.
        findings: at least one for a failure, none otherwise.
        evidence: numbers of the exchanges that were judged, at most 50, the telling ones first.
        seconds: what the judgment took.
        tally: how often it was tried.
    """

    id: str
    level: Level
    profile: Profile
    group: str
    statement: str
    quote: str
    source: str
    operation: str
    remedy: str
    conditional: bool
    outcome: Outcome
    cause: Cause | None = None
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[int, ...] = ()
    seconds: float = 0.0
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class StatusCoverage:
    """How often one status of one operation occurred."""

    operation: str
    status: int
    documented: bool
    count: int


@dataclass(frozen=True, slots=True)
class Timing:
    """What one experiment took: seconds from its first request to its last answer, and how many requests."""

    experiment: str
    seconds: float
    requests: int


@dataclass(frozen=True, slots=True)
class Run:
    """One judged run of the suite against one target: the canonical report.

    Attributes:
        suite: version of this package that judged.
        spec_version: version of `openapi.yaml`, which is that of all of `spec/`.
        spec: file of `spec/` -> sha256, as judged by.
        target: base URL.
        settings: what the run was asked for, without secrets.
        started_at, finished_at: RFC 3339, UTC; first and last record of the evidence.
        requests, purges: how many were sent; purges are those that reached the target with an admin's token.
        requirements: one result each, in the order of `requirements.yaml`.
        coverage: which documented statuses occurred.
        timings: one an experiment, in the order of the run.
        notes: what else a reader must know, one sentence each.
        verdict: see `roll_up`.
    """

    suite: str
    spec_version: str
    spec: dict[str, str]
    target: str
    settings: dict[str, Any]
    started_at: str
    finished_at: str
    requests: int
    purges: int
    requirements: tuple[Result, ...]
    coverage: tuple[StatusCoverage, ...]
    timings: tuple[Timing, ...]
    notes: tuple[str, ...]
    verdict: Verdict
    format: int = field(default=FORMAT)

    def counts(self) -> dict[Outcome, int]:
        """Return how many requirements had each outcome, zeros included, worst first."""
        counter = Counter(r.outcome for r in self.requirements)
        return {outcome: counter[outcome] for outcome in reversed(Outcome)}


def roll_up(results: Iterable[Result]) -> Verdict:
    """Return the verdict: only a MUST decides, and nothing that was not judged passes for a pass."""
    musts = [r for r in results if r.level is Level.MUST]
    if any(r.outcome is Outcome.FAILED for r in musts):
        return Verdict.NON_CONFORMANT
    if not musts or any(map(is_undecided, musts)):
        return Verdict.INCONCLUSIVE
    return Verdict.CONFORMANT


def is_undecided(result: Result) -> bool:
    """Whether this requirement alone keeps a verdict from being conformant without having failed."""
    if result.level is not Level.MUST:
        return False
    if result.outcome is Outcome.NOT_EXERCISED:
        return not result.conditional
    return result.outcome is Outcome.INCONCLUSIVE


def to_dict(run: Run) -> dict[str, Any]:
    """Return the run as `report.json` holds it."""
    data: dict[str, Any] = _plain(run)
    return data


def _plain(value: Any) -> Any:  # noqa: ANN401 -- any part of a run
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}


def from_dict(data: dict[str, Any]) -> Run:
    """Return the run that `report.json` holds; the data must be valid against `report.schema.json`."""
    rows = {
        "requirements": tuple(_result(row) for row in data["requirements"]),
        "coverage": tuple(StatusCoverage(**row) for row in data["coverage"]),
        "timings": tuple(Timing(**row) for row in data["timings"]),
        "notes": tuple(data["notes"]),
        "verdict": Verdict(data["verdict"]),
    }
    return Run(**{**data, **rows})


def _result(row: dict[str, Any]) -> Result:
    values = {
        "level": Level(row["level"]),
        "profile": Profile(row["profile"]),
        "outcome": Outcome(row["outcome"]),
        "cause": Cause(row["cause"]) if row["cause"] else None,
        "findings": tuple(Finding(**finding) for finding in row["findings"]),
        "evidence": tuple(row["evidence"]),
        "tally": Tally(**row.get("tally", {})),
    }
    return Result(**{**row, **values})
