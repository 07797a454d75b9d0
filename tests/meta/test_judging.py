"""Judging: what the end of a judgment means for its requirement, and for the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.assertions import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.engine.verdicts import MAX_EVIDENCE, RunBuilder, requirements_to_judge
from purge_conformance.errors import BadData, BadSetting
from purge_conformance.report.model import Cause, Finding, Outcome, Tally, Verdict

if TYPE_CHECKING:
    from conftest import Story

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}


def judging(story: Story, *names: str) -> RunBuilder:
    """Return a judging of these requirements."""
    return RunBuilder(story.evidence, {name: REQUIREMENTS[name] for name in names or ("PURGE-01",)})


@pytest.mark.parametrize(
    ("error", "outcome", "blame"),
    [
        (None, Outcome.PASSED, None),
        (RequirementViolated((Finding("200", "500"),)), Outcome.FAILED, Cause.TARGET),
        (Inconclusive("lost", Cause.NETWORK), Outcome.INCONCLUSIVE, Cause.NETWORK),
        (NotExercised("no token", Cause.CONFIGURATION), Outcome.NOT_EXERCISED, Cause.CONFIGURATION),
        (NotExercised("it did not occur"), Outcome.NOT_EXERCISED, Cause.TARGET),
        (KeyError("guid"), Outcome.INCONCLUSIVE, Cause.SUITE),
        (AssertionError("bare"), Outcome.INCONCLUSIVE, Cause.SUITE),
        (KeyboardInterrupt(), Outcome.INCONCLUSIVE, Cause.SUITE),
    ],
)
def test_end_has_meaning(error: BaseException | None, outcome: Outcome, blame: Cause | None, story: Story) -> None:
    """A judgment returns, or says how it ended; any other exception is the suite's defect, never the target's."""
    found = judging(story).record("PURGE-01", error, [], 0.1)
    assert (found.outcome, found.cause) == (outcome, blame)
    assert bool(found.reason) == (outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED})


def test_failure_names_its_exchange(story: Story) -> None:
    """A failure carries its findings, with the line that sends the request again, and the telling exchange first."""
    story.say("e", "s")
    story.purge("purge")
    found = judging(story).record(
        "PURGE-01", RequirementViolated((Finding("200", "500", 2), Finding("a", "b"))), [1, 2], 0.1
    )
    assert (found.evidence, found.findings[1].curl) == ((2, 1), None)
    assert found.findings[0].curl == f"curl -sS -i --path-as-is --globoff -X POST http://target.test{PURGE_PATH}"


def test_evidence_is_bounded(story: Story) -> None:
    """A result names each exchange once, and not more of them than anybody reads."""
    found = judging(story).record("PURGE-01", None, [*range(1, 100), *range(1, 100)], 0.1)
    assert found.evidence == tuple(range(1, MAX_EVIDENCE + 1))


def test_silence_is_inconclusive(story: Story) -> None:
    """A requirement on which no judgment reported is inconclusive by the suite's fault, and so is the verdict."""
    (found,) = judging(story).build().requirements
    assert (found.outcome, found.cause) == (Outcome.INCONCLUSIVE, Cause.SUITE)
    assert judging(story).build().verdict is Verdict.INCONCLUSIVE


def test_not_judged_gives_its_reason(story: Story) -> None:
    """A requirement that no run can judge is not exercised, and its reason is given."""
    (found,) = judging(story, "RACE-01").build().requirements
    assert (found.outcome, found.reason) == (Outcome.NOT_EXERCISED, REQUIREMENTS["RACE-01"].not_judged)
    assert found.conditional


def test_results_keep_the_order(story: Story) -> None:
    """Results stand in the order of the requirements, whichever came first."""
    one = judging(story, "PURGE-01", "PURGE-02")
    one.record("PURGE-02", None, [], 0)
    one.record("PURGE-01", None, [], 0)
    assert [r.id for r in one.build().requirements] == ["PURGE-01", "PURGE-02"]


def test_run_counts_what_was_sent(story: Story) -> None:
    """The run counts requests, the admin's purges, statuses by operation, and the time of each experiment."""
    story.purge("purge")
    story.purge("refused", role="none", status=401)
    story.say("refused", "look", status=418)
    run = judging(story).build()
    counted = {(c.operation, c.status): (c.documented, c.count) for c in run.coverage}
    assert (run.requests, run.purges) == (3, 1)
    assert counted["purgeAndSeedAppUsageEvents", 200] == (True, 1)
    assert counted["purgeAndSeedAppUsageEvents", 503] == (True, 0)
    assert counted["listAppUsageEvents", 418] == (False, 1)
    assert [(t.experiment, t.seconds, t.requests) for t in run.timings] == [("purge", 0.5, 1), ("refused", 1.5, 2)]


def test_empty_run_is_told(story: Story) -> None:
    """Evidence without an exchange makes a run without one, which is inconclusive."""
    run = judging(story).build()
    assert (run.requests, run.verdict, run.finished_at) == (0, Verdict.INCONCLUSIVE, run.started_at)


def test_timings_add_repetitions_up(story: Story) -> None:
    """What an experiment took is told of all its times together."""
    for experiment in ("race", "race 2", "race 2"):
        story.say(experiment, "first")
    assert [(t.experiment, t.seconds, t.requests) for t in judging(story).build().timings] == [("race", 2.0, 3)]


def test_notes_are_sentences(story: Story) -> None:
    """What a reader must know beside the results stands in the notes."""
    last = {"guid": "one", "created_at": "2026-07-01T12:00:00Z"}
    story.note("archive", "archived", {"events": 3, "complete": False, "last": last, "age": 61.0})
    story.note("foundation", "trouble", "POST /v3/apps made nothing")
    story.note("demolish", "left", ["/v3/apps/1"])
    for experiment in ("lists", "race", "race 2", "race 13"):
        story.note(experiment, "stopped", "The run's 600 requests are spent.")
    text = "\n".join(judging(story).build().notes)
    for words in (
        "3 events",
        "not complete",
        "one of 2026",
        "61 s old",
        "POST /v3/apps",
        "deletes it: /v3/apps/1",
        "lists was cut short: The run's 600",
        "race was cut short 3 times: The run's 600",
    ):
        assert words in text


def test_wanted_is_what_was_asked(story: Story) -> None:
    """Without other wishes the run's own profiles and globs are judged; others replace them."""
    assert {r.profile for r in requirements_to_judge(story.evidence, [], []).values()} == {"core"}
    assert set(requirements_to_judge(story.evidence, ["upstream"], ["UP-SEED-0*"])) == {
        f"UP-SEED-0{n}" for n in range(1, 5)
    }
    with pytest.raises(BadSetting):
        requirements_to_judge(story.evidence, [], ["NO-SUCH"])


def test_wanted_refuses_damaged_header(story: Story) -> None:
    """A header that does not say what was asked for is bad data."""
    story.evidence.header.settings.pop("select")
    try:
        with pytest.raises(BadData, match="Restore"):
            requirements_to_judge(story.evidence, [], [])
    finally:
        story.evidence.header.settings["select"] = []


@pytest.mark.parametrize(
    ("error", "told"),
    [(None, True), (RequirementViolated((Finding("200", "500", 1, passing=2),)), True), (KeyError("guid"), False)],
)
def test_trials_are_told(error: BaseException | None, told: bool, story: Story) -> None:  # noqa: FBT001
    """A result says how often its requirement was tried, if it was judged, and shows a trial that passed."""
    story.purge("purge")
    story.purge("repeat")
    found = judging(story).record("PURGE-01", error, [], 0.1, Tally(2, 1, is_flaky=True))
    assert (found.tally.trials == 2) is told
    if found.findings:
        assert (found.evidence, found.findings[0].passing) == ((1, 2), 2)
