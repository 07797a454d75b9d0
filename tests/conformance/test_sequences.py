"""The judgment of random sequences of app changes and purges against a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.app_model.expectations import DisagreementKind
from purge_conformance.analysis.app_model.state import Action
from purge_conformance.analysis.assertions import no_suitable_app, raise_if_cut_short, require_each_trial, to_sentence
from purge_conformance.analysis.changes_by_others import was_set_by_others
from purge_conformance.analysis.late_effects import require_no_delay
from purge_conformance.analysis.next_steps import PAUSE_RETENTION, get_timed_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Trial
from purge_conformance.analysis.retention import deletes_between
from purge_conformance.analysis.sequence import sequence_runs
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import STARTED, STOPPED
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.analysis.app_model.trace import Disagreement
    from purge_conformance.analysis.sequence import SequenceRun
    from purge_conformance.analysis.view import JudgmentView


CASES = {
    DisagreementKind.WRONG_READ: "filtered-reads",
    DisagreementKind.PURGE_FAILED: "purge-answers",
    DisagreementKind.PURGE_NOT_REJECTED: "purge-answers",
}
MISSING_EVENTS = {  # what a deletion of events by others leads to
    DisagreementKind.EVENT_LOST,
    DisagreementKind.CHANGE_UNRECORDED,
    DisagreementKind.WRONG_SEED,
    DisagreementKind.WRONG_READ,
}


@pytest.mark.requirement("MODEL-01")
def test_list_matches_model(view: JudgmentView) -> None:
    """After any sequence of app changes and purges the list MUST show exactly the events that follow from it."""
    played = list(sequence_runs(view))
    runs = [run for run in played if not _lost_events(view, run)]
    if played and not runs:
        raise Inconclusive("A retention job deleted events during each sequence.", Cause.RACE, PAUSE_RETENTION)
    disagreeing = next((run for run in runs if run.disagreement), None)
    if disagreeing is None or disagreeing.disagreement is None:
        completed = _require_completed(view, runs)
        _count_cases(view, runs)
        require_each_trial(view, map(_passing_trial, completed))
        return
    reproductions = [
        run
        for run in runs
        if run.is_shrunk and run.disagreement and run.disagreement.kind is disagreeing.disagreement.kind
    ]
    if disagreeing.disagreement.suggests_foreign_purge and not reproductions:
        require_no_delay(view)
        raise Inconclusive(
            "Every event except the seeded ones disappeared: another client may have purged.", Cause.RACE
        )
    app = _app_changed_by_others(view, disagreeing, disagreeing.disagreement)
    if app and not any(_recurs(view, run, disagreeing.disagreement) for run in reproductions):
        raise Inconclusive(
            f"An event shows that another client started or stopped the app {app} of a sequence, and the list did not "
            "disagree with the model after the same step again.",
            Cause.RACE,
        )
    shortest = min([disagreeing, *reproductions], key=lambda run: run.length)
    finding = _describe_disagreement(view, shortest, reproductions)
    full_runs = [run for run in runs if not run.is_shrunk]
    require_each_trial(
        view,
        (replace(_passing_trial(run), findings=(finding,) if run is disagreeing else ()) for run in full_runs),
        CASES.get(disagreeing.disagreement.kind, "listed-events"),
    )


def _lost_events(view: JudgmentView, run: SequenceRun) -> bool:
    """Whether a retention job deleted events before a sequence disagreed with the model, so that they are missing."""
    end = run.disagreement
    first = run.executed_steps[0].response.n if run.executed_steps else 0
    return end is not None and end.kind in MISSING_EVENTS and deletes_between(view, first, end.exchange)


def _recurs(view: JudgmentView, run: SequenceRun, first: Disagreement) -> bool:
    """Whether a shorter sequence disagrees after the same step as the first one, or without changes by others."""
    assert run.disagreement
    return run.disagreement.step == first.step or not _app_changed_by_others(view, run, run.disagreement)


def _app_changed_by_others(view: JudgmentView, run: SequenceRun, disagreement: Disagreement) -> str:
    """Return an app with more starts or stops than the suite requested up to a disagreement; empty without one."""
    listings = [x.listing for x in run.executed_steps if x.listing and x.position <= disagreement.position]
    return next(
        (
            guid
            for listing in listings
            for guid in run.trace.guids.values()
            if any(was_set_by_others(view.full_evidence, listing, guid, state) for state in (STARTED, STOPPED))
        ),
        "",
    )


def _count_cases(view: JudgmentView, runs: Iterable[SequenceRun]) -> None:
    """Count the executed steps whose responses and lists agree with the model."""
    steps = [step for run in runs for step in run.executed_steps]
    view.count("purge-answers", (x.response for x in steps if x.step.action in {Action.PURGE, Action.REJECTED_PURGE}))
    view.count("listed-events", (x.listing.exchanges[-1] for x in steps if x.listing and x.listing.exchanges))
    reads = (walk for x in steps if x.step.action is Action.READ for walk in x.walks)
    view.count("filtered-reads", (walk.exchanges[-1] for walk in reads if walk.complete))


def _passing_trial(run: SequenceRun) -> Trial:
    """Return an executed sequence as a trial without findings."""
    return Trial(run.executed_steps[-1].response.n if run.executed_steps else 0, (), " ".join(map(str, run.steps)))


def _require_completed(view: JudgmentView, runs: Sequence[SequenceRun]) -> list[SequenceRun]:
    """Return the sequences that were completed, if a purge seeded an event in one of them.

    A response of the target itself that aborts a sequence leaves the judgment open; a gateway's does not if another
    sequence was completed.

    Raises:
        Inconclusive: a sequence was cut short.
        NotExercised: there was no sequence, or no app was started when a purge was sent.
    """
    raise_if_cut_short(view, Scenario.SEQUENCES)
    completed = [run for run in runs if not run.trace.abort_reason]
    is_seeded = any(run.trace.seed_guids for run in completed)
    for run in runs:
        unanswered = find_unanswered(run.exchanges) if run.trace.abort_reason else None
        reason = f"A sequence could not be judged to its end: {run.trace.abort_reason}."
        if unanswered and not is_seeded:
            raise Inconclusive(f"{reason} {unanswered.reason}", unanswered.cause, unanswered.next_step)
        if run.trace.abort_reason and not unanswered:
            raise Inconclusive(reason, Cause.TARGET)
    if not is_seeded:
        error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR) or view.note(Scenario.FOUNDATION, notes.UNTIMED)
        if error:
            raise NotExercised(to_sentence(str(error)), Cause.CONFIGURATION, get_timed_apps(view))
        raise no_suitable_app(view, "None of the suite's own apps was started when a purge was sent.")
    return completed


def _describe_disagreement(view: JudgmentView, run: SequenceRun, reproductions: Sequence[SequenceRun]) -> Finding:
    """Return the disagreement of a sequence as a finding."""
    disagreement = run.disagreement
    assert disagreement
    words = f"after step {run.length} of {run.length}, {disagreement.step}: {disagreement.expected}"
    suffix = "" if reproductions else f"; it did not recur in {sum(1 for _ in sequence_runs(view)) - 1} more sequences"
    return Finding(words, disagreement.got + suffix, disagreement.exchange)
