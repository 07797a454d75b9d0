"""What a purge populates: one event for each started app, with its guid, as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import clock
from purge_conformance.checks import NotExercised, answer, hold, need
from purge_conformance.results import Finding
from purge_conformance.snapshot import STARTED, app_of_event, member
from purge_conformance.views import events_of, offset, purged, with_started_apps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.checks import Seen
    from purge_conformance.snapshot import Row
    from purge_conformance.views import Purged

TOLERANCE = 2.0  # seconds: a time may be cut to the second, and a database may have a clock of its own


@pytest.mark.requirement("SEED-01")
def test_no_app_missing(seen: Seen) -> None:
    """After a purge there MUST be an event for each started app."""
    found = with_started_apps(purged(seen, "purge"), seen)
    hold(
        Finding(f"an event for the started app {app}", "none", found.last)
        for app in found.started
        if not events_of(found.after.events, app)
    )


@pytest.mark.requirement("SEED-02")
def test_no_app_twice(seen: Seen) -> None:
    """A purge MUST NOT seed an app twice, save once for each of its processes."""
    found = with_started_apps(purged(seen, "purge"), seen)
    own = set((seen.note("foundation", "apps") or {}).values())
    hold(
        Finding(f"at most {allowed} for the app {app}", ", ".join(str(e.get("guid")) for e in events), found.last)
        for app in found.started
        if (allowed := 1 if app in own else found.after.process_count(app))
        and len(events := events_of(found.after.events, app)) > allowed
    )


@pytest.mark.requirement("SEED-03")
def test_no_stopped_app(seen: Seen) -> None:
    """A purge MUST NOT seed an event for an app that is not started."""
    found = purged(seen, "purge")
    stopped = [guid for guid, state in found.apps.items() if state != STARTED]
    if not stopped:
        raise NotExercised("no app was stopped all the time")
    hold(
        Finding(f"no event for the app {app}, which is {found.apps[app]}", str(event.get("guid")), found.last)
        for app in stopped
        for event in events_of(found.after.events, app)
    )


@pytest.mark.requirement("SEED-04")
def test_guid_is_apps(seen: Seen) -> None:
    """The seeded event of an app MUST have the same guid as the app."""
    found = with_started_apps(purged(seen, "purge"), seen)
    hold(
        Finding(f"an event with the guid of its app, {app}", ", ".join(guids), found.last)
        for app in found.started
        if (guids := [str(event.get("guid")) for event in events_of(found.after.events, app)]) and app not in guids
    )


@pytest.mark.requirement("SEED-05")
def test_event_names_app(seen: Seen) -> None:
    """A seeded event MUST name the app that it is for."""
    found = with_started_apps(purged(seen, "purge"), seen)
    hold(
        Finding(f"app.guid {app} in the event {app}", str(member(event, "app", "guid")), found.last)
        for app in found.started
        for event in found.after.events.rows
        if event.get("guid") == app and member(event, "app", "guid") != app
    )


@pytest.mark.requirement("SEED-06")
def test_time_is_now(seen: Seen) -> None:
    """The `created_at` of every seeded event MUST be the time of the purge, on the target's clock."""
    found = with_started_apps(purged(seen, "purge"), seen)
    known = offset(seen)
    shift, origin = known or (clock.Offset(0, 0), "ours")
    begun = found.request.sent_at + shift.least - TOLERANCE
    ended = found.request.sent_at + found.request.elapsed + shift.most + TOLERANCE
    span = f"{clock.written(begun)} to {clock.written(ended)} (the target's clock, known from {origin})"
    late = [
        Finding(
            f"created_at of {event.get('guid')} from {span}",
            str(event.get("created_at")),
            found.last,
        )
        for event, moment in _times(found)
        if not begun <= moment <= ended
    ]
    if late and known is None:
        raise NotExercised("the target sends no Date header, and its times do not agree with the suite's clock")
    hold(late)


@pytest.mark.requirement("SEED-07")
def test_time_is_formatted(seen: Seen) -> None:
    """The `created_at` of every seeded event MUST be an RFC 3339 date-time."""
    found = with_started_apps(purged(seen, "purge"), seen)
    hold(
        Finding(f"created_at of {event.get('guid')} as 2020-06-30T23:49:04Z", repr(event.get("created_at")), found.last)
        for event in _seeded(found)
        if clock.parse(event.get("created_at")) is None
    )


@pytest.mark.requirement("SEED-08")
def test_nothing_else_populated(seen: Seen) -> None:
    """A purge MUST populate nothing but events of started apps."""
    found = purged(seen, "purge")
    apps = set(found.before.apps.by_guid) | set(found.after.apps.by_guid)
    hold(
        Finding("only events of apps that exist", f"{event.get('guid')} for {member(event, 'app', 'guid')}", found.last)
        for event in found.after.events.rows
        if event.get("guid") not in found.before.events.by_guid
        and event.get("guid") not in apps
        and app_of_event(event) not in apps
    )


@pytest.mark.requirement("SEED-09")
def test_seeded_event_gettable(seen: Seen) -> None:
    """A seeded event MUST be got by the guid of its app."""
    gets = need(seen, "purge", "seeded", why="no event had the guid of its app")
    hold(Finding("200", answer(x), x.n) for x in gets if x.status != 200)


def _seeded(found: Purged) -> list[Row]:
    return [event for app in found.started for event in events_of(found.after.events, app)]


def _times(found: Purged) -> Iterator[tuple[Row, float]]:
    """Yield seeded events with their time; one without a readable time is another requirement's matter."""
    for event in _seeded(found):
        if moment := clock.parse(event.get("created_at")):
            yield event, moment.timestamp()
