"""A run that was killed is called killed, and is inconclusive whatever it had found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.story import whole_view
from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, RequirementViolated
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.headline import headline
from purge_conformance.report.model import Cause, Finding, Outcome, Verdict

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}
VIOLATION = RequirementViolated((Finding("200", "500"),))


def killed_run(builder: EvidenceBuilder, *, sent: bool = True) -> RunBuilder:
    """Return what gathers the results of a run without its last record."""
    if sent:
        builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
        builder.add_exchange(Scenario.READS, Step.LIST)
    evidence = replace(builder.evidence, notes=())
    return RunBuilder(evidence, {name: REQUIREMENTS[name] for name in ("PURGE-01", "PURGE-02")})


@pytest.mark.parametrize(("sent", "where"), [(True, "ends in scenario reads"), (False, "has no request")])
def test_report_begins_with_the_kill(builder: EvidenceBuilder, *, sent: bool, where: str) -> None:
    """The first note says that the run was killed, and how far it came."""
    run = killed_run(builder, sent=sent).build()
    assert run.notes[0] == f"The run was killed: its evidence {where}."


def test_failure_of_killed_run_is_listed(builder: EvidenceBuilder) -> None:
    """What failed stays failed, but the verdict is inconclusive: later evidence could have changed its meaning."""
    one = killed_run(builder)
    one.record("PURGE-01", VIOLATION, None, 0.1)
    one.record("PURGE-02", None, whole_view(builder, "PURGE-02"), 0.1)
    run = one.build()
    assert (run.verdict, [r.outcome for r in run.requirements]) == (
        Verdict.INCONCLUSIVE,
        [Outcome.FAILED, Outcome.PASSED],
    )
    assert headline(run).startswith("The run was killed: 1 of 2 MUST requirements failed so far, and 0 could not")


def test_crash_is_no_defect(builder: EvidenceBuilder) -> None:
    """A judgment that crashes on evidence that ends in the middle does not accuse the suite."""
    result = killed_run(builder).record("PURGE-01", KeyError("guid"), None, 0.1)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.CONFIGURATION)
    assert "defect" not in result.reason + result.next_step


@pytest.mark.parametrize("name", [notes.LOST, notes.INTERRUPTED])
def test_run_that_was_cut_short(name: notes.NoteName[str], builder: EvidenceBuilder) -> None:
    """A lost target and a signal come before a failure, too; the run was not killed."""
    builder.add_note(Scenario.READS, name, "It ended.")
    one = RunBuilder(builder.evidence, {"PURGE-01": REQUIREMENTS["PURGE-01"]})
    one.record("PURGE-01", VIOLATION, None, 0.1)
    run = one.build()
    assert run.verdict is Verdict.INCONCLUSIVE
    assert headline(run) == "The run was cut short: 1 of 1 MUST requirement failed so far, and 0 could not be judged."


@pytest.mark.parametrize("error", [None, NotExercised("No purge was sent."), Inconclusive("It is odd.", Cause.TARGET)])
def test_run_that_ended_before_its_first_purge(error: Exception | None, builder: EvidenceBuilder) -> None:
    """Evidence of a run with exit code 2 says why that run ended, first and for each requirement that stays open."""
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
    builder.add_note(Scenario.ARCHIVE, notes.REFUSAL, "The archive is incomplete. Give --max-events 110.")
    one = RunBuilder(builder.evidence, {"PURGE-01": REQUIREMENTS["PURGE-01"]})
    view = builder.judgment_view
    view.cases["no-started-app"] = [1]  # and not the other one
    result = one.record("PURGE-01", error, view, 0.1)
    words = "The run ended before its first purge, with exit code 2"
    reason = f"{words}: The archive is incomplete. Give --max-events 110."
    assert (result.outcome, result.cause, result.reason) == (Outcome.NOT_EXERCISED, Cause.CONFIGURATION, reason)
    run = one.build()
    assert (run.notes[0], run.verdict) == (reason, Verdict.INCONCLUSIVE)
    assert headline(run).startswith(f"{words}: 0 of 1 MUST requirement failed so far, and 1 could not be judged.")
