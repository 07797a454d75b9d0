"""The kill matrix: the results of the runs against all servers, their problems, and two rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from purge_conformance.report.model import Cause, Outcome, is_undecided
from purge_conformance.report.symptoms import features_of
from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from purge_conformance.report.model import Result, Run
    from purge_conformance.selfcheck.mutants import Server

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one server.

    Attributes:
        server: the judged server.
        failed: ids of the requirements of the server's profiles that failed.
        undecided: ids of the MUST requirements that were not judged.
        error: an error of the suite itself, or empty.
        companions: names of the other faults of the same group.
        seconds: the duration of the run, while others run at the same time.
        requests: how many requests the run sent.
        purges: how many purges the run sent.
        symptoms: what the failures of its own requirements look like, see `report.symptoms`.
        earlier_problems: of a first run, where two further runs had none.
    """

    server: Server
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    error: str = ""
    companions: tuple[str, ...] = ()
    seconds: float = 0.0
    requests: int = 0
    purges: int = 0
    symptoms: frozenset[str] = frozenset()
    earlier_problems: tuple[str, ...] = ()

    @property
    def killed_by(self) -> tuple[str, ...]:
        """The requirements of the fault that failed."""
        return tuple(name for name in self.failed if name in self.server.fails)

    @property
    def unexpected_failures(self) -> tuple[str, ...]:
        """The requirements that failed unexpectedly; for a conforming server they are false alarms."""
        return tuple(name for name in self.failed if name not in self.server.fails)

    @property
    def is_fault(self) -> bool:
        """Whether the server has a fault, and is not a conforming one."""
        return self.server.kind is Kind.FAULT

    def problems(self) -> Iterator[str]:
        """Yield each problem, as a phrase that follows the name of the server."""
        missing = [name for name in self.server.fails if name not in self.failed]
        if self.error:
            yield f"could not be judged: {self.error}"
        elif self.is_fault and not self.killed_by:
            yield f"survived: {join_ids(self.server.fails)} did not fail"
        elif missing:
            yield f"was expected to fail {join_ids(missing)}, and did not"
        if unexpected := join_ids(self.unexpected_failures):
            yield f"also failed {unexpected}" if self.is_fault else f"conforms, and failed {unexpected}: a false alarm"
        if not self.is_fault and not self.error:
            yield from self._undeclared_undecided()

    def _undeclared_undecided(self) -> Iterator[str]:
        declared, undecided = set(self.server.undecided), set(self.undecided)
        if extra := sorted(undecided - declared):
            yield f"did not decide {join_ids(extra)}, which spec/variants.yaml does not declare"
        if unneeded := sorted(declared - undecided):
            yield f"decided {join_ids(unneeded)}, although spec/variants.yaml declares that it cannot"


@dataclass(frozen=True, slots=True)
class Rate:
    """A count and the total that it is part of."""

    count: int
    total: int

    @property
    def percent(self) -> str:
        """The rate as text, for example `98.8 %`."""
        return f"{100 * self.count / self.total:.4g} %" if self.total else "none"


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows of one selfcheck.

    Attributes:
        suite: version of this package.
        spec_version: version of `spec/`.
        spec: file of `spec/` -> SHA-256.
        seed: seed of the generated cases.
        only: globs of `--only`; empty if the matrix is complete.
        started_at: RFC 3339, UTC.
        seconds: duration of the selfcheck.
        jobs: number of concurrent runs.
        rows: one per server, in the order of `mutants.select_servers`.
    """

    suite: str
    spec_version: str
    spec: dict[str, str]
    seed: int
    only: tuple[str, ...]
    started_at: str
    seconds: float
    jobs: int
    rows: tuple[Row, ...]

    @property
    def faults(self) -> tuple[Row, ...]:
        """The rows of servers with a fault."""
        return tuple(row for row in self.rows if row.is_fault)

    @property
    def conforming(self) -> tuple[Row, ...]:
        """The rows of conforming servers: the faultless one and the variants."""
        return tuple(row for row in self.rows if not row.is_fault)

    @property
    def killed(self) -> Rate:
        """How many faults failed one of their own requirements."""
        return Rate(sum(bool(row.killed_by) for row in self.faults), len(self.faults))

    @property
    def false_alarms(self) -> Rate:
        """How many conforming servers failed a requirement."""
        return Rate(sum(bool(row.unexpected_failures) for row in self.conforming), len(self.conforming))

    def problems(self) -> list[tuple[Row, str]]:
        """Return all problems, with their rows."""
        return [(row, problem) for row in self.rows for problem in row.problems()]

    @property
    def unsteady(self) -> tuple[Row, ...]:
        """The rows whose first run had a problem that two further runs did not have."""
        return tuple(row for row in self.rows if row.earlier_problems)

    def faults_by_group(self) -> dict[str, tuple[Row, ...]]:
        """Return the rows of faults by their heading, in the order of `spec/`."""
        names = dict.fromkeys(row.server.group for row in self.faults)
        return {name: tuple(row for row in self.faults if row.server.group == name) for name in names}

    def kills_by_requirement(self) -> dict[str, tuple[Row, ...]]:
        """Return requirement id -> rows of the faults that it killed."""
        names = sorted({name for row in self.faults for name in row.killed_by})
        return {name: tuple(row for row in self.faults if name in row.killed_by) for name in names}


def rows_from_run(group: Sequence[Server], run: Run, seconds: float) -> list[Row]:
    """Return one row per server of a group, from the judged run against it."""
    return [_row_from_run(server, [other for other in group if other is not server], run, seconds) for server in group]


def _row_from_run(server: Server, companions: Sequence[Server], run: Run, seconds: float) -> Row:
    results = [r for r in run.requirements if r.profile in server.profiles]
    suite_errors = [r for r in results if r.outcome is Outcome.INCONCLUSIVE and r.cause is Cause.SUITE]
    expected_by_companions = {name for other in companions for name in other.fails}
    return Row(
        server,
        failed=tuple(r.id for r in results if r.outcome is Outcome.FAILED and r.id not in expected_by_companions),
        undecided=tuple(r.id for r in results if is_undecided(r)),
        error=f"{suite_errors[0].id}: {suite_errors[0].reason}" if suite_errors else "",
        companions=tuple(other.name for other in companions),
        seconds=round(seconds, 2),
        requests=run.requests,
        purges=run.purges,
        symptoms=frozenset().union(*(_symptoms(r, run) for r in results if r.id in server.fails)),
    )


def _symptoms(result: Result, run: Run) -> frozenset[str]:
    sent = [defect.sent for defect in run.defects if result.id in defect.requirements]
    return frozenset(features_of(result.id, result.findings, sent) if result.findings else ())


def to_dict(matrix: Matrix) -> dict[str, Any]:
    """Return the content of `matrix.json`."""
    return {
        "format": FORMAT,
        "suite": matrix.suite,
        "spec_version": matrix.spec_version,
        "spec": matrix.spec,
        "seed": matrix.seed,
        "only": list(matrix.only),
        "started_at": matrix.started_at,
        "seconds": matrix.seconds,
        "jobs": matrix.jobs,
        "killed": {"count": matrix.killed.count, "of": matrix.killed.total},
        "false_alarms": {"count": matrix.false_alarms.count, "of": matrix.false_alarms.total},
        "rows": [_row_to_dict(row) for row in matrix.rows],
    }


def _row_to_dict(row: Row) -> dict[str, Any]:
    return {
        "name": row.server.name,
        "kind": str(row.server.kind),
        "group": row.server.group,
        "summary": row.server.summary,
        "variants": list(row.server.variants),
        "must_fail": list(row.server.fails),
        "failed": list(row.failed),
        "undecided": list(row.undecided),
        "problems": list(row.problems()),
        "beside": list(row.companions),
        "seconds": row.seconds,
        "requests": row.requests,
        "purges": row.purges,
        **({"symptoms": sorted(row.symptoms)} if row.symptoms else {}),
        **({"earlier_problems": list(row.earlier_problems)} if row.earlier_problems else {}),
    }


def join_ids(ids: Iterable[str]) -> str:
    """Return the ids in one line."""
    return ", ".join(ids)
