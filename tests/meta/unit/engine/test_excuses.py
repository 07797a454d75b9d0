"""Excuses: a violation is inconclusive where a failed prerequisite or another client's purge may be its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.story import whole_view
from purge_conformance import catalogue
from purge_conformance.analysis.next_steps import RUN_ALONE
from purge_conformance.analysis.outcomes import (
    AttributableViolation,
    NotExercised,
    PrerequisiteFailed,
    RequirementViolated,
)
from purge_conformance.engine import verdicts
from purge_conformance.engine.next_steps import FIX_FAILED
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.report.model import Cause, Finding, Outcome

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}


def judging(builder: EvidenceBuilder, *names: str) -> RunBuilder:
    """Return a run builder with these requirements."""
    return RunBuilder(builder.evidence, {name: REQUIREMENTS[name] for name in names})


VIOLATION = RequirementViolated((Finding("200", "500"),))


@pytest.fixture
def violated(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The ids of requirements whose judgments fail if the engine runs them by itself."""
    ids: set[str] = set()
    monkeypatch.setattr(verdicts, "judge", lambda name, _: VIOLATION if name in ids else None)
    return ids


@pytest.fixture
def foreign_purge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence of another client's purge, between the exchanges 3 and 7."""
    monkeypatch.setattr(verdicts, "find_foreign_purge", lambda _: (3, 7))


def test_failure_rests_on_prerequisites(builder: EvidenceBuilder, violated: set[str]) -> None:
    """A failure is inconclusive if a requirement that it rests on fails, also one that was not selected."""
    violated |= {"AUTH-11", "PURGE-01"}
    result = judging(builder, "AUTH-12").record("AUTH-12", VIOLATION, None, 0.1)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.TARGET)
    assert result.reason == "Not judged: AUTH-11, which it depends on, failed."
    assert result.blocked_by == ("AUTH-11",)
    assert result.next_step == "Fix AUTH-11 first, then run again."
    assert (result.findings, [r.id for r in judging(builder, "AUTH-12").build().requirements]) == ((), ["AUTH-12"])


def test_failure_without_failed_prerequisite_stays(builder: EvidenceBuilder, violated: set[str]) -> None:
    """A failure stays one if all that it rests on holds, whatever else fails."""
    violated |= {"AUTH-01", "PURGE-01"}
    assert judging(builder, "AUTH-12").record("AUTH-12", VIOLATION, None, 0.1).outcome is Outcome.FAILED


def test_pass_needs_no_prerequisite(builder: EvidenceBuilder, violated: set[str]) -> None:
    """A pass stays a pass, and what was not exercised stays so, whatever fails."""
    violated |= {"AUTH-11"}
    assert (
        judging(builder, "AUTH-12").record("AUTH-12", None, whole_view(builder, "AUTH-12"), 0.1).outcome
        is Outcome.PASSED
    )
    idle = judging(builder, "AUTH-12").record("AUTH-12", NotExercised("nothing was sent"), None, 0.1)
    assert idle.outcome is Outcome.NOT_EXERCISED
    assert idle.reason.startswith("nothing was sent")


def test_recorded_violation_counts(builder: EvidenceBuilder, violated: set[str]) -> None:
    """What a recorded judgment found counts, and is not judged again."""
    violated |= {"AUTH-11"}
    one = judging(builder, "AUTH-11", "AUTH-12")
    one.record("AUTH-11", None, whole_view(builder, "AUTH-11"), 0.1)
    assert one.record("AUTH-12", VIOLATION, None, 0.1).outcome is Outcome.FAILED
    one.record("AUTH-11", VIOLATION, None, 0.1)
    assert one.record("AUTH-12", VIOLATION, None, 0.1).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("case", "failed", "outcome"),
    [
        ("listed-events", "LIST-04", Outcome.FAILED),
        ("listed-events", "PURGE-03", Outcome.INCONCLUSIVE),
        ("filtered-reads", "LIST-04", Outcome.INCONCLUSIVE),
        ("filtered-reads", "PURGE-03", Outcome.FAILED),
        (None, "PURGE-03", Outcome.FAILED),
    ],
)
def test_case_has_its_own_prerequisites(
    case: str | None, failed: str, outcome: Outcome, builder: EvidenceBuilder, violated: set[str]
) -> None:
    """The case that failed adds what it rests on."""
    violated.add(failed)
    error = RequirementViolated(VIOLATION.findings, case)
    assert judging(builder, "MODEL-01").record("MODEL-01", error, None, 0.1).outcome is outcome


@pytest.mark.parametrize(
    ("failed", "reason", "next_step"),
    [
        (set(), "Plain purges already fail.", FIX_FAILED),
        ({"PURGE-03", "LIST-01"}, "Plain purges already fail (PURGE-03).", "Fix PURGE-03 first, then run again."),
        (
            {"PURGE-03", "SEED-01"},
            "Plain purges already fail (PURGE-03, SEED-01).",
            "Fix PURGE-03 and SEED-01 first, then run again.",
        ),
    ],
)
def test_failed_prerequisites_are_named(
    failed: set[str], reason: str, next_step: str, builder: EvidenceBuilder, violated: set[str]
) -> None:
    """A judgment whose assumptions do not hold names those of them that failed, and no others."""
    violated |= failed
    result = judging(builder, "AGAIN-02").record("AGAIN-02", PrerequisiteFailed("plain purges already fail"), None, 0.1)
    assert (result.outcome, result.reason, result.next_step) == (Outcome.INCONCLUSIVE, reason, next_step)


def test_long_lists_of_ids_are_cut(builder: EvidenceBuilder, violated: set[str]) -> None:
    """Of many failed prerequisites the first ones are named, and the rest is counted."""
    violated |= set(REQUIREMENTS)
    error = RequirementViolated(VIOLATION.findings, "listed-events")
    result = judging(builder, "MODEL-01").record("MODEL-01", error, None, 0.1)
    assert result.reason.startswith("Not judged: PURGE-01, PURGE-03, ")
    assert result.reason.endswith(" and 24 more, which it depends on, failed.")


@pytest.mark.usefixtures("foreign_purge")
@pytest.mark.parametrize(
    ("name", "error", "outcome"),
    [
        ("SEED-01", VIOLATION, Outcome.INCONCLUSIVE),
        ("SEED-01", AttributableViolation(VIOLATION.findings), Outcome.FAILED),
        ("PURGE-02", VIOLATION, Outcome.FAILED),
    ],
)
def test_foreign_purge_excuses(
    name: str, error: RequirementViolated, outcome: Outcome, builder: EvidenceBuilder
) -> None:
    """A foreign purge makes a failure inconclusive if it disturbs the requirement and may be the reason."""
    result = judging(builder, name).record(name, error, None, 0.1)
    assert result.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert (result.cause, "between exchanges 3 and 7" in result.reason) == (Cause.RACE, True)


@pytest.mark.usefixtures("foreign_purge")
@pytest.mark.parametrize(
    ("prerequisites", "cause"), [({"SEED-01"}, Cause.RACE), ({"SEED-01", "AUTH-01"}, Cause.TARGET)]
)
@pytest.mark.parametrize(
    "error",
    [PrerequisiteFailed("plain purges already fail"), RequirementViolated(VIOLATION.findings, "listed-events")],
)
def test_excused_prerequisites_pass_on_their_cause(
    error: BaseException, prerequisites: set[str], cause: Cause, builder: EvidenceBuilder, violated: set[str]
) -> None:
    """If another client's purge excuses all failed prerequisites, nothing is to be fixed; one real failure is."""
    violated |= prerequisites
    result = judging(builder, "MODEL-01").record("MODEL-01", error, None, 0.1)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, cause)
    assert (result.next_step == RUN_ALONE) == (cause is Cause.RACE)
    assert ("Another client purged" in result.reason) == (cause is Cause.RACE)


@pytest.mark.usefixtures("foreign_purge")
def test_prerequisite_that_no_purge_explains_stays_failed(
    builder: EvidenceBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prerequisite whose violation no other client can have caused is to be fixed."""
    attributable = AttributableViolation(VIOLATION.findings)
    monkeypatch.setattr(verdicts, "judge", lambda name, _: attributable if name == "PURGE-03" else None)
    error = PrerequisiteFailed("plain purges already fail")
    result = judging(builder, "AGAIN-02").record("AGAIN-02", error, None, 0.1)
    assert (result.cause, result.next_step) == (Cause.TARGET, "Fix PURGE-03 first, then run again.")


def test_crashed_prerequisite_is_defect_of_suite(builder: EvidenceBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the judgment of a prerequisite crashes, a failure that rests on it is inconclusive, caused by the suite."""
    monkeypatch.setattr(verdicts, "judge", lambda name, _: KeyError("guid") if name == "AUTH-11" else None)
    result = judging(builder, "AUTH-12").record("AUTH-12", VIOLATION, None, 0.1)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.SUITE)
    assert result.reason == "Not judged: the judgment of AUTH-11, which it depends on, crashed."
    one = judging(builder, "AUTH-11", "AUTH-12")
    one.record("AUTH-11", KeyError("guid"), None, 0.1)
    assert one.record("AUTH-12", VIOLATION, None, 0.1).cause is Cause.SUITE
    assert one.record("AUTH-12", None, whole_view(builder, "AUTH-12"), 0.1).outcome is Outcome.PASSED


def test_violated_prerequisite_precedes_crashed_one(builder: EvidenceBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prerequisite that is known to be violated is named, whatever crashed."""
    ends = {"PURGE-03": VIOLATION, "PURGE-01": KeyError("guid")}
    monkeypatch.setattr(verdicts, "judge", lambda name, _: ends.get(name))
    error = RequirementViolated(VIOLATION.findings, "listed-events")
    result = judging(builder, "MODEL-01").record("MODEL-01", error, None, 0.1)
    assert (result.cause, result.next_step) == (Cause.TARGET, "Fix PURGE-03 first, then run again.")
