"""Nothing passes vacuously: without the exchanges that decide a case, its requirement does not pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.removal import judge, without_exchanges, without_scenario
from purge_conformance import catalogue
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Outcome

if TYPE_CHECKING:
    from meta.support.command import FullRun
    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Result

REQUIREMENTS = tuple(each for each in catalogue.requirements() if not each.not_judged)
# What the reference server does not do: it has one way to reject a body or a query, loses no event by itself, and has
# no UAA. Its apps need no droplet, so the run gives them none. A complete run has a purge for each set of headers.
NO_OCCASION = {
    ("SEED-01", "new-droplet"),
    ("SEED-02", "new-droplet"),
    ("PURGE-06", "other-apps"),
    ("PURGE-06", "other-apps-restarted"),
    ("REFUSE-06", "after-rejected-purges"),
    ("BODY-02", "cut-json"),
    ("BODY-02", "not-json"),
    ("HEADER-01", "all"),
    ("ERROR-09", "envelope"),
    ("UP-ERROR-06", "status-400"),
    ("UP-ERROR-08", "code"),
    ("UP-ERROR-08", "retry-after"),
}

Judged = dict[str, tuple["Result", dict[str, list[int]]]]


@pytest.fixture(scope="module")
def evidence(full_run: FullRun) -> Evidence:
    """The evidence of a run with every role and a hook."""
    return full_run.evidence


@pytest.fixture(scope="module")
def whole(evidence: Evidence) -> Judged:
    """The result of each requirement on all of the evidence, and the exchanges that decided each case."""
    judged = {requirement.id: judge(requirement, evidence) for requirement in REQUIREMENTS}
    return {name: (result, view.cases) for name, (result, view) in judged.items()}


def unconditional_cases(requirement: Requirement, whole: Judged) -> dict[str, list[int]]:
    """Return each case that must be judged, with the exchanges that decided it; none unless the requirement passed."""
    result, cases = whole[requirement.id]
    passed = result.outcome is Outcome.PASSED
    return {case.id: cases[case.id] for case in requirement.cases if passed and not case.conditional}


def assert_not_passed(requirement: Requirement, evidence: Evidence) -> None:
    """Assert that a requirement is not judged on this evidence, for a reason that is not the suite's."""
    result, _ = judge(requirement, evidence)
    assert result.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}, requirement.id
    assert result.cause is not Cause.SUITE, (requirement.id, result.reason)


def test_every_case_is_tried(whole: Judged) -> None:
    """A complete run tries every case, except those that the reference server gives no occasion for."""
    untried = {(name, case) for name, (result, _) in whole.items() for case, count in result.cases.items() if not count}
    assert untried == NO_OCCASION


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.id)
def test_no_case_passes_untried(requirement: Requirement, evidence: Evidence, whole: Judged) -> None:
    """Without the exchanges that decide a case its requirement is not judged."""
    for numbers in unconditional_cases(requirement, whole).values():
        assert_not_passed(requirement, without_exchanges(evidence, numbers))


@pytest.mark.parametrize("scenario", Scenario)
def test_nothing_passes_without_its_scenario(scenario: Scenario, evidence: Evidence, whole: Judged) -> None:
    """Without a scenario no requirement is judged of which it alone decides a case."""
    numbers = {x.n for x in evidence.exchanges if x.scenario is scenario}
    rest = without_scenario(evidence, scenario)
    for requirement in REQUIREMENTS:
        if any(set(decisive) <= numbers for decisive in unconditional_cases(requirement, whole).values()):
            assert_not_passed(requirement, rest)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.id)
def test_nothing_passes_on_empty_evidence(requirement: Requirement, evidence: Evidence) -> None:
    """On evidence without an exchange nothing is judged."""
    empty = replace(evidence, exchanges=(), notes=(), list_ends=(), all_spans=())
    result, _ = judge(requirement, empty)
    assert result.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}
