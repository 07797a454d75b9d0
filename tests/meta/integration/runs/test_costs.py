"""The cost table holds in complete runs."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import ADMIN
from purge_conformance.catalogue.api import is_purge
from purge_conformance.engine import reference_process as embedded
from purge_conformance.scenarios.definitions import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.evidence.steps import Scenario

COSTS = {definition.name: definition.cost for definition in SCENARIOS}


def scenarios_over_budget(found: Evidence) -> dict[Scenario, tuple[int, int]]:
    """Return the scenarios with more requests, or more purges, than in the table."""
    requests = Counter(x.scenario for x in found.exchanges)
    purges = Counter(x.scenario for x in found.exchanges if is_purge(x.method, x.path) and x.role == "admin")
    return {
        name: (requests[name], purges[name])
        for name in requests
        if requests[name] > COSTS[name].requests or purges[name] > COSTS[name].purges
    }


def test_full_run_stays_within_costs(full_run: FullRun) -> None:
    """No scenario of a full run exceeds its costs, and each has a row."""
    assert scenarios_over_budget(full_run.evidence) == {}
    assert {x.scenario for x in full_run.evidence.exchanges} <= set(COSTS)


@pytest.mark.parametrize("fault", ["seeds-twice", "purge-answers-202"])
def test_faulty_server_stays_within_costs(fault: str, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """No scenario of a run with failures exceeds its costs, except one that may use the remainder."""
    with embedded.server(["--fault", fault]) as (url, tokens):
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        done = command("run", url, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=environment)
    assert {name for name in scenarios_over_budget(done.evidence) if not COSTS[name].may_use_remainder} == set()
