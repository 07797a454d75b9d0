"""Verdicts: from the end of a judgment to the outcome of its requirement and the run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from meta.support.story import whole_view
from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import (
    Inconclusive,
    NotExercised,
    RequirementViolated,
)
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.engine.verdicts import MAX_EXCHANGES, RunBuilder
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Place, Scenario, Step
from purge_conformance.report.model import Cause, Finding, Outcome, Tally, Verdict

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}


def judging(builder: EvidenceBuilder, *names: str) -> RunBuilder:
    """Return a run builder with these requirements."""
    return RunBuilder(builder.evidence, {name: REQUIREMENTS[name] for name in names or ("PURGE-01",)})


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        (None, Outcome.PASSED, None),
        (RequirementViolated((Finding("200", "500"),)), Outcome.FAILED, Cause.TARGET),
        (Inconclusive("lost", Cause.NETWORK), Outcome.INCONCLUSIVE, Cause.NETWORK),
        (NotExercised("no token", Cause.CONFIGURATION), Outcome.NOT_EXERCISED, Cause.CONFIGURATION),
        (NotExercised("not sent"), Outcome.NOT_EXERCISED, Cause.CONFIGURATION),
        (NotExercised("not sent", Cause.TARGET, "Fix it."), Outcome.NOT_EXERCISED, Cause.TARGET),
        (KeyError("guid"), Outcome.INCONCLUSIVE, Cause.SUITE),
        (AssertionError("bare"), Outcome.INCONCLUSIVE, Cause.SUITE),
        (KeyboardInterrupt(), Outcome.INCONCLUSIVE, Cause.SUITE),
    ],
)
def test_exception_maps_to_outcome(
    error: BaseException | None, outcome: Outcome, cause: Cause | None, builder: EvidenceBuilder
) -> None:
    """A judgment returns or raises its outcome; any other exception is a defect of the suite."""
    result = judging(builder).record("PURGE-01", error, whole_view(builder, "PURGE-01"), 0.1)
    assert (result.outcome, result.cause) == (outcome, cause)
    assert bool(result.reason) == (outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED})


def test_failure_names_its_exchange(builder: EvidenceBuilder) -> None:
    """A failure has its findings, the curl line, and the exchange of the finding first."""
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
    builder.add_purge(Scenario.PURGE)
    error = RequirementViolated((Finding("200", "500", 2), Finding("a", "b")))
    view = builder.judgment_view
    view.read_exchanges.extend([1, 2])
    result = judging(builder).record("PURGE-01", error, view, 0.1)
    assert (result.exchanges, result.findings[1].curl) == ((2, 1), None)
    assert result.findings[0].curl == f"curl -sS -i --path-as-is --globoff -X POST http://target.test{PURGE_PATH}"


def test_evidence_is_bounded(builder: EvidenceBuilder) -> None:
    """A result names each exchange once, up to a limit."""
    view = whole_view(builder, "PURGE-01")
    view.read_exchanges[:] = [*range(1, 100), *range(1, 100)]
    result = judging(builder).record("PURGE-01", None, view, 0.1)
    assert result.exchanges == tuple(range(1, MAX_EXCHANGES + 1))


def test_missing_judgment_is_inconclusive(builder: EvidenceBuilder) -> None:
    """A requirement without a judgment is inconclusive with the suite as cause, and so is the verdict."""
    (result,) = judging(builder).build().requirements
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.SUITE)
    assert judging(builder).build().verdict is Verdict.INCONCLUSIVE


def test_unjudged_requirement_has_reason(builder: EvidenceBuilder) -> None:
    """A requirement that no run can judge is not exercised, with its reason."""
    (result,) = judging(builder, "RACE-01").build().requirements
    assert (result.outcome, result.reason) == (Outcome.NOT_EXERCISED, REQUIREMENTS["RACE-01"].not_judged)
    assert (result.is_conditional, result.next_step) == (True, "Nothing to do: no run can judge it.")


def test_results_follow_catalogue_order(builder: EvidenceBuilder) -> None:
    """Results are in the order of the requirements."""
    one = judging(builder, "PURGE-01", "PURGE-02")
    one.record("PURGE-02", None, whole_view(builder, "PURGE-02"), 0)
    one.record("PURGE-01", None, whole_view(builder, "PURGE-01"), 0)
    assert [r.id for r in one.build().requirements] == ["PURGE-01", "PURGE-02"]


def test_run_counts_what_was_sent(builder: EvidenceBuilder) -> None:
    """The run counts requests, admin purges, statuses by operation, and the time of each scenario."""
    builder.add_purge(Scenario.PURGE)
    builder.add_purge(Scenario.REJECTED_PURGES, Step.CREDENTIAL, role="none", status=401)
    builder.add_exchange(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, status=418)
    run = judging(builder).build()
    counted = {(c.operation, c.status): (c.documented, c.count) for c in run.statuses}
    assert (run.requests, run.purges) == (3, 1)
    assert counted["purgeAndSeedAppUsageEvents", 200] == (True, 1)
    assert counted["purgeAndSeedAppUsageEvents", 503] == (True, 0)
    assert counted["listAppUsageEvents", 418] == (False, 1)
    assert [(t.scenario, t.seconds, t.requests) for t in run.timings] == [
        (Scenario.PURGE, 0.5, 1),
        (Scenario.REJECTED_PURGES, 1.5, 2),
    ]


def test_empty_run_is_inconclusive(builder: EvidenceBuilder) -> None:
    """Evidence without an exchange is inconclusive."""
    run = judging(builder).build()
    assert (run.requests, run.verdict, run.finished_at) == (0, Verdict.INCONCLUSIVE, run.started_at)


def test_timings_sum_repetitions(builder: EvidenceBuilder) -> None:
    """The timing of a scenario is the sum of its repetitions."""
    for number in (1, 2, 2):
        builder.add_exchange(Scenario.RACE, Place(Step.CONCURRENT, 1), round=number)
    timings = judging(builder).build().timings
    assert [(t.scenario, t.seconds, t.requests) for t in timings] == [(Scenario.RACE, 2.0, 3)]


def test_notes_are_sentences(builder: EvidenceBuilder) -> None:
    """The notes contain what a reader must know besides the results."""
    last = {"guid": "one", "created_at": "2026-07-01T12:00:00Z"}
    builder.add_note(Scenario.ARCHIVE, notes.ARCHIVED, {"events": 3, "complete": False, "last": last, "age": 61.0})
    builder.add_note(Scenario.FOUNDATION, notes.APPS_ERROR, "POST /v3/apps made nothing")
    builder.add_note(Scenario.CLEANUP, notes.LEFT, ["/v3/apps/1"])
    for scenario, number in ((Scenario.LISTS, 1), (Scenario.RACE, 1), (Scenario.RACE, 2), (Scenario.RACE, 13)):
        builder.add_note(scenario, notes.STOPPED, "The run's 600 requests are spent.", round=number)
    text = "\n".join(judging(builder).build().notes)
    for words in (
        "archive.jsonl.gz holds 3 of the events",
        "is incomplete",
        "one of 2026",
        "61 s old",
        "POST /v3/apps",
        "Not deleted on the target: /v3/apps/1. To delete them: purge-conformance cleanup",
        "Cut short: lists, race (3 times). The run's 600",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("error", "is_reported"),
    [
        (None, True),
        (RequirementViolated((Finding("200", "500", 1, passing_exchange=2),)), True),
        (KeyError("guid"), False),
    ],
)
def test_trials_are_reported(error: BaseException | None, is_reported: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001
    """A result has the number of trials if it was judged, and shows a trial that passed."""
    builder.add_purge(Scenario.PURGE)
    builder.add_purge(Scenario.REPEAT, Place(Step.PURGE, 1))
    view = whole_view(builder, "PURGE-01")
    object.__setattr__(view, "tally", Tally(2, 1, is_flaky=True))
    result = judging(builder).record("PURGE-01", error, view, 0.1)
    assert (result.tally.trials == 2) is is_reported
    if result.findings:
        assert (result.exchanges, result.findings[0].passing_exchange) == ((1, 2), 2)


@pytest.mark.parametrize(("names", "expected"), [(["PURGE-01"], ["PURGE-01"]), (["PURGE-01", "PURGE-02"], None)])
def test_selection_by_pytest_leaves_out_the_rest(
    names: list[str], expected: list[str] | None, builder: EvidenceBuilder
) -> None:
    """Only selected judgments are expected; a requirement without a judgment stays if nothing was left out."""
    one = judging(builder, "PURGE-01", "PURGE-02", "RACE-01")
    one.expect_only(names)
    assert list(one.expected) == (expected or ["PURGE-01", "PURGE-02", "RACE-01"])
    assert list(one.scope.select) == (expected or [])


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("kind", [Inconclusive, NotExercised])
def test_every_cause_has_next_step(kind: type[Inconclusive], cause: Cause, builder: EvidenceBuilder) -> None:
    """A requirement that was not judged always has a next step; a judgment's own one comes first."""
    result = judging(builder).record("PURGE-01", kind("why", cause), None, 0.1)
    assert re.search(r"--[a-z]|`purge-conformance |Fix |Run again|report it", result.next_step)
    own = judging(builder).record("PURGE-01", kind("why", cause, "Give --hook URL."), None, 0.1)
    assert own.next_step == "Give --hook URL."


def test_missing_occasion_names_it(builder: EvidenceBuilder) -> None:
    """A conditional requirement without its occasion says what it needs, unless the judgment knows a next step."""
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
    result = judging(builder, "ERROR-06").record("ERROR-06", NotExercised("No 409 occurred."), None, 0.1)
    assert result.next_step == f"Nothing to do: it is judged only if {REQUIREMENTS['ERROR-06'].conditional}."
