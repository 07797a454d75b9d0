"""Judgments of the events that a purge seeds: which apps have one, its guid, its app and its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import apps_with_new_droplet, own_apps, restarted_apps, single_process_apps
from purge_conformance.analysis.assertions import (
    no_suitable_app,
    require_each_trial,
    require_exchanges,
)
from purge_conformance.analysis.foreign_purges import require_found
from purge_conformance.analysis.history import require_admin_reads, seed_observations, target_clock_offset
from purge_conformance.analysis.interference import is_deleted_since
from purge_conformance.analysis.late_effects import describe_late_seed
from purge_conformance.analysis.next_steps import SET_CLOCK
from purge_conformance.analysis.outcomes import NotExercised, Trial
from purge_conformance.analysis.purge import format_guids
from purge_conformance.analysis.purge_series import (
    require_each_purge,
    require_first_purges,
    require_purges_with_started_apps,
)
from purge_conformance.analysis.view import target_responses
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import STARTED, dig
from purge_conformance.evidence.safe_text import as_text
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from purge_conformance.analysis.purge import PurgeObservation
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.clock import Offset
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

MAX_CLOCK_DIFFERENCE = 1.0  # most seconds between the clock of the Date header and another one, such as a database's
TRUNCATION = 1.0  # a time may be truncated to the second


@pytest.mark.requirement("SEED-01")
def test_started_apps_are_seeded(view: JudgmentView) -> None:
    """A purge MUST leave an event for each started app."""

    def find_missing(purge: PurgeObservation) -> Iterator[Finding]:
        for app in purge.started_apps:
            if app in purge.constant_apps and app not in purge.new_events_by_app():
                delay = describe_late_seed(view, purge, app)
                yield Finding(f"an event for the started app {app}", f"none{delay}", purge.last_exchange)

    purges = require_purges_with_started_apps(view)
    constant = [(purge, set(purge.started_apps) & purge.constant_apps.keys()) for purge in purges]
    view.count("started-app", (purge.last_exchange for purge, apps in constant if apps))
    moved = (purge for purge, apps in constant if apps & apps_with_new_droplet(view, purge.request))
    view.count("new-droplet", (purge.last_exchange for purge in moved))
    restarted = (purge for purge, apps in constant if apps & restarted_apps(view, purge.request))
    view.count("restarted-app", (purge.last_exchange for purge in restarted))
    require_each_purge(view, purges, find_missing)


@pytest.mark.requirement("SEED-02")
def test_apps_are_seeded_once(view: JudgmentView) -> None:
    """A purge MUST NOT seed an app more than once per process."""
    single_process = single_process_apps(view)

    def find_duplicates(purge: PurgeObservation) -> Iterator[Finding]:
        for app, events in purge.duplicate_seeds(single_process).items():
            words = f"at most {purge.max_events(app, single_process)} events for the app {app}, with different guids"
            yield Finding(words, format_guids(events), purge.last_exchange)

    purges = require_purges_with_started_apps(view)
    for case in ("event-count", "distinct-guids"):
        view.count(case, (purge.last_exchange for purge in purges if _countable_seeds(purge, single_process)))
    moved = (
        purge
        for purge in purges
        if apps_with_new_droplet(view, purge.request) & _countable_seeds(purge, single_process)
    )
    view.count("new-droplet", (purge.last_exchange for purge in moved))
    require_each_purge(view, purges, find_duplicates)


@pytest.mark.requirement("SEED-03")
def test_stopped_apps_are_not_seeded(view: JudgmentView) -> None:
    """A purge MUST NOT seed an event for an app that is not started."""
    with_stopped = [purge for purge in require_first_purges(view) if set(purge.constant_apps.values()) - {STARTED}]
    if not with_stopped:
        raise no_suitable_app(view, "No app was stopped before and after a purge.")

    def find_stopped(purge: PurgeObservation) -> Iterator[Finding]:
        for app, state in purge.constant_apps.items():
            if state != STARTED and (events := purge.new_events_by_app(exclude_changes=True).get(app)):
                yield Finding(
                    f"no event for the app {app}, which is {state}", format_guids(events), purge.last_exchange
                )

    require_each_purge(view, with_stopped, find_stopped, "stopped-app")


@pytest.mark.requirement("SEED-04")
def test_seed_has_app_guid(view: JudgmentView) -> None:
    """The seeded event of an app MUST have the same guid as the app."""

    def find_wrong_guids(purge: PurgeObservation) -> Iterator[Finding]:
        for app, events in _seeds_by_app(purge):
            if app not in {event.get("guid") for event in events}:
                yield Finding(f"an event with the guid of the app {app}", format_guids(events), purge.last_exchange)

    purges = require_purges_with_started_apps(view)
    view.count("event-guid", (purge.last_exchange for purge in purges if any(_seeds_by_app(purge))))
    require_each_purge(view, purges, find_wrong_guids)


@pytest.mark.requirement("SEED-05")
def test_seed_names_app(view: JudgmentView) -> None:
    """A seeded event MUST name its app."""

    def find_misattributed(purge: PurgeObservation) -> Iterator[Finding]:
        for app, event in purge.misattributed_seeds().items():
            yield Finding(f"app.guid {app} in the event {app}", as_text(dig(event, "app", "guid")), purge.last_exchange)

    purges = require_purges_with_started_apps(view)
    view.count("app-guid", (purge.last_exchange for purge in purges if purge.after.events.by_guid.keys() & purge.apps))
    require_each_purge(view, purges, find_misattributed)


@pytest.mark.requirement("SEED-06")
def test_seed_time_is_purge_time(view: JudgmentView) -> None:
    """The `created_at` of a seeded event MUST be the time of the purge on the target's clock."""
    require_purges_with_started_apps(view)
    clock_offset = target_clock_offset(view)
    shift, source = clock_offset or (clock.Offset(0, 0), "the suite's clock")
    findings_by_purge: dict[int, list[Finding]] = {}
    for purge, page, event in seed_observations(view):
        findings, got = findings_by_purge.setdefault(purge.n, []), str(event.get("created_at"))
        if (moment := clock.parse_rfc3339(got)) is None:
            continue
        view.count("purge-time", [page])
        if span := _violated_span(moment, purge, page, shift):
            words = f"created_at of {event.get('guid')} from {span} (the target's clock, by {source})"
            findings.append(Finding(words, got, page.n))
    if any(findings_by_purge.values()) and clock_offset is None:
        reason = "The target sends no Date header, and its times do not agree with the suite's clock."
        raise NotExercised(reason, Cause.TARGET, SET_CLOCK)
    require_each_trial(view, (Trial(n, tuple(findings)) for n, findings in findings_by_purge.items()))


@pytest.mark.requirement("SEED-07")
def test_seed_time_is_rfc3339(view: JudgmentView) -> None:
    """The `created_at` of a seeded event MUST be an RFC 3339 date-time."""

    def find_malformed(purge: PurgeObservation) -> Iterator[Finding]:
        for event in (event for _, events in _seeds_by_app(purge) for event in events):
            if clock.parse_rfc3339(event.get("created_at")) is None:
                words = f"created_at of {event.get('guid')} in a format such as 2020-06-30T23:49:04Z"
                yield Finding(words, repr(event.get("created_at")), purge.last_exchange)

    purges = require_purges_with_started_apps(view)
    view.count("date-time", (purge.last_exchange for purge in purges if any(_seeds_by_app(purge))))
    require_each_purge(view, purges, find_malformed)


@pytest.mark.requirement("SEED-08")
def test_only_apps_are_seeded(view: JudgmentView) -> None:
    """A purge MUST create events of started apps only."""
    own = own_apps(view)

    def find_unexpected(purge: PurgeObservation) -> Iterator[Finding]:
        for row in purge.after.events.rows:
            of_task = dig(row, "task", "guid") is not None and dig(row, "app", "guid") in own
            if of_task and row.get("guid") not in purge.before.events.by_guid:
                words = "no event of a task, since the suite's own apps run none"
                yield Finding(words, str(row.get("guid")), purge.last_exchange)
        known = {*purge.before.apps.by_guid, *purge.after.apps.by_guid}
        for app, events in purge.new_events_by_app(exclude_changes=True).items():
            if app not in known and not is_deleted_since(view, purge, app):
                yield Finding(
                    "only events of apps that exist", f"{format_guids(events)} for {app}", purge.last_exchange
                )

    purges = require_first_purges(view)
    view.count("no-task", (purge.last_exchange for purge in purges if own & purge.after.apps.by_guid.keys()))
    require_each_purge(view, purges, find_unexpected, "existing-app")


@pytest.mark.requirement("SEED-09")
def test_get_returns_seeded_event(view: JudgmentView) -> None:
    """Get with the guid of an app MUST return its seeded event."""
    if not view.of(Scenario.PURGE, Step.GET_SEEDED):
        require_purges_with_started_apps(view)
    first = require_exchanges(view, Scenario.PURGE, Step.GET_SEEDED, if_none="No event had the guid of its app.")
    later = target_responses(view.of(Scenario.PURGE_AFTER_CHANGES, Step.GET_SEEDED))
    require_admin_reads(view)
    view.count("after-first-purge", first)
    view.count("after-changes", later)
    require_found(view, (*first, *later))


def _countable_seeds(purge: PurgeObservation, single_process: set[str]) -> set[str]:
    """Return the apps that a purge seeded and for which it is known how many events they may have."""
    return {app for app, _ in _seeds_by_app(purge) if purge.max_events(app, single_process)}


def _seeds_by_app(purge: PurgeObservation) -> Iterator[tuple[str, list[Row]]]:
    """Yield each app that was started before and after a purge and has new events, with these."""
    new_events = purge.new_events_by_app()
    yield from ((app, new_events[app]) for app in purge.started_apps if app in new_events)


def _violated_span(moment: datetime, purge: Exchange, page: Exchange, shift: Offset) -> str:
    """Return the span in which the time of a seeded event must be, if it is not; empty if it is.

    The span ends with the page, since another client may have purged after the purge.
    """
    earliest = purge.sent_at + shift.lower - MAX_CLOCK_DIFFERENCE - TRUNCATION
    latest = page.sent_at + page.elapsed + shift.upper + MAX_CLOCK_DIFFERENCE
    if earliest <= moment.timestamp() <= latest:
        return ""
    return f"{clock.format_rfc3339(earliest)} to {clock.format_rfc3339(latest)}"
