"""Faults in company: who is tried beside whom, and that no fault hides behind another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.report.model import Outcome, Result
from purge_conformance.selfcheck.grouping import MAX_GROUP_SIZE, group_faults, one_per_group
from purge_conformance.selfcheck.matrix import rows_from_run
from purge_conformance.selfcheck.mutants import Kind, Server, select_servers
from purge_conformance.selfcheck.trials import Plan, run_groups

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.report.model import Run
    from purge_conformance.selfcheck.matrix import Row

APART = ("purge-returns-data", "unknown-action-400")  # each is as plain to see beside the other
HIDING = ("seeds-nothing", "random-seed-guid")  # where nothing is seeded, no guid is wrong


def fault(name: str, *fails: str, lonely: bool = False) -> Server:
    """Make a fault."""
    return Server(name, Kind.FAULT, "Group", "It is wrong.", fails, alone=lonely)


def names(*subjects: Server) -> list[list[str]]:
    """Return who is tried with whom."""
    return [[subject.name for subject in company] for company in group_faults(subjects)]


def test_each_is_tried_once() -> None:
    """Of all subjects each is in one company, and whatever conforms is by itself."""
    found = group_faults(select_servers())
    assert sorted(s.name for company in found for s in company) == sorted(s.name for s in select_servers())
    assert {1, MAX_GROUP_SIZE} <= {len(company) for company in found} <= set(range(1, MAX_GROUP_SIZE + 1))
    assert {s.kind for company in found if len(company) > 1 for s in company} == {Kind.FAULT}


def test_company_breaks_different_things() -> None:
    """No two faults of a company break the same requirement."""
    for company in group_faults(select_servers()):
        assert len({name for s in company for name in s.fails}) == sum(len(s.fails) for s in company)


def test_who_hides_others_is_alone() -> None:
    """A fault that says so has no other beside it, and one for which none is left has none."""
    a, b, c = fault("a", "LEAK-01"), fault("b", "AUTH-01", lonely=True), fault("c", "SEED-01")
    assert names(a, b, c) == [["b"], ["a", "c"]]
    assert names(a, fault("d", "LEAK-02")) == [["a"], ["d"]]
    assert names(c, fault("d", "UP-SEED-03")) == [["c"], ["d"]]
    assert names(fault("d", "RACE-01"), c, fault("e", "REFUSE-01"), a) == [["c", "a"], ["d", "e"]]
    assert [len(company) for company in one_per_group((a, c))] == [1, 1]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """What became of a pair that is told apart, and of one of which each hides the other."""
    folder: Path = tmp_path_factory.mktemp("pairs")
    by_name = {subject.name: subject for subject in select_servers((*APART, *HIDING))}
    companies = [tuple(by_name[name] for name in pair) for pair in (APART, HIDING)]
    found = {row.server.name: row for row in run_groups(companies, Plan(folder, seed=1, jobs=2, server_processes=1))}
    assert [path.name for path in folder.iterdir()] == []
    return found


@pytest.mark.parametrize("name", [*APART, *HIDING])
def test_each_is_killed_by_its_own(name: str, tried: dict[str, Row]) -> None:
    """Each fault is killed by its own requirements, whoever was beside it."""
    assert tried[name].failed == tried[name].server.fails
    assert not any(tried[name].problems())


def test_who_cannot_be_told_apart_is_tried_alone(tried: dict[str, Row]) -> None:
    """A row says who was beside its fault: the other of its pair, or nobody where it was tried again."""
    assert [tried[name].companions for name in (*APART, *HIDING)] == [(APART[1],), (APART[0],), (), ()]


def test_failure_of_neither_is_said_of_both() -> None:
    """What fails beside the own requirements of a pair is a problem of each, so that each is tried again."""
    pair = (fault("a", "A-01"), fault("b", "B-01"))
    failed = [
        Result(name, Level.MUST, Profile.CORE, "", "", "", "", "", "", conditional=False, outcome=Outcome.FAILED)
        for name in ("A-01", "C-01")
    ]
    run = cast("Run", SimpleNamespace(requirements=failed, requests=9, purges=1))
    told = {row.server.name: list(row.problems()) for row in rows_from_run(pair, run, 1.0)}
    assert told["a"] == ["was caught by C-01, not its own"]
    assert told["b"] == ["survived: B-01 did not fail", "was caught by C-01, not its own"]
