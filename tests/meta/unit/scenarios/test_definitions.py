"""The plan, the order and the costs of a run follow from the table of scenarios."""

from __future__ import annotations

from dataclasses import replace

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import REQUESTS_PER_REPEAT, Limits, Settings, Target
from purge_conformance.evidence.steps import Scenario
from purge_conformance.scenarios.definitions import SCENARIOS, Repetition, costs, plan_scenarios

SETTINGS = Settings(Target("http://localhost"), {})
WITH_HOOK = replace(SETTINGS, hook=parse_hook("http://localhost/hook"))
READ_ONLY = replace(SETTINGS, profiles=(Profile.OBSERVE_ONLY,))
REPEATED = (Scenario.UNEXPECTED_INPUT, Scenario.INDUCED_ERRORS, Scenario.CONCURRENT_PURGES, Scenario.RACE)


def planned(settings: Settings) -> list[tuple[Scenario, int]]:
    """Return the scenarios and rounds of a run."""
    return [(definition.name, number) for definition, number in plan_scenarios(settings)]


def test_each_scenario_is_defined_once() -> None:
    """The table has every declared scenario, in the order of the declaration."""
    assert [definition.name for definition in SCENARIOS] == list(Scenario)


def test_run_follows_the_table() -> None:
    """A run with a hook has every scenario except the repetitions, each once."""
    others = (Scenario.REPEAT, Scenario.CLEANUP)
    assert planned(WITH_HOOK) == [(name, 1) for name in Scenario if name not in others]


def test_hook_scenario_needs_a_hook() -> None:
    """Without a hook no error can be induced."""
    assert Scenario.INDUCED_ERRORS not in costs(SETTINGS)


def test_read_only_run_sends_no_purge() -> None:
    """A read-only run has only scenarios that read, and no purges."""
    assert [name for name, _ in planned(READ_ONLY)] == [each.name for each in SCENARIOS if each.reads_only]
    assert [cost.purges for cost in costs(READ_ONLY).values()] == [0, 0, 0, 0]


def test_rounds_follow_one_another() -> None:
    """Further rounds follow the first round of the last scenario that has rounds, one round after the other."""
    names = planned(replace(WITH_HOOK, repeat=3))
    start = names.index((Scenario.RACE, 1)) + 1
    further = [(name, number) for number in (2, 3) for name in REPEATED]
    assert names[start : start + len(further)] == further
    assert names[start + len(further)] == (Scenario.PURGE_WITHOUT_STARTED_APPS, 1)


def test_costs_grow_with_repetitions() -> None:
    """The cost of a repeated scenario grows with --repeat, in the way of its repetition."""
    often, once = costs(replace(SETTINGS, repeat=11)), costs(SETTINGS)
    assert (often[Scenario.REPEAT].purges, Scenario.REPEAT in once) == (20, False)
    assert (Scenario.REPEAT, 1) in planned(replace(SETTINGS, repeat=11))
    grown = {name for name in once if often[name].requests == 11 * once[name].requests}
    assert grown == {*REPEATED, Scenario.SEQUENCES} - {Scenario.INDUCED_ERRORS}
    assert {name for name in once if often[name].purges == 11 * once[name].purges > 0} == grown


def test_table_is_within_the_default_limits() -> None:
    """All purges of a run without repetitions fit into the default limit."""
    assert sum(cost.purges for cost in costs(WITH_HOOK).values()) <= Limits().max_purges


def test_one_repetition_is_within_its_limits() -> None:
    """What one more repetition sends at most is what the limits grow by."""
    repeated = [each.cost for each in SCENARIOS if each.repetition is not Repetition.NONE]
    assert sum(cost.requests for cost in repeated) <= REQUESTS_PER_REPEAT
    assert sum(cost.purges for cost in repeated) <= Limits().max_purges


@pytest.mark.parametrize("requirement", ["PURGE-01", "STATUS-01"])
def test_scenario_serves_requirements(requirement: str) -> None:
    """The requirements of a scenario are those that name it, or any."""
    purge = next(each for each in SCENARIOS if each.name is Scenario.PURGE)
    assert requirement in {each.id for each in purge.requirements}


def test_each_judged_requirement_has_a_scenario() -> None:
    """Every requirement that a run judges is served by a scenario."""
    served = {requirement.id for each in SCENARIOS for requirement in each.requirements}
    assert served == {each.id for each in catalogue.requirements() if each.not_judged is None}
