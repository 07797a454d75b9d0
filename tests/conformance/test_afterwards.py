"""Judgments of what follows a purge: another purge, and starts, stops and scalings of apps."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.app_changes import effective_changes
from purge_conformance.analysis.app_states import describe_difference, words_of
from purge_conformance.analysis.assertions import (
    no_suitable_app,
    raise_if_cut_short,
    require_apps,
    require_each_trial,
    require_exchanges,
    require_no,
    require_snapshot,
    require_status_of_each,
    to_sentence,
)
from purge_conformance.analysis.next_steps import FIX_READS, PAUSE_RETENTION, get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Trial
from purge_conformance.analysis.purge import format_guids, group_by_app, require_started_apps, require_success
from purge_conformance.analysis.purge_series import (
    plain_purges,
    require_first_purges,
    require_observed_purges,
    require_plain_purges_correct,
)
from purge_conformance.analysis.retention import is_deleted
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import STARTED, app_of_event
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from purge_conformance.analysis.app_changes import AppChange
    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row

    EventsByApp = dict[str | None, list[Row]]

WITHOUT_INSTANCES = "app-without-instances"
# Change of an app after the first purges -> its case.
STARTS = {Step.START: "stopped-app", Step.START_AGAIN: WITHOUT_INSTANCES}
STOPS = {Step.STOP: WITHOUT_INSTANCES, Step.STOP_AGAIN: "app-with-instances"}
SCALINGS = {
    Step.SCALE: "more-instances",
    Step.SCALE_MEMORY: "memory",
    Step.SCALE_DOWN: "no-instances",
    Step.SCALE_UP: "from-no-instances",
}


@pytest.mark.requirement("AGAIN-01")
def test_second_purge_succeeds(view: JudgmentView) -> None:
    """A second purge right after the first MUST succeed with the same status."""
    first = require_exchanges(view, Scenario.PURGE, Step.PURGE, if_none="No purge was sent.")[-1]
    require_success(first)
    require_exchanges(view, Scenario.SECOND_PURGE, Step.PURGE, if_none="No second purge was sent.")
    repeated = [x for x, is_repeat in plain_purges(view) if is_repeat]
    view.count("second-purge", repeated)
    require_status_of_each(view, repeated, first.status or 0)


@pytest.mark.requirement("AGAIN-02")
def test_second_purge_is_equivalent(view: JudgmentView) -> None:
    """A later purge MUST leave an equivalent state for each app that has not changed."""
    require_exchanges(view, Scenario.SECOND_PURGE, Step.PURGE, if_none="No second purge was sent.")
    first, *later_purges = require_observed_purges(view)
    require_started_apps(first, view)
    if not later_purges:
        raise Inconclusive("The lists before and after the second purge are incomplete.", Cause.TARGET, FIX_READS)
    trials = [
        Trial(
            later.last_exchange,
            tuple(_find_differences(first, before, later)),
            "repeat" if later.is_repeat else "later",
            "directly-after" if later.is_repeat else "later-purge",
        )
        for before, later in pairwise([first, *later_purges])
    ]
    _require_beyond_baseline(view, trials)


@pytest.mark.requirement("AGAIN-03")
def test_later_purge_reflects_state(view: JudgmentView) -> None:
    """A later purge MUST reflect the current state of each app."""
    require_exchanges(view, Scenario.PURGE_AFTER_CHANGES, Step.PURGE, if_none="No later purge was sent.")
    purges = [purge for purge in require_first_purges(view) if purge.state_changed_earlier]
    if not purges:
        raise NotExercised(_no_apps_reason(view), Cause.CONFIGURATION, get_apps(view))
    for case, is_started in (("started-since", True), ("stopped-since", False)):
        view.count(case, (purge.last_exchange for purge in purges if _has_changed_to(purge, is_started=is_started)))
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
    _require_recorded(view, STARTS, Step.START)


@pytest.mark.requirement("AFTER-02")
def test_stop_is_recorded(view: JudgmentView) -> None:
    """The stop of an app after a purge MUST be recorded."""
    _require_recorded(view, STOPS, Step.STOP)


@pytest.mark.requirement("AFTER-03")
def test_scaling_is_recorded(view: JudgmentView) -> None:
    """The scaling of a started app after a purge MUST be recorded."""
    _require_recorded(view, SCALINGS, Step.SCALE)


@pytest.mark.requirement("AFTER-04")
def test_seeded_events_remain_unchanged(view: JudgmentView) -> None:
    """Seeded events MUST remain unchanged when later events are recorded."""
    before = require_snapshot(view, Scenario.SECOND_PURGE, Place(Step.PURGE, phase=Phase.AFTER)).events
    after = require_snapshot(view, Scenario.APP_CHANGES, Step.CLOSING).events
    seeded = [row for row in before.rows if row["guid"] == app_of_event(row)]
    if not seeded or not effective_changes(view, Scenario.APP_CHANGES, Step.START, Step.STOP, Step.SCALE):
        raise no_suitable_app(view, "There were no seeded events, or no app to start.")
    last = after.exchanges[-1]
    remaining = [row for row in seeded if row["guid"] in after.by_guid or not is_deleted(view, row, last.n)]
    if not remaining:
        raise Inconclusive("A retention job deleted every seeded event.", Cause.RACE, PAUSE_RETENTION)
    view.count("seeded-event", [last])
    require_no(
        _seeded_event_changed(row, now, last.n) for row in remaining if (now := after.by_guid.get(row["guid"])) != row
    )


def _require_recorded(view: JudgmentView, cases: Mapping[Step, str], at_end: Step) -> None:
    """Require that a new event records each of these changes.

    Args:
        view: the evidence.
        cases: change after the first purges -> its case.
        at_end: the change after all purges.
    """
    changes = effective_changes(view, Scenario.APP_CHANGES, *cases)
    late_changes = effective_changes(view, Scenario.CHANGES_AFTER_PURGES, at_end)
    app_changes = [*changes, *late_changes]
    if not app_changes:
        raise_if_cut_short(view, Scenario.APP_CHANGES)
        raise NotExercised(_no_apps_reason(view), Cause.CONFIGURATION, get_apps(view))
    for scenario in dict.fromkeys(change.scenario for change in app_changes):
        apps = require_apps(require_snapshot(view, scenario, Step.CLOSING)).apps.by_guid
        if any(change.app not in apps for change in app_changes if change.scenario is scenario):
            raise Inconclusive("An app of the suite disappeared: another client deleted it.", Cause.RACE)
    for change in app_changes:
        case = cases[change.step] if change in changes else "after-all-purges"
        if change.is_by_others and change.describe_missing():
            view.explain(case, _changed_by_others(change))
        elif change not in changes or _is_of_case(view, change, case):
            view.count(case, [change.last_exchange])
    require_no(
        Finding(
            f"after {change.step} a new event of the app {change.app} with {words_of(change.expected_values)}",
            difference,
            change.last_exchange,
        )
        for change in app_changes
        if (difference := change.describe_missing()) and not change.is_by_others
    )


def _seeded_event_changed(was: Row, now: Row | None, exchange: int) -> Finding:
    """Return that a seeded event shows other values than before, or is no longer listed."""
    expected, got = describe_difference(was, now) if now else ("", "it is not listed")
    words = f"the seeded event {was['guid']} unchanged"
    return Finding(f"{words}: {expected}" if expected else words, got or "members that it did not have", exchange)


def _changed_by_others(change: AppChange) -> Inconclusive:
    """Return that the suite's own change may have been none."""
    return Inconclusive(
        f"An event shows: before {change.step} another client made the app {change.app} {change.set_by_others}.",
        Cause.RACE,
    )


def _is_of_case(view: JudgmentView, change: AppChange, case: str) -> bool:
    """Whether the app of a change is one that its case is about: another stands in if none could lose its instances."""
    labels = view.note(Scenario.FOUNDATION, notes.APPS) or {}
    return case != WITHOUT_INSTANCES or change.app == labels.get(App.WITHOUT_INSTANCES)


def _require_beyond_baseline(view: JudgmentView, candidates: Sequence[Trial]) -> None:
    """Require that no trial has a finding.

    Raises:
        PrerequisiteFailed: one has, and plain purges are incorrect too.
    """
    if any(trial.findings for trial in candidates):
        require_plain_purges_correct(view, ignore_changed_apps=True)
    require_each_trial(view, candidates)


def _find_differences(first: PurgeObservation, before: PurgeObservation, later: PurgeObservation) -> Iterator[Finding]:
    """Yield the unchanged apps whose events after a later purge differ from those after an earlier purge.

    A repeated purge is compared with the purge before it by all events, another one with the first purge by the events
    that both created.
    """
    earlier = before if later.is_repeat else first
    then, now = (_events_by_app(purge, all_events=later.is_repeat) for purge in (earlier, later))
    for app, state in earlier.apps.items():
        if later.apps.get(app) == state and not _are_equivalent(app, then.get(app, []), now.get(app, [])):
            words = f"for the app {app} the same as after the earlier purge: {format_guids(then.get(app, ()))}"
            yield Finding(words, format_guids(now.get(app, ())), later.last_exchange)


def _events_by_app(purge: PurgeObservation, *, all_events: bool) -> EventsByApp:
    if all_events:
        return group_by_app(purge.events_without_changes(), set(purge.after.apps.by_guid))
    return purge.new_events_by_app(exclude_changes=True)


def _has_changed_to(purge: PurgeObservation, *, is_started: bool) -> bool:
    """Whether an app is started, or not, that had another state in an earlier snapshot."""
    return any((purge.apps[app] == STARTED) == is_started for app in purge.state_changed_earlier)


def _state_mismatch(purge: PurgeObservation, app: str) -> Iterator[Finding]:
    """Yield a finding if the events of an app do not match its state, which differs from an earlier one."""
    state = purge.apps[app]
    events = purge.new_events_by_app(exclude_changes=state != STARTED).get(app, [])
    if (state == STARTED) != bool(events):
        yield Finding(
            f"{'an' if state == STARTED else 'no'} event for the app {app}, which is {state}",
            format_guids(events),
            purge.last_exchange,
        )


def _are_equivalent(app: str, then: list[Row], now: list[Row]) -> bool:
    """Whether an app has as many events as before, and one with its guid if it had one before."""
    has_own_guid = [app in {event.get("guid") for event in events} for events in (then, now)]
    return len(then) == len(now) and has_own_guid[0] == has_own_guid[1]


def _no_apps_reason(view: JudgmentView) -> str:
    error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR)
    return to_sentence(error or "the suite has no own app that it could start, stop or scale")
