"""The purges that a run may send go where requirements are still open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from purge_conformance.analysis.app_model.state import Action
from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.evidence.rounds import RACES
from purge_conformance.evidence.steps import Scenario
from purge_conformance.scenarios.budget import (
    FIRST_SHARES,
    FURTHER_SHARES,
    LEAST_REQUESTS,
    REQUESTS_PER_PURGE,
    Ability,
    affordable_purges,
    affordable_scenarios,
    least_requests,
    share_purges,
)
from purge_conformance.scenarios.definitions import (
    SCENARIOS,
    costs,
    needed_purges,
    planned_costs,
    share_of_next,
    total_cost,
)
from purge_conformance.scenarios.race import planned_races
from purge_conformance.scenarios.sequences.generator import PURGES_PER_RUN, TEMPLATES, generate

SETTINGS = replace(Settings(Target("http://localhost"), {}), apps=AppSettings(Mode.DRIVE))
WITH_HOOK = replace(SETTINGS, hook=parse_hook("http://localhost/hook"))
FULL = {name: cost.purges for name, cost in costs(WITH_HOOK).items() if cost.purges}


def planned(settings: Settings, purges: int) -> dict[Scenario, int]:
    """Return scenario -> the purges that it is planned to send with a limit, without those that send none."""
    limited = replace(settings, limits=Limits(max_purges=purges))
    return {name: cost.purges for name, cost in planned_costs(limited).items() if cost.purges}


def test_twelve_purges_judge_everything_once() -> None:
    """Twelve purges are enough for each scenario without which a requirement stays open, also with a hook."""
    for settings in (SETTINGS, WITH_HOOK):
        assert needed_purges(settings) <= 12
        assert planned(settings, 12).keys() >= {*FIRST_SHARES} - {Scenario.INDUCED_ERRORS}
        assert sum(planned(settings, 12).values()) == 12


def test_shares_add_up_to_a_full_run() -> None:
    """All shares together are what a run sends without a limit, and no less of a limit is used."""
    shares = (*FIRST_SHARES.items(), *FURTHER_SHARES)
    assert {name: sum(count for each, count in shares if each is name) for name in FULL} == FULL
    assert total_cost(WITH_HOOK).purges == sum(FULL.values()) <= Limits().max_purges


@pytest.mark.parametrize("purges", range(41))
def test_limit_is_used_and_kept(purges: int) -> None:
    """No limit is exceeded; of one that is too small for all, at most two purges are left for the run to use."""
    used = sum(share_purges(purges, FULL).values())
    assert purges - 2 <= used <= purges or used == sum(FULL.values())


def test_more_purges_never_take_one_away() -> None:
    """With each further purge every scenario that judges a requirement keeps its first share."""
    for purges in range(needed_purges(WITH_HOOK), 41):
        assert share_purges(purges, FULL).keys() >= FIRST_SHARES.keys()
        assert all(share_purges(purges, FULL)[name] >= count for name, count in FIRST_SHARES.items())


def test_scenarios_without_apps_get_no_purge() -> None:
    """With --apps observe the purges that need apps go to other scenarios."""
    observe = planned(replace(SETTINGS, apps=AppSettings(Mode.OBSERVE)), 12)
    assert not observe.keys() & {Scenario.RACE, Scenario.SEQUENCES, Scenario.PURGE_WITHOUT_STARTED_APPS}
    assert observe[Scenario.UNEXPECTED_INPUT] > planned(SETTINGS, 12)[Scenario.UNEXPECTED_INPUT]


def test_unused_purges_go_to_the_scenarios_that_follow() -> None:
    """The scenarios to come share all purges that are left, also those that an earlier one did not need."""
    coming = [each for each in SCENARIOS if each.name in {Scenario.CONCURRENT_PURGES, Scenario.RACE}]
    assert [share_of_next(coming, left, frozenset(Ability)) for left in (2, 4, 5, 8, 12)] == [0, 3, 3, 4, 7]
    assert share_of_next(coming, 7, frozenset()) == 7


def test_each_round_of_a_repeated_run_has_its_purges() -> None:
    """With --repeat each round gets what one round needs."""
    race = next(each for each in SCENARIOS if each.name is Scenario.RACE)
    sequences = next(each for each in SCENARIOS if each.name is Scenario.SEQUENCES)
    assert share_of_next([race] * 3, 40, frozenset(Ability), repeat=3) == race.cost.purges
    assert share_of_next([sequences], 40, frozenset(Ability), repeat=3) == 3 * sequences.cost.purges


def test_races_for_fewer_purges() -> None:
    """One purge is that of a concurrent round; with more, the sequential round has one too."""
    sent = {purges: [index for index, _ in planned_races(purges)] for purges in range(1, 6)}
    assert sent == {1: [1], 2: [1], 3: [1], 4: [1, 2], 5: [*RACES]}


@pytest.mark.parametrize("purges", range(2, PURGES_PER_RUN))
@pytest.mark.parametrize("seed", range(5))
def test_short_sequence_has_every_template(purges: int, seed: int) -> None:
    """With fewer purges one sequence has every template, and no more purges than the limit."""
    (steps,) = generate(seed, purges)
    assert sum(step.action is Action.PURGE for step in steps) == purges
    assert {step.action for step in steps} == set(Action)
    assert sum(step.app is not None for step in steps) >= len(TEMPLATES)
    assert list(generate(seed, purges)) == [steps]


def test_few_requests_mean_few_purges() -> None:
    """The purges leave each scenario to come the requests that it needs, and more requests allow for more purges."""
    coming = {Scenario.CONCURRENT_PURGES: 1, Scenario.RACE: 1, Scenario.SEQUENCES: 1}
    least = least_requests(coming)
    first = sum(FIRST_SHARES[scenario] for scenario in coming)
    assert least == sum(LEAST_REQUESTS[scenario] for scenario in coming)
    assert [affordable_purges(requests, coming) for requests in (0, least, least + 3 * REQUESTS_PER_PURGE)] == [
        first,
        first,
        first + 3,
    ]
    assert affordable_purges(least, dict.fromkeys(coming, 2)) == 2 * first


def test_default_requests_allow_for_all_purges() -> None:
    """With the default --max-requests, no scenario gets fewer purges than --max-purges alone would grant."""
    limits = Settings(Target("http://localhost"), {}).limits
    base = sum(each.cost.requests for each in SCENARIOS if each.is_base and not each.is_last)
    left = limits.max_requests - base - CLEANUP_RESERVE
    assert affordable_purges(left, dict.fromkeys(LEAST_REQUESTS, 1)) >= limits.max_purges


def test_few_requests_go_to_what_judges_most() -> None:
    """Where the requests do not suffice, those scenarios are left out that judge the fewest requirements with them."""
    coming = [each.name for each in SCENARIOS if each.name in LEAST_REQUESTS and not each.needs_hook]
    follows = {each.name: each.follows for each in SCENARIOS}
    shares = {requests: {*affordable_scenarios(requests, coming, follows)} for requests in (1000, 800, 350, 100, 10)}
    assert shares[1000] == {*coming}
    assert {*coming} - shares[800] == {Scenario.SEQUENCES}
    assert shares[350] > {Scenario.PURGE, Scenario.LISTS, Scenario.CONCURRENT_PURGES}
    assert shares[350].isdisjoint({Scenario.SEQUENCES, Scenario.READS, Scenario.AUTH_BYPASS})
    assert shares[100] >= {Scenario.PURGE, Scenario.SECOND_PURGE}
    assert shares[10] == set()


def test_what_follows_another_scenario_brings_it_along() -> None:
    """A scenario is not run without the one that it builds on."""
    coming, follows = [Scenario.PURGE, Scenario.SEQUENCES], {Scenario.SEQUENCES: (Scenario.PURGE,)}
    assert affordable_scenarios(200, coming, follows) == coming
    assert affordable_scenarios(100, coming, follows) == [Scenario.PURGE]


def test_first_rounds_come_before_further_ones() -> None:
    """With --repeat the first round of each scenario has its requests before the second of any."""
    coming = [Scenario.UNEXPECTED_INPUT, Scenario.RACE, Scenario.UNEXPECTED_INPUT, Scenario.RACE]
    granted = affordable_scenarios(
        LEAST_REQUESTS[Scenario.RACE] + 2 * LEAST_REQUESTS[Scenario.UNEXPECTED_INPUT], coming, {}
    )
    assert sorted(granted) == [Scenario.RACE, Scenario.UNEXPECTED_INPUT, Scenario.UNEXPECTED_INPUT]
