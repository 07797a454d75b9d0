"""A run that repeats its destructive scenarios."""

from __future__ import annotations

import json
from collections import Counter
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
from purge_conformance.engine.plan import COSTS, REPETITION_COST
from purge_conformance.evidence.records import base_name, repetition_name

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence


TIMES = 3


@pytest.fixture(scope="module")
def repeated_run(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The evidence of a run with three repetitions of its destructive scenarios."""
    with embedded.server() as (url, tokens):
        hook = parse_hook(embedded.hook_url(url))
        settings = Settings(Target(url), tokens, repeat=TIMES, limits=limits_for(TIMES), hook=hook)
        return collect.collect(settings, tmp_path_factory.mktemp("repeated") / "out", lambda *_: None)


def purges(evidence: Evidence) -> Counter[str]:
    """Count the admin purges of each scenario."""
    return Counter(x.experiment for x in evidence.exchanges if is_purge(x.method, x.path) and x.role == "admin")


def test_repeated_purges_are_observed(repeated_run: Evidence) -> None:
    """Each repetition has one more observed purge, one right after it, and a rejected one for each role."""
    sent = [x for x in repeated_run.of("repeat") if is_purge(x.method, x.path)]
    refused = repeated_run.of("repeat", "credential")
    plain = [
        trial for trial in require_observed_purges(JudgmentView(repeated_run)) if trial.request.experiment == "repeat"
    ]
    assert [trial.request for trial in plain] == [x for x in sent if x.role == "admin"]
    assert [trial.is_repeat for trial in plain] == [False, True] * (TIMES - 1)
    assert len(refused) == (TIMES - 1) * len({x.role for x in refused})
    assert [
        a.describe_loss() for a in unauthorized_purges(JudgmentView(repeated_run)) if a.request.experiment == "repeat"
    ] == [None] * len(refused)


@pytest.mark.parametrize("name", ["odd", "provoked", "parallel", "race"])
def test_destructive_scenarios_are_repeated(name: str, repeated_run: Evidence) -> None:
    """Each repetition sends the same purges, under its own name, and is complete."""
    names = (name, repetition_name(name, 2), repetition_name(name, 3))
    sent = purges(repeated_run)
    assert repeated_run.repetitions(name) == names
    assert len({sent[each] for each in names}) == 1
    assert sent[name] >= 3
    assert [note for note in repeated_run.notes if note.name in {"stopped", "lost", "crashed"}] == []


def test_each_scaling_is_a_change(repeated_run: Evidence) -> None:
    """No app is scaled to its current size."""
    sizes: dict[str, int] = {}
    scalings = [
        x
        for name in repeated_run.repetitions("race")
        for x in repeated_run.of(name)
        if x.path.endswith("/actions/scale")
    ]
    for x in scalings:
        size = json.loads(x.request_body or "{}")["instances"]
        assert sizes.get(x.path) != size
        sizes[x.path] = size
    assert max(sizes.values()) < 40


def test_sequences_are_repeated(repeated_run: Evidence) -> None:
    """Each repetition plays the same sequences."""
    plays = [repeated_run.note("sequences", f"sequence {number}") for number in range(1, 2 * TIMES + 1)]
    assert plays == plays[:2] * TIMES
    assert repeated_run.note("sequences", f"sequence {len(plays) + 1}") is None


def test_repetitions_are_within_bounds(repeated_run: Evidence) -> None:
    """The costs of a repetition fit into what it adds to the budgets."""
    names = ("odd", "provoked", "parallel", "race", "sequences")
    requests = REPETITION_COST.requests + sum(COSTS[name].requests for name in names)
    assert requests <= REQUESTS_PER_REPEAT
    assert REPETITION_COST.purges + sum(COSTS[name].purges for name in names) <= Limits().max_purges
    sent = Counter(base_name(x.experiment) for x in repeated_run.exchanges)
    most = {name: TIMES * COSTS[name].requests for name in names} | {"repeat": (TIMES - 1) * REPETITION_COST.requests}
    assert {name for name in most if sent[name] > most[name]} == set()
