"""Cases: a pass covers each unconditional case of its requirement, and says how many trials of each were judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.results import requirement
from purge_conformance.analysis.assertions import require_each_trial
from purge_conformance.analysis.next_steps import AFTER_RATE_LIMIT
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, RequirementViolated, Trial
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.model import Case, Level
from purge_conformance.engine.next_steps import COLLECT_AGAIN
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause, Finding, Outcome, Verdict

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.report.model import Result

GOOD, OTHER = Case("good", "A good one answers 200.", "1.0"), Case("other", "Another one answers 200.", "1.0")
ROLE = Case("role", "A role answers 200.", "1.0", conditional="a token of a role is given")
LATER = Case("later", "A later one answers 200.", "1.1")
READS = {"scenarios": (str(Scenario.READS),)}


def record(view: JudgmentView, *cases: Case, error: Exception | None = None, **members: Any) -> Result:  # noqa: ANN401 -- as in requirement()
    """Return the result of a judgment that ended like this."""
    judged = requirement("X-01", cases=cases, **{**READS, **members})
    return RunBuilder(view.full_evidence, {"X-01": judged}).record("X-01", error, view, 0.0)


def test_pass_lists_trials_of_each_case(builder: EvidenceBuilder) -> None:
    """A pass has the number of trials of each case; what a conditional one needs is listed, and keeps nothing open."""
    for _ in range(3):
        builder.add_exchange(Scenario.READS, Step.LIST)
    view = builder.judgment_view
    view.count("good", view.of(Scenario.READS))
    view.count("other", [2])
    result = record(view, GOOD, OTHER, ROLE)
    assert (result.outcome, result.cases) == (Outcome.PASSED, {"good": 3, "other": 1, "role": 0})
    assert result.untried == {"role": ROLE.conditional}


@pytest.mark.parametrize("level", [Level.MUST, Level.SHOULD, Level.MAY])
def test_untried_case_is_inconclusive(level: Level, builder: EvidenceBuilder) -> None:
    """An unconditional case that was not tried makes a pass inconclusive; the reason says which one."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    view = builder.judgment_view
    view.count("good", [1])
    result = record(view, GOOD, OTHER, level=level)
    assert (result.outcome, result.cases) == (Outcome.INCONCLUSIVE, {"good": 1, "other": 0})
    assert "other (Another one answers 200)" in result.reason
    assert "good" not in result.reason
    assert result.next_step


def test_case_left_out_by_limit_keeps_nothing_open(builder: EvidenceBuilder) -> None:
    """A case for which --max-purges left its own scenario no purge is listed, and keeps nothing open."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    builder.add_note(Scenario.READS, notes.LEFT_OUT, ["other"])
    builder.add_note(Scenario.LISTS, notes.LEFT_OUT, ["good"])
    view = builder.judgment_view
    view.count("good", [1])
    result = record(view, GOOD, OTHER)
    assert (result.outcome, result.cases) == (Outcome.PASSED, {"good": 1, "other": 0})
    assert "--max-purges" in result.untried["other"]
    view = builder.judgment_view
    view.count("other", [1])
    assert record(view, GOOD, OTHER).outcome is Outcome.INCONCLUSIVE


def test_undeclared_case_is_defect(builder: EvidenceBuilder) -> None:
    """A judgment that counts a case that its requirement does not declare is a defect of the suite."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    view = builder.judgment_view
    view.count("typo", [1])
    result = record(view, GOOD)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.SUITE)
    assert "typo" in result.reason


@pytest.mark.parametrize("status", [429, None])
def test_unanswered_request_decides_no_case(status: int | None, builder: EvidenceBuilder) -> None:
    """A request that the target did not process is no trial; the reason counts such requests."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    for _ in range(2):
        builder.add_exchange(Scenario.READS, Step.GET, status=status, error=None if status else "it timed out")
    view = builder.judgment_view
    view.count("good", view.of(Scenario.READS, Step.LIST))
    view.count("other", view.of(Scenario.READS, Step.GET))
    result = record(view, GOOD, OTHER)
    words = "rate limited (429): 2" if status else "no response (it timed out): 2"
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.NETWORK)
    assert f"Of 3 requests the target itself answered 1; {words}. Not judged for this reason: other" in result.reason
    assert (result.next_step == AFTER_RATE_LIMIT) == (status is not None)


def test_reason_of_judgment_comes_first(builder: EvidenceBuilder) -> None:
    """A judgment may know better why it could not try a case."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    view = builder.judgment_view
    view.count("good", [1])
    view.explain("other", NotExercised("No event was left.", Cause.RACE, "Run again alone."))
    result = record(view, GOOD, OTHER)
    assert result.reason.startswith("No event was left. Not judged for this reason: other")
    assert (result.outcome, result.cause, result.next_step) == (Outcome.INCONCLUSIVE, Cause.RACE, "Run again alone.")


def test_budget_is_named(builder: EvidenceBuilder) -> None:
    """A case that was not tried since its scenario was cut short has this as its reason."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    builder.add_note(Scenario.READS, notes.STOPPED, "The run's 60 requests are spent.")
    view = builder.judgment_view
    view.count("good", [1])
    result = record(view, GOOD, OTHER)
    assert (result.cause, result.reason.startswith("The run's 60 requests are spent.")) == (Cause.CONFIGURATION, True)


def test_newer_case_keeps_nothing_open(builder: EvidenceBuilder) -> None:
    """A case that is newer than the evidence is listed with both sets; with evidence of its own set it is open."""
    builder.add_exchange(Scenario.READS, Step.LIST)
    view = builder.judgment_view
    view.count("good", [1])
    result = record(view, GOOD, LATER)
    assert (result.outcome, result.untried) == (
        Outcome.PASSED,
        {"later": "evidence of requirement set 1.1; this one is of set 1.0"},
    )
    evidence = replace(builder.evidence, header=replace(builder.evidence.header, requirement_set="1.1"))
    view = JudgmentView(evidence)
    view.count("good", [1])
    assert record(view, GOOD, LATER).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("error", [Inconclusive("Cut short.", Cause.CONFIGURATION), NotExercised("Nothing was sent.")])
def test_newer_requirement_keeps_nothing_open(error: Exception, builder: EvidenceBuilder) -> None:
    """A requirement that is newer than the evidence and not judged is not exercised, and keeps no verdict open."""
    judged = {"X-01": requirement("X-01", since="1.1"), "X-02": requirement("X-02")}
    one = RunBuilder(builder.evidence, judged)
    result = one.record("X-01", error, None, 0.0)
    assert (result.outcome, result.newer_than_evidence) == (Outcome.NOT_EXERCISED, True)
    assert "evidence of requirement set 1.1; this one is of set 1.0" in result.reason
    assert result.next_step == COLLECT_AGAIN
    one.record("X-02", None, None, 0.0)
    assert one.build().verdict is Verdict.CONFORMANT


def test_newer_requirement_may_fail(builder: EvidenceBuilder) -> None:
    """A violation that old evidence shows counts, however new its requirement is."""
    error = RequirementViolated((Finding("200", "500"),))
    result = record(builder.judgment_view, LATER, error=error, since="1.1")
    assert (result.outcome, result.newer_than_evidence) == (Outcome.FAILED, False)


def test_trial_counts_for_its_case(builder: EvidenceBuilder) -> None:
    """A trial names its case, and a violation the first violated case."""
    for _ in range(3):
        builder.add_exchange(Scenario.READS, Step.LIST)
    view = builder.judgment_view
    require_each_trial(view, [Trial(1, (), case="good"), Trial(2, (), case="other"), Trial(3, ())])
    assert view.cases == {"good": [1], "other": [2]}
    require_each_trial(view, [Trial(3, ())], case="role")
    assert view.cases["role"] == [3]
    with pytest.raises(RequirementViolated) as caught:
        require_each_trial(view, [Trial(1, (), case="good"), Trial(2, (Finding("a", "b"),), case="other")])
    assert caught.value.case == "other"
