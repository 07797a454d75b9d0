"""The purge itself: it succeeds, it says nothing, it destroys everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import unchanged_apps
from purge_conformance.analysis.assertions import (
    describe_response,
    no_suitable_app,
    require_each_trial,
    require_exchanges,
    require_no,
    require_status_of_each,
)
from purge_conformance.analysis.history import (
    destroyed_events_found_by_filter,
    destroyed_guids,
    gets_of_destroyed_events,
    require_proven_admin,
    returns_requested_event,
)
from purge_conformance.analysis.outcomes import NotExercised, PrerequisiteFailed, Trial
from purge_conformance.analysis.purge_series import (
    plain_purges,
    require_each_purge,
    require_first_purges,
    require_observed_purges,
)
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence.listing import resources
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Exchange

OK = 200


@pytest.mark.requirement("PURGE-01")
def test_purge_answers_200(view: JudgmentView) -> None:
    """A purge by an admin MUST answer 200."""
    request = require_exchanges(view, Scenario.PURGE, Step.PURGE, if_none="no purge was tried")[-1]
    require_proven_admin(view, request)
    sent = [x for x, is_again in plain_purges(view) if not is_again]
    require_status_of_each(view, sent, OK)


@pytest.mark.requirement("PURGE-02")
def test_purge_body_is_empty(view: JudgmentView) -> None:
    """The body of a purge that answers 200 MUST be empty or an empty JSON value."""
    successes = [x for x in view.resource_exchanges() if is_purge(x.method, x.path) and x.status == OK]
    if not successes:
        raise NotExercised("no purge answered 200")
    words = 'an empty body, {}, null, [] or ""'
    require_each_trial(
        view,
        (Trial(x.n, () if _is_empty_value(x) else (Finding(words, describe_response(x), x.n),)) for x in successes),
    )


@pytest.mark.requirement("PURGE-03")
def test_destroyed_events_are_not_listed(view: JudgmentView) -> None:
    """An event that existed before a purge MUST NOT be listed after it."""
    found = [trial for trial in require_first_purges(view) if set(trial.before.events.by_guid) - trial.seedable_guids]
    if not found:
        raise no_suitable_app(view, "no event existed that a purge could destroy for good")
    tried = [
        Trial(trial.last_exchange, tuple(_survivor_findings(trial.last_exchange, trial.surviving_events.values())))
        for trial in found
    ]
    tried += [Trial(x.n, tuple(_survivor_findings(x.n, [row]))) for x, row in destroyed_events_found_by_filter(view)]
    require_each_trial(view, tried)


@pytest.mark.requirement("PURGE-04")
def test_destroyed_events_are_not_returned(view: JudgmentView) -> None:
    """Get of an event that existed before a purge MUST NOT return it."""
    require_exchanges(
        view, Scenario.PURGE, Step.GET_DESTROYED, if_none="no event was destroyed that could be asked for"
    )
    gets = gets_of_destroyed_events(view)
    require_each_trial(
        view,
        (Trial(x.n, (Finding("404", describe_response(x), x.n),) if returns_requested_event(x) else ()) for x in gets),
    )


@pytest.mark.requirement("PURGE-05")
def test_destroyed_events_do_not_reappear(view: JudgmentView) -> None:
    """An event that a purge destroyed MUST NOT reappear later."""
    if any(destroyed_events_found_by_filter(view)):
        raise PrerequisiteFailed("a purge does not destroy all events")
    destroyed = destroyed_guids(view)
    if not destroyed:
        raise no_suitable_app(view, "no event was destroyed")
    require_no(
        Finding(f"{guid}, destroyed before exchange {destroyed[guid]}, stays away", describe_response(x), x.n)
        for x in view.resource_exchanges()
        if x.method == "GET" and x.status == OK
        for guid in sorted(_event_guids(x) & set(destroyed))
        if x.n > destroyed[guid]
    )


@pytest.mark.requirement("PURGE-06")
def test_apps_remain_unchanged(view: JudgmentView) -> None:
    """A purge MUST NOT start, stop, scale or delete an app."""
    found = [trial for trial in require_observed_purges(view) if unchanged_apps(view, trial.request)]
    if not found:
        raise no_suitable_app(view, "there was no app of the suite's own, which nobody else changes")

    def find_changes(trial: PurgeObservation) -> Iterator[Finding]:
        for app in unchanged_apps(view, trial.request) & set(trial.before.apps.by_guid):
            with_processes = trial.before.processes.complete and trial.after.processes.complete
            was, now = (_describe_app(look, app, with_processes=with_processes) for look in (trial.before, trial.after))
            if was != now:
                yield Finding(f"the app {app} as it was, {was}", now, trial.after.apps.exchanges[-1].n)

    require_each_purge(view, found, find_changes)


def _describe_app(snapshot: Snapshot, app: str, *, with_processes: bool) -> str:
    """Return what a look shows of an app: its state, and the instances and the memory of its processes."""
    if app not in snapshot.apps.by_guid:
        return "gone"
    processes = snapshot.processes_of(app) if with_processes else []
    sizes = (f"{row.get('instances')} instances of {row.get('memory_in_mb')} MB" for row in processes)
    return ", ".join([str(snapshot.apps.by_guid[app].get("state")), *sorted(sizes)])


def _survivor_findings(n: int, rows: Iterable[Row]) -> Iterator[Finding]:
    for row in rows:
        yield Finding("none of the events that existed before", f"{row.get('guid')} of {row.get('created_at')}", n)


def _is_empty_value(exchange: Exchange) -> bool:
    return not exchange.body.strip() or (exchange.is_json and exchange.json in ({}, None, [], ""))


def _event_guids(exchange: Exchange) -> set[str]:
    """Return the guids of the events that an answer shows: a page, or one event."""
    rows = resources(exchange) or [exchange.json if isinstance(exchange.json, dict) else {}]
    return {str(row.get("guid")) for row in rows}
