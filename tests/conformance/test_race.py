"""A purge while apps are started, stopped and scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.assertions import describe_response, require_each_trial
from purge_conformance.analysis.outcomes import Inconclusive, PrerequisiteFailed, Trial
from purge_conformance.analysis.purge import format_guids, group_by_app, require_purge_between
from purge_conformance.analysis.race import (
    app_histories,
    choose_explanation_strategy,
    format_timeline,
    require_rounds,
)
from purge_conformance.evidence.listing import STARTED
from purge_conformance.evidence.steps import Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.race import ExplanationStrategy, Round
    from purge_conformance.analysis.view import JudgmentView


@pytest.mark.requirement("RACE-02")
def test_unchanged_apps_are_seeded(view: JudgmentView) -> None:
    """A purge MUST seed unchanged apps as usual while other apps change."""
    race_rounds = require_rounds(view)
    single_process = single_process_apps(view)
    choose_explanation_strategy(view, race_rounds)
    if any(
        finding
        for found in race_rounds
        if found.place.step is Step.SEQUENTIAL
        for finding in _wrong_unchanged_apps(view, found, single_process)
    ):
        raise PrerequisiteFailed("the same effect appears without concurrency")
    require_each_trial(
        view,
        (
            Trial(
                found.last_exchange, tuple(_wrong_unchanged_apps(view, found, single_process)), str(found.place.index)
            )
            for found in _rounds_with_purge(race_rounds)
        ),
    )


@pytest.mark.requirement("RACE-03")
def test_changed_apps_are_linearizable(view: JudgmentView) -> None:
    """The result for an app that changes during a purge MUST match some order of these operations."""
    race_rounds = require_rounds(view)
    unexplained = choose_explanation_strategy(view, race_rounds)
    require_each_trial(
        view,
        (
            Trial(found.last_exchange, tuple(_unexplained_apps(found, unexplained)), str(found.place.index))
            for found in _rounds_with_purge(race_rounds)
        ),
    )


def _unexplained_apps(race_round: Round, unexplained: ExplanationStrategy) -> Iterator[Finding]:
    """Yield the apps of a round of which no order explains what is left."""
    words = "what some order of these leaves; a purge destroys, and seeds then or later"
    for history in app_histories(race_round):
        if operations := unexplained(history):
            yield Finding(
                f"of the app {history.app} {words}",
                format_timeline(history, operations, race_round),
                race_round.last_exchange,
            )


def _rounds_with_purge(race_rounds: list[Round]) -> list[Round]:
    """Return the rounds with changes beside a purge that succeeded.

    Raises:
        Inconclusive: none did.
    """
    concurrent = [found for found in race_rounds if found.place.step is not Step.SEQUENTIAL]
    successful = [found for found in concurrent if found.last_success]
    if not successful:
        responses = "; ".join(describe_response(x) for found in concurrent for x in found.purges) or "no purge was sent"
        raise Inconclusive(f"no purge succeeded while apps were changed: {responses}", Cause.TARGET)
    return successful


def _wrong_unchanged_apps(view: JudgmentView, race_round: Round, single_process: set[str]) -> Iterator[Finding]:
    """Yield what is wrong with the apps that nobody changed in a round."""
    if race_round.last_success is None:
        return
    purge = require_purge_between(view, race_round.last_success, race_round.before, race_round.after)
    populated = purge.new_events_by_app(exclude_changes=True)
    repeated, survivors = (
        purge.duplicate_seeds(single_process),
        group_by_app(purge.surviving_events.values(), purge.apps),
    )
    for app, state in purge.apps.items():
        if app not in race_round.changes_by_app:
            expected = f"{'one event' if state == STARTED else 'no event'} for the app {app}, {state} all the time"
            if (app in populated) != (state == STARTED) or app in repeated:
                yield Finding(expected, format_guids(populated.get(app, ())), purge.last_exchange)
            elif app in survivors:
                yield Finding(
                    f"none of its old events for the app {app}", format_guids(survivors[app]), purge.last_exchange
                )
