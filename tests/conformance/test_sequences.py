"""Random sequences of everything that the apps and the events can go through, against a model of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.app_model.expectations import DisagreementKind
from purge_conformance.analysis.assertions import raise_if_cut_short, require_each_trial
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Trial
from purge_conformance.analysis.sequence import sequence_runs
from purge_conformance.analysis.sequence_script import render_script
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.analysis.sequence import SequenceRun
    from purge_conformance.analysis.view import JudgmentView


CASES = {
    DisagreementKind.WRONG_READ: "filtered-reads",
    DisagreementKind.PURGE_FAILED: "purge-answers",
    DisagreementKind.PURGE_NOT_REJECTED: "purge-answers",
}


@pytest.mark.requirement("MODEL-01")
def test_list_matches_model(view: JudgmentView) -> None:
    """After any sequence of app changes and purges the list MUST show exactly the events that follow from it."""
    runs = list(sequence_runs(view))
    disagreeing = next((play for play in runs if play.disagreement), None)
    if disagreeing is None or disagreeing.disagreement is None:
        _require_completed(view, runs)
        require_each_trial(view, map(_passing_trial, runs))
        return
    reproductions = [
        play
        for play in runs
        if play.is_shrunk and play.disagreement and play.disagreement.kind is disagreeing.disagreement.kind
    ]
    if disagreeing.disagreement.suggests_foreign_purge and not reproductions:
        raise Inconclusive("Every event except the seeded ones is gone: another client may have purged.", Cause.RACE)
    finding = _describe_disagreement(
        view, min([disagreeing, *reproductions], key=lambda play: play.length), reproductions
    )
    full_runs = [play for play in runs if not play.is_shrunk]
    require_each_trial(
        view,
        (replace(_passing_trial(play), findings=(finding,) if play is disagreeing else ()) for play in full_runs),
        CASES.get(disagreeing.disagreement.kind, "listed-events"),
    )


def _passing_trial(run: SequenceRun) -> Trial:
    """Return a sequence that was played as a trial, of which nothing is wrong."""
    return Trial(run.executed_steps[-1].response.n if run.executed_steps else 0, (), " ".join(map(str, run.steps)))


def _require_completed(view: JudgmentView, runs: Sequence[SequenceRun]) -> None:
    """Return if whole sequences were played, and a purge seeded something in one.

    Raises:
        Inconclusive: they were cut short.
        NotExercised: there was none, or none with a started app.
    """
    raise_if_cut_short(view, Scenario.SEQUENCES)
    if abort_reasons := [play.trace.abort_reason for play in runs if play.trace.abort_reason]:
        raise Inconclusive(f"a sequence could not be followed to its end: {abort_reasons[0]}", Cause.TARGET)
    if not any(play.trace.seed_guids for play in runs):
        error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR) or view.note(Scenario.FOUNDATION, notes.UNTIMED)
        error = error or "no app of the suite's own was started when a purge came"
        raise NotExercised(str(error), Cause.CONFIGURATION, get_apps(view))


def _describe_disagreement(view: JudgmentView, run: SequenceRun, reproductions: Sequence[SequenceRun]) -> Finding:
    """Tell where the target disagrees in the shortest sequence, with a script that does it again."""
    disagreement = run.disagreement
    assert disagreement
    words = f"after step {run.length} of {run.length}, {disagreement.step}: {disagreement.expected}"
    not_reproduced = (
        "" if reproductions else f"; played {sum(1 for _ in sequence_runs(view)) - 1} times more, it did not come again"
    )
    return Finding(words, disagreement.got + not_reproduced, disagreement.exchange, script=render_script(view, run))
