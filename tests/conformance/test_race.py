"""Judgments of purges that are concurrent with starts, stops and scalings of apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import own_apps, single_process_apps
from purge_conformance.analysis.assertions import describe_response, raise_if_cut_short, require_each_trial
from purge_conformance.analysis.baseline import require_baseline
from purge_conformance.analysis.outcomes import (
    AttributableViolation,
    Inconclusive,
    PrerequisiteFailed,
    RequirementViolated,
    Trial,
)
from purge_conformance.analysis.purge import format_guids, group_by_app, require_purge_between
from purge_conformance.analysis.race import (
    app_histories,
    choose_explanation_strategy,
    format_timeline,
    require_rounds,
)
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.evidence.listing import STARTED, stable_apps
from purge_conformance.evidence.rounds import RACE_CASES
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.race import ExplanationStrategy, Round
    from purge_conformance.analysis.view import JudgmentView


@pytest.mark.requirement("RACE-02")
def test_unchanged_apps_are_seeded(view: JudgmentView) -> None:
    """A purge MUST seed unchanged apps as usual while other apps change."""
    race_rounds = require_rounds(view)
    unusual = require_baseline(view)
    choose_explanation_strategy(view, race_rounds)
    _count_unchanged_apps(view, race_rounds)
    if any(
        finding
        for race_round in race_rounds
        if race_round.place.step is Step.SEQUENTIAL
        for finding in _wrong_unchanged_apps(view, race_round, unusual)
    ):
        raise PrerequisiteFailed("the same effect appears without concurrency")
    require_each_trial(
        view,
        (
            Trial(
                race_round.last_exchange,
                tuple(_wrong_unchanged_apps(view, race_round, unusual)),
                str(race_round.place.index),
            )
            for race_round in _rounds_with_purge(view, race_rounds)
        ),
    )


@pytest.mark.requirement("RACE-03")
def test_events_are_explained(view: JudgmentView) -> None:
    """After changes during a purge an app MUST have only events that the changes and the purge explain."""
    _require_explained(view, "a purge may read the apps, destroy events and seed at three moments", reads_early=True)


@pytest.mark.requirement("RACE-04")
def test_changed_apps_are_linearizable(view: JudgmentView) -> None:
    """The result for an app that changes during a purge SHOULD match some order of these operations."""
    _require_explained(view, "a purge destroys events first and seeds later", reads_early=False)


def _require_explained(view: JudgmentView, words: str, *, reads_early: bool) -> None:
    """Require that some order of the operations explains each changed app; `words` say what a purge does."""
    race_rounds = require_rounds(view)
    unexplained = choose_explanation_strategy(view, race_rounds, reads_early=reads_early)
    require_each_trial(
        view,
        (
            Trial(
                race_round.last_exchange,
                tuple(_unexplained_apps(view, race_round, unexplained, words)),
                str(race_round.place.index),
                RACE_CASES[len(race_round.purges)],
            )
            for race_round in _rounds_with_purge(view, race_rounds)
        ),
    )
    _require_explained_later(view, race_rounds, unexplained, words)


def _unexplained_apps(
    view: JudgmentView, race_round: Round, unexplained: ExplanationStrategy, words: str
) -> Iterator[Finding]:
    """Yield the apps of a round whose final observation no order of the operations explains."""
    for history in app_histories(view, race_round):
        if operations := unexplained(history):
            yield Finding(
                f"for the app {history.app} the result of some order of these operations; {words}",
                format_timeline(history, operations, race_round),
                race_round.last_exchange,
            )


def _require_explained_later(
    view: JudgmentView, race_rounds: list[Round], unexplained: ExplanationStrategy, words: str
) -> None:
    """Require that the same operations explain what is listed some time after the last of the rounds.

    Raises:
        RequirementViolated: they do not; an `AttributableViolation` if no event is seeded since, as a purge does.
    """
    for race_round in race_rounds:
        if later := race_round.continued():
            view.count("later", [later.last_exchange])
            if findings := tuple(_unexplained_apps(view, later, unexplained, f"{words}, and nothing changes later")):
                raise (RequirementViolated if later.seeds_after(race_round) else AttributableViolation)(
                    findings, "later"
                )


def _count_unchanged_apps(view: JudgmentView, race_rounds: list[Round]) -> None:
    """Count the rounds for each kind of app that did not change in them."""
    for race_round in _rounds_with_purge(view, race_rounds):
        stable = stable_apps(race_round.before, race_round.after, own_apps(view))
        states = {app: state for app, state in stable.items() if app not in race_round.changes_by_app}
        old_events = group_by_app(race_round.before.events.rows, states)
        kinds = {
            "started-app": STARTED in states.values(),
            "stopped-app": bool(set(states.values()) - {STARTED}),
            "old-event": any(row["guid"] != app for app in states for row in old_events.get(app, ())),
        }
        for case in (case for case, is_there in kinds.items() if is_there):
            view.count(case, [race_round.last_exchange])


def _rounds_with_purge(view: JudgmentView, race_rounds: list[Round]) -> list[Round]:
    """Return the rounds with changes that were concurrent with a successful purge.

    Raises:
        Inconclusive: there is none.
    """
    concurrent = [race_round for race_round in race_rounds if race_round.place.step is not Step.SEQUENTIAL]
    successful = [race_round for race_round in concurrent if race_round.last_success]
    if not successful:
        purges = [x for race_round in concurrent for x in race_round.purges]
        if not purges:
            raise_if_cut_short(view, Scenario.RACE)
        responses = "; ".join(map(describe_response, purges)) or "no purge was sent"
        raise find_unanswered(purges) or Inconclusive(
            f"No purge succeeded while apps changed: {responses}.", Cause.TARGET
        )
    return successful


def _wrong_unchanged_apps(view: JudgmentView, race_round: Round, unusual: frozenset[str]) -> Iterator[Finding]:
    """Yield the unchanged apps of a round whose events are wrong, without the unusual ones."""
    if race_round.last_success is None:
        return
    purge = require_purge_between(view, race_round.last_success, race_round.before, race_round.after)
    purge = purge.without_apps(unusual)
    new_events = purge.new_events_by_app(exclude_changes=True)
    duplicates = purge.duplicate_seeds(single_process_apps(view))
    survivors = group_by_app(purge.surviving_events.values(), purge.apps)
    for app, state in purge.apps.items():
        if app not in race_round.changes_by_app:
            expected = f"{'one event' if state == STARTED else 'no event'} for the app {app}, which remained {state}"
            if (app in new_events) != (state == STARTED) or app in duplicates:
                yield Finding(expected, format_guids(new_events.get(app, ())), purge.last_exchange)
            elif app in survivors:
                yield Finding(
                    f"none of the old events of the app {app}", format_guids(survivors[app]), purge.last_exchange
                )
