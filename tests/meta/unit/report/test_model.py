"""The verdict: only a MUST decides, and an unjudged requirement is no pass."""

from __future__ import annotations

import pytest

from meta.support.results import requirement
from purge_conformance.catalogue.model import Level
from purge_conformance.report.model import EXIT_CODES, Outcome, Result, Scope, Tally, Verdict, is_undecided, roll_up


def result(outcome: Outcome, level: Level = Level.MUST, *, conditional: bool = False) -> Result:
    """Return a minimal result."""
    occasion = "a 409 occurs" if conditional else None
    return Result(requirement("A-1", level, conditional=occasion), outcome)


PASS = result(Outcome.PASSED)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (PASS, Verdict.CONFORMANT),
        (result(Outcome.FAILED), Verdict.NON_CONFORMANT),
        (result(Outcome.FAILED, conditional=True), Verdict.NON_CONFORMANT),
        (result(Outcome.INCONCLUSIVE), Verdict.INCONCLUSIVE),
        (result(Outcome.INCONCLUSIVE, conditional=True), Verdict.INCONCLUSIVE),
        (result(Outcome.NOT_EXERCISED), Verdict.INCONCLUSIVE),
        (result(Outcome.NOT_EXERCISED, conditional=True), Verdict.CONFORMANT),
        (result(Outcome.FAILED, Level.SHOULD), Verdict.CONFORMANT),
        (result(Outcome.INCONCLUSIVE, Level.MAY), Verdict.CONFORMANT),
    ],
)
def test_verdict_follows_level_and_outcome(other: Result, verdict: Verdict) -> None:
    """One requirement beside a pass gives the verdict of its level and outcome."""
    assert roll_up([PASS, other]) is verdict


def test_failure_decides_verdict() -> None:
    """A failure decides the verdict even if another requirement is inconclusive."""
    assert roll_up([result(Outcome.INCONCLUSIVE), result(Outcome.FAILED)]) is Verdict.NON_CONFORMANT


@pytest.mark.parametrize("rows", [[], [result(Outcome.PASSED, Level.SHOULD)]])
def test_verdict_without_must(rows: list[Result]) -> None:
    """Without a judged MUST the verdict is inconclusive."""
    assert roll_up(rows) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("scope", [Scope(select=("*",)), Scope(("observe-only",)), Scope(("observe-only", "upstream"))])
@pytest.mark.parametrize(
    ("rows", "verdict", "code"),
    [
        ([PASS], Verdict.PARTIAL, 0),
        ([PASS, result(Outcome.NOT_EXERCISED, conditional=True)], Verdict.PARTIAL, 0),
        ([result(Outcome.FAILED, Level.SHOULD), result(Outcome.INCONCLUSIVE, Level.MAY)], Verdict.PARTIAL, 0),
        ([], Verdict.PARTIAL, 0),
        ([PASS, result(Outcome.INCONCLUSIVE)], Verdict.INCONCLUSIVE, 3),
        ([PASS, result(Outcome.NOT_EXERCISED)], Verdict.INCONCLUSIVE, 3),
        ([result(Outcome.INCONCLUSIVE), result(Outcome.FAILED)], Verdict.NON_CONFORMANT, 1),
    ],
)
def test_selection_is_at_best_partial(rows: list[Result], verdict: Verdict, code: int, scope: Scope) -> None:
    """What is less than a whole profile is never conformant, also if it selects every requirement or no MUST."""
    assert (roll_up(rows, scope), EXIT_CODES[verdict]) == (verdict, code)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("conditional", [True, False])
def test_undecided_matches_verdict(level: Level, outcome: Outcome, conditional: bool) -> None:  # noqa: FBT001 -- pytest
    """The undecided requirements of a report are exactly those that make a verdict inconclusive."""
    one = result(outcome, level, conditional=conditional)
    assert is_undecided(one) == (roll_up([PASS, one]) is Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(("trials", "bound"), [(1, 0.95), (7, 0.3482), (40, 0.0722), (1000, 0.003)])
def test_rate_bound_is_exact(trials: int, bound: float) -> None:
    """The bound of a pass is the highest rate at which no failure occurs once in twenty times."""
    found = Tally(trials).upper_bound()
    assert found == pytest.approx(bound, abs=5e-5)
    assert (1 - found) ** trials == pytest.approx(0.05)
