"""Groups of faults: which faults share a server, and that no fault masks another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from meta.support.results import requirement
from purge_conformance.report.model import Outcome, Result
from purge_conformance.selfcheck.grouping import MAX_GROUP_SIZE, group_faults, one_per_group
from purge_conformance.selfcheck.matrix import rows_from_run
from purge_conformance.selfcheck.mutants import Kind, Server, select_servers

if TYPE_CHECKING:
    from purge_conformance.report.model import Run


def fault(name: str, *fails: str, lonely: bool = False) -> Server:
    """Return a fault."""
    return Server(name, Kind.FAULT, "Group", "It is wrong.", fails, alone=lonely)


def grouped_names(*servers: Server) -> list[list[str]]:
    """Return the names of each group."""
    return [[server.name for server in group] for group in group_faults(servers)]


def test_each_mutant_is_grouped_once() -> None:
    """Every mutant is in exactly one group, and a conforming server is alone."""
    groups = group_faults(select_servers())
    assert sorted(s.name for group in groups for s in group) == sorted(s.name for s in select_servers())
    assert {1, MAX_GROUP_SIZE} <= {len(group) for group in groups} <= set(range(1, MAX_GROUP_SIZE + 1))
    assert {s.kind for group in groups if len(group) > 1 for s in group} == {Kind.FAULT}


def test_group_breaks_distinct_requirements() -> None:
    """No two faults of a group break the same requirement."""
    for group in group_faults(select_servers()):
        assert len({name for s in group for name in s.fails}) == sum(len(s.fails) for s in group)


def test_masking_fault_runs_alone() -> None:
    """A fault that masks others runs alone, and so does a fault without a partner."""
    a, b, c = fault("a", "LEAK-01"), fault("b", "AUTH-01", lonely=True), fault("c", "SEED-01")
    assert grouped_names(a, b, c) == [["b"], ["a", "c"]]
    assert grouped_names(a, fault("d", "LEAK-02")) == [["a"], ["d"]]
    assert grouped_names(c, fault("d", "UP-SEED-03")) == [["c"], ["d"]]
    assert grouped_names(fault("d", "RACE-02"), c, fault("e", "REFUSE-01"), a) == [["d", "e", "a"], ["c"]]
    assert [len(group) for group in one_per_group((a, c))] == [1, 1]


def test_prerequisites_are_in_other_groups() -> None:
    """A fault is in no group with a fault that breaks a prerequisite of its requirements."""
    assert grouped_names(fault("a", "GET-01"), fault("b", "AUTH-08")) == [["a"], ["b"]]
    assert grouped_names(fault("a", "LIST-05"), fault("b", "MODEL-01")) == [["a"], ["b"]]
    assert grouped_names(fault("a", "GET-01"), fault("b", "LEAK-01")) == [["a", "b"]]


def test_unexpected_failure_concerns_both_faults() -> None:
    """An unexpected failure in a pair concerns both faults, so both are retried alone."""
    pair = (fault("a", "A-01"), fault("b", "B-01"))
    failed = [Result(requirement(name), Outcome.FAILED) for name in ("A-01", "C-01")]
    run = cast("Run", SimpleNamespace(requirements=failed, defects=(), requests=9, purges=1))
    problems = {row.server.name: list(row.problems()) for row in rows_from_run(pair, run, 1.0)}
    assert problems["a"] == ["also failed C-01"]
    assert problems["b"] == ["survived: B-01 did not fail", "also failed C-01"]
