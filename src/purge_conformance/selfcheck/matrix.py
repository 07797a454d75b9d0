"""The kill matrix: what the runs against all subjects came to, what is wrong with that, and the two rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from purge_conformance.report.model import Cause, Outcome, is_undecided
from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.report.model import Run
    from purge_conformance.selfcheck.mutants import Server

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one subject.

    Attributes:
        subject: what was judged.
        failed: ids of the requirements that failed, of the subject's profiles.
        undecided: ids of those that were left open.
        trouble: what of the suite failed meanwhile; empty where all went well.
        beside: the others that the same run was against.
        seconds: of the run, from the first request to the last answer, beside all that runs at the same time.
        requests, purges: how many it sent.
    """

    server: Server
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    error: str = ""
    companions: tuple[str, ...] = ()
    seconds: float = 0.0
    requests: int = 0
    purges: int = 0

    @property
    def killed_by(self) -> tuple[str, ...]:
        """The fault's own requirements that failed."""
        return tuple(name for name in self.failed if name in self.server.fails)

    @property
    def unexpected_failures(self) -> tuple[str, ...]:
        """The requirements that failed and may not: of a server that conforms they are false alarms."""
        return tuple(name for name in self.failed if name not in self.server.fails)

    @property
    def is_fault(self) -> bool:
        """Whether it is a fault, not a server that conforms."""
        return self.server.kind is Kind.FAULT

    def problems(self) -> Iterator[str]:
        """Yield each way in which this is not as it must be, in words that follow the subject's name."""
        missing = [name for name in self.server.fails if name not in self.failed]
        if self.error:
            yield f"could not be judged: {self.error}"
        elif self.is_fault and not self.killed_by:
            yield f"survived: {_join(self.server.fails)} did not fail"
        elif missing:
            yield f"did not fail {_join(missing)}, as it must"
        if self.unexpected_failures:
            yield (
                f"was caught by {_join(self.unexpected_failures)}, not its own"
                if self.is_fault
                else self._false_alarm()
            )
        if not self.is_fault and not self.error:
            yield from self._undeclared_undecided()

    def _false_alarm(self) -> str:
        return f"conforms, and failed {_join(self.unexpected_failures)}: a false alarm"

    def _undeclared_undecided(self) -> Iterator[str]:
        declared, undecided = set(self.server.undecided), set(self.undecided)
        if extra := sorted(undecided - declared):
            yield f"left {_join(extra)} undecided, which is not declared"
        if unneeded := sorted(declared - undecided):
            yield f"left nothing of {_join(unneeded)} undecided, which is declared"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many."""

    count: int
    total: int

    @property
    def percent(self) -> str:
        """The rate in words, for example `98.8 %`."""
        return f"{100 * self.count / self.total:.4g} %" if self.total else "none"


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows of one check of the suite.

    Attributes:
        suite: version of this package.
        spec_version: of `spec/`.
        spec: file of `spec/` -> sha256.
        seed: of the generated cases.
        only: the globs that chose the subjects; empty: it is the whole matrix.
        started_at: RFC 3339, UTC.
        seconds: what all of it took.
        jobs: how many subjects were under way at once.
        rows: one a subject, variants first, in the order of `spec/`.
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
        """The rows of faults."""
        return tuple(row for row in self.rows if row.is_fault)

    @property
    def conforming(self) -> tuple[Row, ...]:
        """The rows of servers that conform: the faultless one and the variants."""
        return tuple(row for row in self.rows if not row.is_fault)

    @property
    def killed(self) -> Rate:
        """How many faults failed one of their own requirements."""
        return Rate(sum(bool(row.killed_by) for row in self.faults), len(self.faults))

    @property
    def false_alarms(self) -> Rate:
        """How many servers that conform failed a requirement."""
        return Rate(sum(bool(row.unexpected_failures) for row in self.conforming), len(self.conforming))

    def problems(self) -> list[tuple[Row, str]]:
        """Return all that is wrong."""
        return [(row, problem) for row in self.rows for problem in row.problems()]

    def faults_by_group(self) -> dict[str, tuple[Row, ...]]:
        """Return the faults by their group, in the order of `spec/`."""
        names = dict.fromkeys(row.server.group for row in self.faults)
        return {name: tuple(row for row in self.faults if row.server.group == name) for name in names}

    def kills_by_requirement(self) -> dict[str, tuple[Row, ...]]:
        """Return requirement id -> the faults that it killed."""
        names = sorted({name for row in self.faults for name in row.killed_by})
        return {name: tuple(row for row in self.faults if name in row.killed_by) for name in names}


def rows_from_run(group: Sequence[Server], run: Run, seconds: float) -> list[Row]:
    """Return what a judged run says of each of those that it was against."""
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
    )


def to_dict(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix as `matrix.json` holds it."""
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
    }


def _join(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
