"""Random sequences of everything that the apps and the events can go through, against a model of them."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.app_model.expectations import DisagreementKind
from purge_conformance.analysis.assertions import (
    Inconclusive,
    JudgmentView,
    NotExercised,
    RequirementViolated,
    Trial,
    Undecided,
    raise_if_cut_short,
    require_each_trial,
)
from purge_conformance.analysis.sequence import sequence_runs
from purge_conformance.analysis.sequence_script import render_script
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purge_conformance.analysis.sequence import SequenceRun

# The judgments of what is simple, by their files: they name what they see, and the model need not name it again.
SIMPLER_JUDGMENTS = ("purge", "seed", "afterwards", "refused", "authentication")
SIMPLER_READ_JUDGMENTS = ("list_filters", "list_pages", "get", "seed")
NOT_MODELED = {"PURGE-02", "SEED-06", "SEED-07", "AUTH-05", "AUTH-06", "AUTH-08"}  # of bodies, times and reads


@pytest.mark.requirement("MODEL-01")
def test_list_matches_model(view: JudgmentView) -> None:
    """After any sequence of starts, stops, scalings, deletions and purges the list MUST show what follows from it."""
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
    if simpler_failures := list(
        _failing_simpler_requirements(
            view,
            SIMPLER_READ_JUDGMENTS
            if disagreeing.disagreement.kind is DisagreementKind.WRONG_READ
            else SIMPLER_JUDGMENTS,
        )
    ):
        raise Inconclusive(f"what is simpler fails as well: see {', '.join(simpler_failures)}", Cause.TARGET)
    if disagreeing.disagreement.suggests_foreign_purge and not reproductions:
        raise Inconclusive("every event but the seeded ones is gone: somebody purged, perhaps another", Cause.RACE)
    finding = _describe_disagreement(
        view, min([disagreeing, *reproductions], key=lambda play: play.length), reproductions
    )
    full_runs = [play for play in runs if not play.is_shrunk]
    require_each_trial(
        view, (replace(_passing_trial(play), findings=(finding,) if play is disagreeing else ()) for play in full_runs)
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
    raise_if_cut_short(view, "sequences")
    if abort_reasons := [play.trace.abort_reason for play in runs if play.trace.abort_reason]:
        raise Inconclusive(f"a sequence could not be followed to its end: {abort_reasons[0]}", Cause.TARGET)
    if not any(play.trace.seed_guids for play in runs):
        error = view.note("foundation", "trouble") or view.note("foundation", "untimed")
        error = error or "no app of the suite's own was started when a purge came"
        raise NotExercised(str(error), Cause.CONFIGURATION)


def _describe_disagreement(view: JudgmentView, run: SequenceRun, reproductions: Sequence[SequenceRun]) -> Finding:
    """Tell where the target disagrees in the shortest sequence, with a script that does it again."""
    disagreement = run.disagreement
    assert disagreement
    words = f"after step {run.length} of {run.length}, {disagreement.step}: {disagreement.expected}"
    not_reproduced = (
        "" if reproductions else f"; played {sum(1 for _ in sequence_runs(view)) - 1} times more, it did not come again"
    )
    return Finding(words, disagreement.got + not_reproduced, disagreement.exchange, script=render_script(view, run))


def _failing_simpler_requirements(view: JudgmentView, files: Sequence[str]) -> Iterator[str]:
    """Yield the MUSTs of the core profile among these judgments that fail."""
    musts = {r.id for r in catalogue.requirements() if (r.level, r.profile) == (Level.MUST, Profile.CORE)} - NOT_MODELED
    for name in files:
        module = importlib.import_module(f"purge_conformance.conformance.test_{name}")
        for judgment in vars(module).values():
            for mark in getattr(judgment, "pytestmark", ()):
                if mark.args[0] in musts and _fails(judgment, view):
                    yield mark.args[0]


def _fails(judgment: Callable[[JudgmentView], None], view: JudgmentView) -> bool:
    try:
        judgment(JudgmentView(view))
    except RequirementViolated:
        return True
    except Undecided:
        return False
    return False
