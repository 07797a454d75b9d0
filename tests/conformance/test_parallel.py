"""Purges at the same time leave what one leaves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.assertions import (
    Inconclusive,
    Trial,
    across_repetitions,
    describe_response,
    no_suitable_app,
    raise_if_cut_short,
    require_each_trial,
    require_exchanges,
    require_exchanges_with_repetitions,
)
from purge_conformance.analysis.baseline import require_baseline
from purge_conformance.analysis.concurrent_reads import ROUNDS, SCENARIO
from purge_conformance.analysis.purge import format_guids, require_purge_at_step, require_started_apps
from purge_conformance.analysis.purge_series import require_each_purge, require_plain_purges_reliable
from purge_conformance.evidence.listing import STARTED, app_of_event
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.evidence.records import Exchange

INTERNAL_ERROR, UNAVAILABLE = 500, 503


@pytest.mark.requirement("PARALLEL-01")
def test_concurrent_purges_destroy_events(view: JudgmentView) -> None:
    """After purges at the same time no event that existed before MUST be left."""
    rounds = list(_require_rounds(view))
    if not any(set(found.before.events.by_guid) - _seedable_guids(found) for found in rounds):
        raise no_suitable_app(view, "no event existed that a purge could destroy for good")
    require_each_purge(view, rounds, _find_survivors)


@pytest.mark.requirement("PARALLEL-02")
def test_concurrent_purges_seed_apps(view: JudgmentView) -> None:
    """After purges at the same time there MUST be an event for each started app."""
    require_each_purge(view, _rounds_with_started_apps(view), _find_missing_apps)


@pytest.mark.requirement("PARALLEL-03")
def test_concurrent_purges_seed_once(view: JudgmentView) -> None:
    """Purges at the same time MUST NOT seed an app twice, save once for each of its processes."""
    require_each_purge(view, _rounds_with_started_apps(view), partial(_find_duplicates, single_process_apps(view)))


@pytest.mark.requirement("PARALLEL-04")
def test_concurrent_purges_seed_only_apps(view: JudgmentView) -> None:
    """Purges at the same time MUST populate nothing but events of started apps."""
    require_each_purge(view, _require_rounds(view), _find_unexpected_events)


@pytest.mark.requirement("PARALLEL-05")
def test_concurrent_purge_does_not_fail(view: JudgmentView) -> None:
    """A purge SHOULD NOT fail because another one is under way."""
    _require_single_purge_correct(view, SCENARIO)
    sent = require_exchanges_with_repetitions(view, SCENARIO, *ROUNDS, if_none="no purges were sent at the same time")
    rounds: dict[tuple[str, str], list[Exchange]] = {}
    for x in sent:
        rounds.setdefault((x.experiment, x.step), []).append(x)
    if any(map(_has_failed, sent)):
        require_plain_purges_reliable(view)
    require_each_trial(view, (Trial(purges[0].n, tuple(_find_failures(purges))) for purges in rounds.values()))


def _find_survivors(purge: PurgeObservation) -> Iterator[Finding]:
    seeds = _seedable_guids(purge)
    for guid, row in purge.surviving_events.items():
        if guid not in seeds:
            words = "none of the events that existed before"
            yield Finding(words, f"{guid} of {row.get('created_at')}", purge.last_exchange)


def _find_failures(purges: Iterable[Exchange]) -> Iterator[Finding]:
    for x in purges:
        if _has_failed(x):
            yield Finding("success, or a refusal such as 409 or 503", describe_response(x), x.n)


def _has_failed(purge: Exchange) -> bool:
    return (purge.status or 0) >= INTERNAL_ERROR and purge.status != UNAVAILABLE


def _find_missing_apps(purge: PurgeObservation) -> Iterator[Finding]:
    populated = purge.new_events_by_app()
    for app in purge.started_apps:
        if app not in populated:
            yield Finding(f"an event for the started app {app}", "none", purge.last_exchange)


def _find_duplicates(single_process: set[str], purge: PurgeObservation) -> Iterator[Finding]:
    for app, events in purge.duplicate_seeds(single_process).items():
        yield Finding(
            f"at most {purge.max_events(app, single_process)} for the app {app}",
            format_guids(events),
            purge.last_exchange,
        )


def _find_unexpected_events(purge: PurgeObservation) -> Iterator[Finding]:
    known = set(purge.before.apps.by_guid) | set(purge.after.apps.by_guid)
    others = {app_of_event(row) for row in purge.change_events()}  # deleted since, perhaps
    stopped_apps = {app for app, state in purge.apps.items() if state != STARTED}
    for app, events in purge.new_events_by_app(exclude_changes=True).items():
        if app in stopped_apps or app not in known | others:
            yield Finding("only events of started apps", f"{format_guids(events)} for {app}", purge.last_exchange)


def _seedable_guids(purge: PurgeObservation) -> set[str]:
    """Return the guids that only seeded events have, rightly or not: those of apps and of processes."""
    return {
        guid for look in (purge.before, purge.after) for part in (look.apps, look.processes) for guid in part.by_guid
    }


def _rounds_with_started_apps(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield the rounds, in each of which there are started apps; raises as `_rounds` and `with_started_apps` do."""
    for purge in _require_rounds(view):
        yield require_started_apps(purge, view)


def _require_rounds(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield the rounds of which at least one purge succeeded and each was answered, as the purge that they amount to.

    Raises:
        Inconclusive: there is none, or a purge by itself is no whole purge either.
    """
    return across_repetitions(view, SCENARIO, _find_rounds)


def _find_rounds(view: JudgmentView, scenario: str) -> Iterator[PurgeObservation]:
    _require_single_purge_correct(view, scenario)
    require_exchanges(view, scenario, *ROUNDS, if_none="no purges were sent at the same time")
    rounds = {name: view.of(scenario, name) for name in ROUNDS if view.of(scenario, f"{name}.after.events")}
    if not rounds:
        raise_if_cut_short(view, scenario)
    complete = {name: sent for name, sent in rounds.items() if all(x.status is not None for x in sent)}
    successful = [name for name, sent in complete.items() if any((x.status or 0) // 100 == 2 for x in sent)]
    if not successful:
        responses = "; ".join(describe_response(x) for sent in rounds.values() for x in sent)
        raise Inconclusive(
            f"in no round every purge was answered and at least one succeeded: {responses}", Cause.TARGET
        )
    yield from (require_purge_at_step(view, scenario, name) for name in successful)


def _require_single_purge_correct(view: JudgmentView, scenario: str) -> None:
    """Return if the purge by itself that comes before the others is right.

    Raises:
        Inconclusive: it is not; what several leave says nothing about their meeting.
    """
    purge = require_purge_at_step(view, scenario, "alone")
    require_baseline(view, purge)
    if not purge.is_complete():
        raise Inconclusive("a purge by itself populates what is no app: see SEED-08", Cause.TARGET)
