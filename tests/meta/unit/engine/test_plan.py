"""The plan of a run, and the command that prints it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meta.support.invoke import ADMIN, invoke
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine.collect import experiment_names
from purge_conformance.engine.plan import COSTS, costs_for

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer


REPEATED = {"odd", "parallel", "race", "sequences"}  # where there is no hook


def test_costs_fit_default_budgets() -> None:
    """The costs of all scenarios together fit into the default budget of purges."""
    assert sum(cost.purges for cost in COSTS.values()) <= Limits().max_purges


def test_plan_follows_options() -> None:
    """Repetitions are in the plan, and a run that must not change anything plans only reads."""
    often = Settings(Target("http://localhost"), {}, repeat=11)
    costs, single = costs_for(often), costs_for(replace(often, repeat=1))
    assert (costs["repeat"].purges, "repeat" in experiment_names(often), "repeat" in single) == (20, True, False)
    assert {name for name in single if costs[name].purges == 11 * single[name].purges > 0} == REPEATED
    only = Settings(Target("http://localhost"), {}, profiles=(Profile.OBSERVE_ONLY,))
    assert [cost.purges for cost in costs_for(only).values()] == [0, 0, 0, 0]


def test_plan_only_reads(stub_server: StubServer, empty_folder: Path) -> None:
    """`plan` sends a few reads, and prints the state of the target, the costs of a run, and the consent it needs."""
    body = b'{"links": {"self": {"href": "x"}}, "pagination": {"total_results": 1234}, "resources": [{"guid": "one"}]}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    url = stub_server.url.replace("127.0.0.1", "127.1")
    done = invoke("plan", url, ADMIN)
    assert (done.exit_code, done.stderr, list(empty_folder.iterdir())) == (0, "", [])
    assert stub_server.targets[:-1] == ["/", "/v3", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]
    assert {line.split(" ")[0] for line, _ in stub_server.received} == {"GET"}
    assert "Authorization" not in stub_server.received[0][1]
    for words in (
        "1,234 events",
        "Fingerprint: ",
        "Newest event: one",
        "parallel",
        "at most 1200 requests and 40 purges",
    ):
        assert words in done.stdout
    assert "--allow-purge 127.1" in done.stdout
    assert "It would create and change nothing" in done.stdout


def test_plan_without_api_exits_3(stub_server: StubServer) -> None:
    """`plan` explains that a target is no API, or that it rejects the token."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401)
    done = invoke("plan", stub_server.url, ADMIN)
    assert (done.exit_code, "rejects the admin token" in done.stderr) == (3, True)
