"""Runs of groups: a fault that its partner masks is retried alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.selfcheck.trials import Plan, run_groups

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.selfcheck.matrix import Row

SEPARATE = ("purge-returns-data", "unknown-action-400")  # each is found beside the other
MASKING = ("seeds-nothing", "random-seed-guid")  # where nothing is seeded, no guid is wrong


@pytest.fixture(scope="module")
def rows_of_pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """The rows of a pair that can be distinguished, and of a pair whose faults mask each other."""
    folder: Path = tmp_path_factory.mktemp("pairs")
    by_name = {subject.name: subject for subject in select_servers((*SEPARATE, *MASKING))}
    groups = [tuple(by_name[name] for name in pair) for pair in (SEPARATE, MASKING)]
    rows = {row.server.name: row for row in run_groups(groups, Plan(folder, seed=1, jobs=2, server_processes=1))}
    assert [path.name for path in folder.iterdir()] == []
    return rows


@pytest.mark.parametrize("name", [*SEPARATE, *MASKING])
def test_fault_is_killed_by_own_requirement(name: str, rows_of_pairs: dict[str, Row]) -> None:
    """Each fault is killed by its own requirements, in any group."""
    assert rows_of_pairs[name].failed == rows_of_pairs[name].server.fails
    assert not any(rows_of_pairs[name].problems())


def test_masked_fault_is_retried_alone(rows_of_pairs: dict[str, Row]) -> None:
    """A row names the other fault of its pair, or none if the fault was retried alone."""
    assert [rows_of_pairs[name].companions for name in (*SEPARATE, *MASKING)] == [
        (SEPARATE[1],),
        (SEPARATE[0],),
        (),
        (),
    ]
