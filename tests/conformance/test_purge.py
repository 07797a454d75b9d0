"""Judgments of the purge: its response, the events that it destroys, and the apps that it must not change."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import requested_members, unchanged_apps
from purge_conformance.analysis.app_states import describe_app, describe_difference
from purge_conformance.analysis.assertions import (
    describe_response,
    no_event,
    no_suitable_app,
    raise_if_cut_short,
    require_each_trial,
    require_exchanges,
    require_no,
    require_status_of_each,
)
from purge_conformance.analysis.changes_by_others import changes_by_others, single_change
from purge_conformance.analysis.history import (
    destroyed_events_found_by_filter,
    destroyed_guids,
    gets_of_destroyed_events,
    require_proven_admin,
    returns_requested_event,
)
from purge_conformance.analysis.late_effects import describe_late_destruction
from purge_conformance.analysis.next_steps import RUN_ALONE
from purge_conformance.analysis.other_apps import changes_with_purges, find_other_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, PrerequisiteFailed, Trial
from purge_conformance.analysis.purge_series import (
    plain_purges,
    require_each_purge,
    require_first_purges,
    require_observed_purges,
)
from purge_conformance.analysis.silent_purges import find_silent_purges
from purge_conformance.analysis.view import target_responses
from purge_conformance.catalogue.api import is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.listing import resources
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.other_apps import OtherApps
    from purge_conformance.analysis.outcomes import Undecided
    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

CASES_OF_EACH_APP = ("app-state", "app-exists", "app-identity", "app-labels")


@pytest.mark.requirement("PURGE-01")
def test_purge_answers_200(view: JudgmentView) -> None:
    """A purge by an admin MUST answer 200."""
    if silent := find_silent_purges(view):
        view.count("answered", (finding.exchange for finding in silent if finding.exchange))
        require_no(silent)
    request = require_exchanges(view, Scenario.PURGE, Step.PURGE, if_none="No purge was sent.")[-1]
    require_proven_admin(view, request)
    sent = [x for x, is_repeat in plain_purges(view) if not is_repeat]
    view.count("plain-purge", sent)
    view.count("answered", sent)
    view.count("no-started-app", (x for x in sent if x.scenario is Scenario.PURGE_WITHOUT_STARTED_APPS))
    require_status_of_each(view, sent, HTTPStatus.OK)


@pytest.mark.requirement("PURGE-02")
def test_purge_body_is_empty(view: JudgmentView) -> None:
    """The body of a purge that answers 200 MUST be empty or an empty JSON value."""
    successes = [x for x in view.resource_exchanges() if is_purge(x.method, x.path) and x.status == HTTPStatus.OK]
    if not successes:
        raise NotExercised("No purge answered 200.")
    words = 'an empty body, {}, null, [] or ""'
    require_each_trial(
        view,
        (Trial(x.n, () if _is_empty_value(x) else (Finding(words, describe_response(x), x.n),)) for x in successes),
        "empty-body",
    )


@pytest.mark.requirement("PURGE-03")
def test_destroyed_events_are_not_listed(view: JudgmentView) -> None:
    """An event that existed before a purge MUST NOT be listed after it."""
    purges = [purge for purge in require_first_purges(view) if set(purge.before.events.by_guid) - purge.seedable_guids]
    if not purges:
        raise no_suitable_app(view, "No event existed that a purge must destroy.")
    trials = [
        Trial(
            purge.last_exchange,
            tuple(_survivor_findings(view, purge)),
            case="whole-list",
        )
        for purge in purges
    ]
    view.count("no-started-app", (purge.last_exchange for purge in purges if not purge.started_apps))
    searches = target_responses(view.of(Scenario.PURGE, Step.SEARCH_DESTROYED))
    view.count("filtered-list", (x for x in searches if x.role == ADMIN and x.page))
    view.count("other-role", (x for x in searches if x.role != ADMIN and x.page))
    trials += [Trial(x.n, (_survivor_finding(x.n, row),)) for x, row in destroyed_events_found_by_filter(view)]
    require_each_trial(view, trials)


@pytest.mark.requirement("PURGE-04")
def test_destroyed_events_are_not_returned(view: JudgmentView) -> None:
    """Get of an event that existed before a purge MUST NOT return it."""
    require_exchanges(
        view,
        Scenario.PURGE,
        Step.GET_DESTROYED,
        if_none=no_event(view, "No event was destroyed that a get could request."),
    )
    gets = gets_of_destroyed_events(view)
    view.count("as-admin", (x for x in gets if x.role == ADMIN))
    view.count("as-other-role", (x for x in gets if x.role != ADMIN))
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
        raise_if_cut_short(view, Scenario.PURGE)
        require_observed_purges(view)
        raise no_suitable_app(view, "No event was destroyed.")
    reads = [x for x in view.resource_exchanges() if x.method == "GET"]
    successes = [x for x in reads if x.status == HTTPStatus.OK]
    view.count("list", (x for x in successes if x.page and x.n > min(destroyed.values())))
    view.count("get", (x for x in reads if x.n > destroyed.get(x.guid, x.n)))
    require_no(
        Finding(f"no event {guid}, which was destroyed before exchange {destroyed[guid]}", describe_response(x), x.n)
        for x in successes
        for guid in sorted(_event_guids(x) & set(destroyed))
        if x.n > destroyed[guid]
    )


@pytest.mark.requirement("PURGE-06")
def test_apps_remain_unchanged(view: JudgmentView) -> None:
    """A purge MUST NOT start, stop, scale, rename or delete an app."""
    observed, others = require_observed_purges(view), view.cached(find_other_apps)
    purges = [purge for purge in observed if unchanged_apps(view, purge.request)]
    if not purges and not others.are_judged:
        raise _no_unchanged_app(view, others)

    findings = {purge.request.n: dict(_changes_of_own_apps(view, purge)) for purge in purges}
    changed = {n: set(by_app) for n, by_app in findings.items() if by_app}
    for n, app in changes_by_others(view.full_evidence, purges, changed):
        del findings[n][app]
    unexplained = single_change(purges, {n: set(by_app) for n, by_app in findings.items() if by_app})
    if unexplained:
        del findings[unexplained[0]][unexplained[1]]
    require_each_purge(view, purges, lambda purge: findings[purge.request.n].values(), *CASES_OF_EACH_APP)
    sizes = (
        purge.last_exchange for purge in purges if purge.before.processes.complete and purge.after.processes.complete
    )
    view.count("app-size", sizes)
    _count_other_apps(view, others)
    require_no(changes_with_purges(view), "other-apps")
    if unexplained:
        raise Inconclusive(
            f"The app {unexplained[1]} changed with the purge of exchange {unexplained[0]} alone, and no event records "
            "that. Another client may have changed it just before the purge, which then destroyed the event.",
            Cause.RACE,
            RUN_ALONE,
        )


def _changes_of_own_apps(view: JudgmentView, purge: PurgeObservation) -> Iterator[tuple[str, Finding]]:
    """Yield each own app that differs before and after a purge, with the difference; not what the suite requested."""
    requested = requested_members(view, purge.request)
    for app in unchanged_apps(view, purge.request) & set(purge.before.apps.by_guid):
        snapshots = purge.before, purge.after
        with_sizes = all(snapshot.processes.complete for snapshot in snapshots)
        was, now = (describe_app(snapshot, app, with_sizes=with_sizes) for snapshot in snapshots)
        late = {name: now[name] for name, values in requested.get(app, {}).items() if now.get(name) in values}
        if now != {**was, **late}:
            expected, got = describe_difference(was, now)
            yield app, Finding(f"the app {app} unchanged: {expected}", got, purge.after.apps.exchanges[-1].n)


def _count_other_apps(view: JudgmentView, others: OtherApps) -> None:
    """Count the purges around which the apps of other clients were compared."""
    purges = others.purges if others.are_judged else ()
    for case in (*CASES_OF_EACH_APP, "other-apps", "other-apps-restarted"):
        view.count(case, (interval.last_exchange for interval in purges))
    view.count("app-size", (interval.last_exchange for interval in purges if interval.with_sizes))


def _no_unchanged_app(view: JudgmentView, others: OtherApps) -> Undecided:
    """Return why no app shows whether purges change apps."""
    if others.changes_between:
        return Inconclusive("Other clients changed their apps, and the suite had none of its own.", Cause.RACE)
    return no_suitable_app(view, "The suite had no app of its own, which no other client changes.")


def _survivor_findings(view: JudgmentView, purge: PurgeObservation) -> Iterator[Finding]:
    for row in purge.surviving_events.values():
        yield _survivor_finding(purge.last_exchange, row, describe_late_destruction(view, purge, row))


def _survivor_finding(n: int, row: Row, delay: str = "") -> Finding:
    return Finding(
        "none of the events from before the purge", f"{row.get('guid')} of {row.get('created_at')}{delay}", n
    )


def _is_empty_value(exchange: Exchange) -> bool:
    return not exchange.body.strip() or (exchange.is_json and exchange.json in ({}, None, [], ""))


def _event_guids(exchange: Exchange) -> set[str]:
    """Return the guids of the events in a response: a page, or one event."""
    rows = resources(exchange) or [exchange.json if isinstance(exchange.json, dict) else {}]
    return {str(row.get("guid")) for row in rows}
