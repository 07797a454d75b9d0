"""What comes after a purge: another one, and starts, stops and scalings."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.analysis.assertions import (
    no_suitable_app,
    raise_if_cut_short,
    require_apps,
    require_each_trial,
    require_exchanges,
    require_no,
    require_snapshot,
    require_status_of_each,
)
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Trial
from purge_conformance.analysis.purge import format_guids, group_by_app, require_started_apps, require_success
from purge_conformance.analysis.purge_series import (
    plain_purges,
    require_first_purges,
    require_observed_purges,
    require_plain_purges_correct,
)
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import STARTED, app_of_event
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row

    EventsByApp = dict[str | None, list[Row]]

SCALINGS = (Step.SCALE, Step.SCALE_MEMORY, Step.SCALE_DOWN, Step.SCALE_UP)


@pytest.mark.requirement("AGAIN-01")
def test_second_purge_succeeds(view: JudgmentView) -> None:
    """A second purge right after the first MUST succeed with the same status."""
    first = require_exchanges(view, Scenario.PURGE, Step.PURGE, if_none="no purge was tried")[-1]
    require_success(first)
    require_exchanges(view, Scenario.SECOND_PURGE, Step.PURGE, if_none="no second purge was tried")
    again = [x for x, is_again in plain_purges(view) if is_again]
    require_status_of_each(view, again, first.status or 0)


@pytest.mark.requirement("AGAIN-02")
def test_second_purge_is_equivalent(view: JudgmentView) -> None:
    """A later purge MUST leave an equivalent state for each app that has not changed."""
    require_exchanges(view, Scenario.SECOND_PURGE, Step.PURGE, if_none="no second purge was tried")
    first, *later_purges = require_observed_purges(view)
    require_started_apps(first, view)
    if not later_purges:
        raise Inconclusive("no second purge could be seen between two looks at everything", Cause.TARGET)
    pairs = pairwise([first, *later_purges])
    _require_beyond_baseline(
        view,
        [
            Trial(
                now.last_exchange, tuple(_find_differences(first, before, now)), "again" if now.is_repeat else "later"
            )
            for before, now in pairs
        ],
    )


@pytest.mark.requirement("AGAIN-03")
def test_later_purge_reflects_state(view: JudgmentView) -> None:
    """A later purge MUST reflect the current state of each app."""
    require_exchanges(view, Scenario.PURGE_AFTER_CHANGES, Step.PURGE, if_none="no later purge was tried")
    purges = [purge for purge in require_first_purges(view) if purge.state_changed_earlier]
    if not purges:
        raise NotExercised(_no_apps_reason(view), Cause.CONFIGURATION, get_apps(view))
    findings_by_exchange = {
        purge.last_exchange: [_state_mismatch(purge, app) for app in sorted(purge.state_changed_earlier)]
        for purge in purges
    }
    _require_beyond_baseline(
        view, [Trial(last, tuple(chain(*findings))) for last, findings in findings_by_exchange.items()]
    )


@pytest.mark.requirement("AFTER-01")
def test_start_is_recorded(view: JudgmentView) -> None:
    """The start of an app after a purge MUST be recorded."""
    _require_recorded(
        view, {Scenario.APP_CHANGES: (Step.START, Step.START_AGAIN), Scenario.CHANGES_AFTER_PURGES: (Step.START,)}
    )


@pytest.mark.requirement("AFTER-02")
def test_stop_is_recorded(view: JudgmentView) -> None:
    """The stop of an app after a purge MUST be recorded."""
    _require_recorded(
        view, {Scenario.APP_CHANGES: (Step.STOP, Step.STOP_AGAIN), Scenario.CHANGES_AFTER_PURGES: (Step.STOP,)}
    )


@pytest.mark.requirement("AFTER-03")
def test_scaling_is_recorded(view: JudgmentView) -> None:
    """The scaling of a started app after a purge MUST be recorded."""
    _require_recorded(view, {Scenario.APP_CHANGES: SCALINGS, Scenario.CHANGES_AFTER_PURGES: (Step.SCALE,)})


@pytest.mark.requirement("AFTER-04")
def test_seeded_events_remain_unchanged(view: JudgmentView) -> None:
    """Seeded events MUST remain unchanged when later events are recorded."""
    before = require_snapshot(view, Scenario.SECOND_PURGE, Place(Step.PURGE, phase=Phase.AFTER)).events
    after = require_snapshot(view, Scenario.APP_CHANGES, Step.CLOSING).events
    seeded = [row for row in before.rows if row["guid"] == app_of_event(row)]
    if not seeded or not effective_changes(view, Scenario.APP_CHANGES, Step.START, Step.STOP, Step.SCALE):
        raise no_suitable_app(view, "there were no seeded events, or no app to start")
    require_no(
        Finding(f"the seeded event {row['guid']} as it was", str(now), after.exchanges[-1].n)
        for row in seeded
        if (now := after.by_guid.get(row["guid"], "gone")) != row
    )


def _require_recorded(view: JudgmentView, steps: Mapping[Scenario, tuple[Step, ...]]) -> None:
    """Require that each of these changes is recorded by a new event of its app; the changes by their scenario."""
    made_changes = [
        change for scenario, changes in steps.items() for change in effective_changes(view, scenario, *changes)
    ]
    if not made_changes:
        raise_if_cut_short(view, Scenario.APP_CHANGES)
        raise NotExercised(_no_apps_reason(view), Cause.CONFIGURATION, get_apps(view))
    for scenario in dict.fromkeys(change.scenario for change in made_changes):
        apps = require_apps(require_snapshot(view, scenario, Step.CLOSING)).apps.by_guid
        if any(change.app not in apps for change in made_changes if change.scenario is scenario):
            raise Inconclusive("An app of the suite is gone: another client deleted it.", Cause.RACE)
    require_no(
        Finding(
            f"after {change.step} a new event for the app {change.app} that tells {change.expected_values}",
            difference,
            change.last_exchange,
        )
        for change in made_changes
        if (difference := change.describe_missing())
    )


def _require_beyond_baseline(view: JudgmentView, candidates: Sequence[Trial]) -> None:
    """Require that nothing is wrong with any of these trials.

    Raises:
        Inconclusive: something is, and with a plain purge as well.
    """
    if any(trial.findings for trial in candidates):
        require_plain_purges_correct(view, ignore_changed_apps=True)
    require_each_trial(view, candidates)


def _find_differences(first: PurgeObservation, before: PurgeObservation, later: PurgeObservation) -> Iterator[Finding]:
    """Yield the apps that did not change, and whose events are others after a later purge than after an earlier one.

    Right after another purge all events are compared with those that this one left; else what both of them populated.
    """
    earlier = before if later.is_repeat else first
    then, now = (_events_by_app(found, all_events=later.is_repeat) for found in (earlier, later))
    for app, state in earlier.apps.items():
        if later.apps.get(app) == state and not _are_equivalent(app, then.get(app, []), now.get(app, [])):
            words = f"for the app {app} as after the purge before it, {format_guids(then.get(app, ()))}"
            yield Finding(words, format_guids(now.get(app, ())), later.last_exchange)


def _events_by_app(purge: PurgeObservation, *, all_events: bool) -> EventsByApp:
    if all_events:
        return group_by_app(purge.events_without_changes(), set(purge.after.apps.by_guid))
    return purge.new_events_by_app(exclude_changes=True)


def _state_mismatch(purge: PurgeObservation, app: str) -> Iterator[Finding]:
    """Yield what does not reflect the state of an app that had another one before."""
    state = purge.apps[app]
    events = purge.new_events_by_app(exclude_changes=state != STARTED).get(app, [])
    if (state == STARTED) != bool(events):
        yield Finding(
            f"{'an' if state == STARTED else 'no'} event for {app}, {state} by then",
            format_guids(events),
            purge.last_exchange,
        )


def _are_equivalent(app: str, then: list[Row], now: list[Row]) -> bool:
    """Whether as many events are for the app as before, and one with its guid is among them or not, as before."""
    has_own_guid = [app in {event.get("guid") for event in events} for events in (then, now)]
    return len(then) == len(now) and has_own_guid[0] == has_own_guid[1]


def _no_apps_reason(view: JudgmentView) -> str:
    error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR)
    return error or "no app of the suite's own could be started, stopped or scaled"
