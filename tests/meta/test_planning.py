"""`plan`: what it tells is never exceeded, and it sends nothing but reads."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.engine.collect import experiment_names
from purge_conformance.engine.plan import COSTS, costs_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer
    from purge_conformance.evidence.records import Evidence

ADMIN = "--token=admin=env:ADMIN_SECRET"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
REPEATED = {"odd", "parallel", "race", "sequences"}  # where there is no hook


def exceeded(found: Evidence) -> dict[str, tuple[int, int]]:
    """Return the experiments that sent more requests, or more purges, than the table tells."""
    requests = Counter(x.experiment for x in found.exchanges)
    purges = Counter(x.experiment for x in found.exchanges if is_purge(x.method, x.path) and x.role == "admin")
    return {
        name: (requests[name], purges[name])
        for name in requests
        if requests[name] > COSTS[name].requests or purges[name] > COSTS[name].purges
    }


def test_table_holds_in_whole_run(full_run: FullRun) -> None:
    """No experiment of a whole run sends more requests or purges than the table tells, and none is missing in it."""
    assert exceeded(full_run.evidence) == {}
    assert {x.experiment for x in full_run.evidence.exchanges} <= set(COSTS)


@pytest.mark.parametrize("fault", ["seeds-twice", "purge-answers-202"])
def test_table_holds_of_faulty_server(fault: str, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """Nor does one of a run that sees failures, save the one that says that it may take what is left."""
    with embedded.server(["--fault", fault]) as (url, tokens):
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        done = command("run", url, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=environment)
    assert {name for name in exceeded(done.evidence) if not COSTS[name].may_use_remainder} == set()


def test_table_is_within_budgets() -> None:
    """What is told of all experiments together fits into the usual budgets of purges."""
    assert sum(cost.purges for cost in COSTS.values()) <= Limits().max_purges


def test_plan_follows_what_is_asked() -> None:
    """Repetitions are told, and where nothing may be changed, there is nothing but reads."""
    often = Settings(Target("http://localhost"), {}, repeat=11)
    costs, single = costs_for(often), costs_for(replace(often, repeat=1))
    assert (costs["repeat"].purges, "repeat" in experiment_names(often), "repeat" in single) == (20, True, False)
    assert {name for name in single if costs[name].purges == 11 * single[name].purges > 0} == REPEATED
    only = Settings(Target("http://localhost"), {}, profiles=(Profile.OBSERVE_ONLY,))
    assert [cost.purges for cost in costs_for(only).values()] == [0, 0, 0, 0]


def test_plan_only_reads(command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path) -> None:
    """`plan` sends a few reads, and tells what is there, what would be sent and made, and what consent it needs."""
    body = b'{"links": {"self": {"href": "x"}}, "pagination": {"total_results": 1234}, "resources": [{"guid": "one"}]}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    url = stub_server.url.replace("127.0.0.1", "127.1")
    done = command("plan", url, ADMIN, folder=tmp_path, env=os.environ | SECRET, cwd=tmp_path)
    assert (done.code, done.stderr, list(tmp_path.iterdir())) == (0, "", [])
    assert stub_server.targets[:-1] == ["/", "/v3", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]
    assert {line.split(" ")[0] for line, _ in stub_server.received} == {"GET"}
    assert "Authorization" not in stub_server.received[0][1]
    for words in (
        "1,234 events",
        "fingerprint: ",
        "The last event: one",
        "parallel",
        "at most 1200 requests and 40 purges",
    ):
        assert words in done.stdout
    assert "--allow-purge 127.1" in done.stdout
    assert "It would make and change nothing" in done.stdout


def test_plan_of_no_api_is_3(command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path) -> None:
    """`plan` says of a target that is no API, or refuses the token, what is wrong."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401)
    done = command("plan", stub_server.url, ADMIN, folder=tmp_path, env=os.environ | SECRET)
    assert (done.code, "refuses the token" in done.stderr) == (3, True)
