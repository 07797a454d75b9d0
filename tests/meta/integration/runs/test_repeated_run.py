"""A run that repeats its destructive scenarios."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.purge_series import require_observed_purges
from purge_conformance.analysis.rejected import unauthorized_purges
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import REQUESTS_PER_REPEAT, Limits, Settings, Target, limits_for
from purge_conformance.engine import collect
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.scenarios.definitions import SCENARIOS

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence


TIMES = 3
REPEATED = (Scenario.UNEXPECTED_INPUT, Scenario.INDUCED_ERRORS, Scenario.CONCURRENT_PURGES, Scenario.RACE)


@pytest.fixture(scope="module")
def repeated_run(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The evidence of a run with three repetitions of its destructive scenarios."""
    with embedded.server() as (url, tokens):
        hook = parse_hook(embedded.hook_url(url))
        settings = Settings(Target(url), tokens, repeat=TIMES, limits=limits_for(TIMES), hook=hook)
        return collect.collect(settings, tmp_path_factory.mktemp("repeated") / "out", lambda *_: None)


def purges(evidence: Evidence) -> Counter[tuple[Scenario, int]]:
    """Count the admin purges of each round of each scenario."""
    sent = (x for x in evidence.exchanges if is_purge(x.method, x.path) and x.role == "admin")
    return Counter((x.scenario, x.round) for x in sent)


def test_repeated_purges_are_observed(repeated_run: Evidence) -> None:
    """Each repetition has one more observed purge, one right after it, and a rejected one for each role."""
    sent = [x for x in repeated_run.of(Scenario.REPEAT) if is_purge(x.method, x.path)]
    rejected = repeated_run.of(Scenario.REPEAT, Step.CREDENTIAL)
    observed = require_observed_purges(JudgmentView(repeated_run))
    plain = [purge for purge in observed if purge.request.scenario is Scenario.REPEAT]
    assert [purge.request for purge in plain] == [x for x in sent if x.role == "admin"]
    assert [purge.is_repeat for purge in plain] == [False, True] * (TIMES - 1)
    roles = [x.role for x in rejected if x.role in repeated_run.header.settings["roles"]]
    assert sorted(roles) == sorted(
        [*set(roles)] * (TIMES - 1)
    )  # requests without credentials have a limit of their own
    attempts = unauthorized_purges(JudgmentView(repeated_run))
    losses = [each.describe_loss() for each in attempts if each.request.scenario is Scenario.REPEAT]
    assert losses == [None] * len(rejected)


@pytest.mark.parametrize("scenario", REPEATED)
def test_destructive_scenarios_are_repeated(scenario: Scenario, repeated_run: Evidence) -> None:
    """Each round sends the same purges, under its own number, and is complete."""
    sent = purges(repeated_run)
    assert repeated_run.rounds(scenario) == (1, 2, 3)
    assert len({sent[scenario, number] for number in (1, 2, 3)}) == 1
    assert sent[scenario, 1] >= 3
    assert [value for name in (notes.STOPPED, notes.LOST, notes.CRASHED) for value in repeated_run.noted(name)] == []


def test_each_scaling_is_a_change(repeated_run: Evidence) -> None:
    """No app is scaled to its current size."""
    sizes: dict[str, int] = {}
    scalings = [
        x
        for number in repeated_run.rounds(Scenario.RACE)
        for x in repeated_run.of(Scenario.RACE, round=number)
        if x.path.endswith("/actions/scale")
    ]
    for x in scalings:
        size = json.loads(x.request_body or "{}")["instances"]
        assert sizes.get(x.path) != size
        sizes[x.path] = size
    assert max(sizes.values()) < 40


def test_sequences_are_repeated(repeated_run: Evidence) -> None:
    """Each repetition plays the same sequences."""
    plans = repeated_run.noted(notes.SEQUENCE, Scenario.SEQUENCES)
    assert [plan.number for plan in plans] == list(range(1, 2 * TIMES + 1))
    assert [replace(plan, number=0) for plan in plans] == [replace(plan, number=0) for plan in plans[:2]] * TIMES


def test_repetitions_are_within_bounds(repeated_run: Evidence) -> None:
    """The costs of a repetition fit into what it adds to the budgets."""
    costs = {definition.name: definition.cost for definition in SCENARIOS}
    repetition = [costs[name] for name in (*REPEATED, Scenario.SEQUENCES, Scenario.REPEAT)]
    assert sum(cost.requests for cost in repetition) <= REQUESTS_PER_REPEAT
    assert sum(cost.purges for cost in repetition) <= Limits().max_purges
    sent = Counter(x.scenario for x in repeated_run.exchanges)
    most = {name: TIMES * costs[name].requests for name in (*REPEATED, Scenario.SEQUENCES)}
    most |= {Scenario.REPEAT: (TIMES - 1) * costs[Scenario.REPEAT].requests}
    assert {name for name in most if sent[name] > most[name]} == set()
