"""Judgments of concurrent purges: the result must be that of one purge."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import single_process_apps
from purge_conformance.analysis.assertions import (
    across_rounds,
    describe_response,
    no_suitable_app,
    raise_if_cut_short,
    require_each_trial,
    require_exchanges,
    require_exchanges_of_all_rounds,
    require_no,
)
from purge_conformance.analysis.baseline import require_baseline
from purge_conformance.analysis.interference import is_deleted_since
from purge_conformance.analysis.outcomes import Inconclusive, PrerequisiteFailed, Trial
from purge_conformance.analysis.purge import format_guids, require_purge_at, require_started_apps
from purge_conformance.analysis.purge_series import (
    require_each_purge,
    require_observed_purges,
    require_plain_purges_reliable,
)
from purge_conformance.analysis.silent_purges import find_silent_concurrent_purges
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.analysis.view import target_responses
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import STARTED, app_of_event, first_page
from purge_conformance.evidence.rounds import CONCURRENT_PURGES
from purge_conformance.evidence.steps import Part, Scenario, Step, Tag
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange, Key


@pytest.mark.requirement("PARALLEL-01")
def test_concurrent_purges_destroy_events(view: JudgmentView) -> None:
    """Events that existed before concurrent purges MUST NOT remain."""
    rounds = list(_require_rounds(view))
    with_events = [purge for purge in rounds if set(purge.before.events.by_guid) - _seedable_guids(purge)]
    if not with_events:
        raise no_suitable_app(view, "No event existed that a purge must destroy.")
    view.count("three-purges", (purge.last_exchange for purge in with_events))
    require_each_purge(view, rounds, _find_survivors)


@pytest.mark.requirement("PARALLEL-02")
def test_concurrent_purges_seed_apps(view: JudgmentView) -> None:
    """Concurrent purges MUST leave an event for each started app."""
    require_each_purge(view, _rounds_with_started_apps(view), _find_missing_apps, "three-purges")


@pytest.mark.requirement("PARALLEL-03")
def test_concurrent_purges_seed_once(view: JudgmentView) -> None:
    """Concurrent purges MUST NOT seed an app more than once per process."""
    find_duplicates = partial(_find_duplicates, single_process_apps(view))
    require_each_purge(view, _rounds_with_started_apps(view), find_duplicates, "three-purges")


@pytest.mark.requirement("PARALLEL-04")
def test_concurrent_purges_seed_only_apps(view: JudgmentView) -> None:
    """Concurrent purges MUST create events of started apps only."""
    rounds = list(_require_rounds(view))
    with_stopped_apps = (purge for purge in rounds if set(purge.apps.values()) - {STARTED})
    view.count("stopped-app", (purge.last_exchange for purge in with_stopped_apps))
    require_each_purge(view, rounds, partial(_find_unexpected_events, view), "unknown-app")


@pytest.mark.requirement("PARALLEL-05")
def test_concurrent_purge_does_not_fail(view: JudgmentView) -> None:
    """A purge SHOULD NOT fail because another one is in progress."""
    _require_single_purge_correct(view, 1)
    require_no(find_silent_concurrent_purges(view))
    sent = require_exchanges_of_all_rounds(
        view, Scenario.CONCURRENT_PURGES, Step.CONCURRENT, if_none="No concurrent purges were sent."
    )
    beside_rejected = [x for x in _sent_alone(view) if Tag.CONCURRENT in x.tags]
    view.count("answered", sent)
    rounds: dict[Key, list[Exchange]] = {}
    for x in sent:
        rounds.setdefault(x.key, []).append(x)
    if any(map(_has_failed, (*sent, *beside_rejected))):
        require_plain_purges_reliable(view, *(x.status for x in (*sent, *beside_rejected)))
    whole_rounds = (purges for purges in rounds.values() if len(purges) >= CONCURRENT_PURGES)
    view.count("three-purges", (purges[0] for purges in whole_rounds))
    view.count("beside-rejected", beside_rejected)
    trials = [*rounds.values(), *([x] for x in beside_rejected)]
    require_each_trial(view, (Trial(purges[0].n, tuple(_find_failures(purges))) for purges in trials))


def _sent_alone(view: JudgmentView) -> list[Exchange]:
    """Return the purges of the scenario that were beside no other purge by the admin, as far as the target answered."""
    scenario = Scenario.CONCURRENT_PURGES
    return [
        x
        for number in view.rounds(scenario)
        for x in target_responses(view.of(scenario, Step.ALONE, round=number))
        if x.role == ADMIN
    ]


def _find_survivors(purge: PurgeObservation) -> Iterator[Finding]:
    seeds = _seedable_guids(purge)
    for guid, row in purge.surviving_events.items():
        if guid not in seeds:
            words = "none of the events from before the purges"
            yield Finding(words, f"{guid} of {row.get('created_at')}", purge.last_exchange)


def _find_failures(purges: Iterable[Exchange]) -> Iterator[Finding]:
    for x in purges:
        if _has_failed(x):
            yield Finding("2xx, or a rejection such as 409 or 503", describe_response(x), x.n)


def _has_failed(purge: Exchange) -> bool:
    is_server_error = (purge.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return is_server_error and purge.status != HTTPStatus.SERVICE_UNAVAILABLE


def _find_missing_apps(purge: PurgeObservation) -> Iterator[Finding]:
    new_events = purge.new_events_by_app()
    for app in purge.started_apps:
        if app not in new_events:
            yield Finding(f"an event for the started app {app}", "none", purge.last_exchange)


def _find_duplicates(single_process: set[str], purge: PurgeObservation) -> Iterator[Finding]:
    for app, events in purge.duplicate_seeds(single_process).items():
        yield Finding(
            f"at most {purge.max_events(app, single_process)} events for the app {app}",
            format_guids(events),
            purge.last_exchange,
        )


def _find_unexpected_events(view: JudgmentView, purge: PurgeObservation) -> Iterator[Finding]:
    known = set(purge.before.apps.by_guid) | set(purge.after.apps.by_guid)
    changed_apps = {app_of_event(row) for row in purge.change_events()}  # may have been deleted since
    stopped_apps = {app for app, state in purge.apps.items() if state != STARTED}
    for app, events in purge.new_events_by_app(exclude_changes=True).items():
        is_unknown = app not in known | changed_apps and not is_deleted_since(view, purge, app)
        if app in stopped_apps or is_unknown:
            yield Finding("only events of started apps", f"{format_guids(events)} for {app}", purge.last_exchange)


def _seedable_guids(purge: PurgeObservation) -> set[str]:
    """Return the guids of apps and processes, which only seeded events have."""
    listings = (listing for snapshot in (purge.before, purge.after) for listing in (snapshot.apps, snapshot.processes))
    return {guid for listing in listings for guid in listing.by_guid}


def _rounds_with_started_apps(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield the rounds; raises as `_require_rounds` and `require_started_apps` do."""
    for purge in _require_rounds(view):
        yield require_started_apps(purge, view)


def _require_rounds(view: JudgmentView) -> Iterator[PurgeObservation]:
    """Yield each round whose purges were all answered and at least one succeeded, as one purge.

    Raises:
        Inconclusive: there is none, or isolated purges are incorrect.
    """
    return across_rounds(view, Scenario.CONCURRENT_PURGES, _find_rounds)


def _find_rounds(view: JudgmentView, number: int) -> Iterator[PurgeObservation]:
    scenario = Scenario.CONCURRENT_PURGES
    unusual = _require_single_purge_correct(view, number)
    require_exchanges(view, scenario, Step.CONCURRENT, if_none="No concurrent purges were sent.", round=number)
    spans = [
        span
        for span in view.spans(scenario, Step.CONCURRENT, round=number)
        if first_page(view, span.after, Part.EVENTS)
    ]
    if not spans:
        raise_if_cut_short(view, scenario, number)
    rounds = {span.place: view.at(scenario, span.place, number) for span in spans}
    complete = {place: sent for place, sent in rounds.items() if all(x.status is not None for x in sent)}
    successful = [place for place, sent in complete.items() if any(x.succeeded for x in sent)]
    if not successful:
        responses = "; ".join(describe_response(x) for sent in rounds.values() for x in sent)
        reason = f"In no round was every purge answered and did at least one succeed: {responses}."
        if unanswered := find_unanswered(x for sent in rounds.values() for x in sent):
            raise Inconclusive(reason, unanswered.cause, unanswered.next_step)
        raise Inconclusive(reason, Cause.TARGET)
    yield from (require_purge_at(view, scenario, place, number).without_apps(unusual) for place in successful)


def _require_single_purge_correct(view: JudgmentView, number: int) -> frozenset[str]:
    """Require that the isolated purge before the concurrent ones is correct; without one, the last one of the run.

    A purge beside ones that must be rejected is not isolated: a target may confuse them, too.

    Returns:
        the apps to leave out.

    Raises:
        Inconclusive: it is not, so concurrency may not be the cause of a wrong result.
    """
    scenario = Scenario.CONCURRENT_PURGES
    alone = view.of(scenario, Step.ALONE, round=number)
    is_isolated = bool(alone) and not any(Tag.CONCURRENT in x.tags for x in alone)
    if not is_isolated and view.of(scenario, Step.CONCURRENT, round=number):
        purge = require_observed_purges(view)[-1]
        unusual = require_baseline(view)
    else:
        purge = require_purge_at(view, scenario, Step.ALONE, number)
        unusual = require_baseline(view, purge)
    if not purge.without_apps(unusual).is_complete():
        raise PrerequisiteFailed("an isolated purge already adds events that belong to no app")
    return unusual
