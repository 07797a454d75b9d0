"""A run of a selection has the scenarios that the selection needs, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine.scope import unselected_scenarios
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.steps import Scenario
from purge_conformance.scenarios.definitions import (
    SCENARIOS,
    cost_within_limits,
    costs,
    needed_scenarios,
    plan_scenarios,
    total_cost,
)

SETTINGS = Settings(Target("http://localhost"), {})
BASE = {Scenario.PREFLIGHT, Scenario.FOUNDATION, Scenario.FILL_PAGE, Scenario.ARCHIVE}
ALL_BUT = {Scenario.CLEANUP, Scenario.REPEAT, Scenario.INDUCED_ERRORS}  # ends every run; --repeat; --hook
LISTED = {
    Scenario.LISTS_BEFORE_PURGE,
    Scenario.PURGE,
    Scenario.SECOND_PURGE,
    Scenario.APP_CHANGES,
    Scenario.LISTS,
}
UPSTREAM = (Profile.UPSTREAM,)
EVERY = {requirement.id: requirement for requirement in catalogue.requirements()}


@pytest.mark.parametrize(
    ("select", "scenarios", "purges"),
    [
        (["AUTH-01"], {Scenario.REJECTED_PURGES}, 0),
        (["AUTH-0[1-4]", "AUTH-09"], {Scenario.REJECTED_PURGES, Scenario.AUTH_BYPASS}, 0),
        (["REFUSE-01"], {Scenario.PURGE, Scenario.REJECTED_PURGES}, 1),  # the purge shows that one destroys events
        (["AUTH-12"], {Scenario.REJECTED_PURGES, Scenario.AUTH_BYPASS}, 0),
        (["UP-ROLE-*"], {Scenario.READS}, 0),
        (["LIST-08"], LISTED, 2),
        (["LIST-08", "AUTH-01"], {*LISTED, Scenario.REJECTED_PURGES}, 2),
        (["RACE-01"], set(), 0),  # no run judges it
        (["LEAK-01"], set(Scenario) - BASE - ALL_BUT, 40),  # any response may show it
        (["*"], set(Scenario) - BASE - ALL_BUT, 40),
    ],
)
def test_selection_has_its_scenarios(select: list[str], scenarios: set[Scenario], purges: int) -> None:
    """Besides the base of every run, a selection runs what its requirements need, and sends only these purges."""
    settings = replace(SETTINGS, profiles=UPSTREAM, select=tuple(select))
    assert {definition.name for definition, _ in plan_scenarios(settings)} == BASE | scenarios
    assert cost_within_limits(settings).purges == purges
    names = unselected_scenarios(settings)
    assert not scenarios & set(names)
    assert bool(names) == (purges < cost_within_limits(SETTINGS).purges)


@pytest.mark.parametrize(
    ("select", "purges"), [("AUTH-01", 0), ("REFUSE-01", 1), ("PURGE-02", None), ("AGAIN-01", None)]
)
def test_repetitions_purge_only_for_what_needs_it(select: str, purges: int | None) -> None:
    """--repeat repeats the admin's purges only if the selection needs them; rejected purges need none."""
    settings = replace(SETTINGS, select=(select,), repeat=3)
    repeated = costs(settings)[Scenario.REPEAT].purges
    assert repeated == (4 if purges is None else 0)
    assert purges is None or total_cost(settings).purges == purges


def test_observed_selection_only_reads() -> None:
    """A selection of a run that only reads has those of its scenarios that read."""
    settings = replace(SETTINGS, profiles=(Profile.OBSERVE_ONLY,), select=("LIST-08",))
    assert [each.name for each, _ in plan_scenarios(settings)] == [Scenario.PREFLIGHT, Scenario.LISTS]


@pytest.mark.parametrize("name", EVERY)
def test_needed_scenarios_are_closed(name: str) -> None:
    """A requirement needs its scenarios, those of what it rests on, one of each it assumes, and what these follow."""
    requirement, needed = EVERY[name], needed_scenarios(UPSTREAM, (name,))
    others = [EVERY[each] for each in requirement.all_prerequisites()]
    assert needed >= {each.name for each in SCENARIOS if requirement.needs(each.name) and not each.is_base}
    assert all(needed >= needed_scenarios(UPSTREAM, (each.id,)) for each in others)
    for assumed in requirement.assumes:
        showing = {each.name for each in SCENARIOS if each.name in EVERY[assumed].scenarios and not each.is_optional}
        assert not showing or showing & needed
    assert all(set(each.follows) <= needed for each in SCENARIOS if each.name in needed)


def test_scenarios_follow_earlier_ones() -> None:
    """A scenario follows only scenarios before it, each of which is always part of a run."""
    order = [each.name for each in SCENARIOS]
    optional = {each.name for each in SCENARIOS if each.is_optional}
    for each in SCENARIOS:
        assert set(each.follows) <= set(order[: order.index(each.name)]) - optional


def test_whole_profile_leaves_out_nothing() -> None:
    """Without a selection a run leaves out no scenario, whatever its profiles are."""
    for profile in Profile:
        assert unselected_scenarios(replace(SETTINGS, profiles=(profile,))) == []


def test_unknown_selection_is_rejected() -> None:
    """A glob that matches nothing is a usage error."""
    with pytest.raises(BadSetting, match="NO-SUCH"):
        needed_scenarios(UPSTREAM, ("NO-SUCH",))
