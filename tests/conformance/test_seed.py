"""What a purge populates: one event for each started app, with its guid, as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance import clock
from purge_conformance.checks import NotExercised, answer, answered, hold, need
from purge_conformance.results import Blame, Finding
from purge_conformance.snapshot import STARTED, member
from purge_conformance.views.purged import guids_of, own_apps
from purge_conformance.views.traces import may_read, offset, seeded_events
from purge_conformance.views.trials import fresh, with_apps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from purge_conformance.checks import Seen
    from purge_conformance.clock import Offset
    from purge_conformance.evidence import Exchange
    from purge_conformance.snapshot import Row
    from purge_conformance.views.purged import Purged

APART = 1.0  # seconds that a clock of its own, a database's, may differ from the one that dates answers
CUT = 1.0  # seconds: a time may be cut to the second


@pytest.mark.requirement("SEED-01")
def test_no_app_missing(seen: Seen) -> None:
    """After a purge there MUST be an event for each started app."""
    hold(
        Finding(f"an event for the started app {app}", "none", trial.last)
        for trial in with_apps(seen)
        for app in trial.started
        if app in trial.settled and app not in trial.populated()
    )


@pytest.mark.requirement("SEED-02")
def test_no_app_twice(seen: Seen) -> None:
    """A purge MUST NOT seed an app twice, save once for each of its processes."""
    own = own_apps(seen)
    hold(
        Finding(
            f"at most {trial.allowed(app, own)} for the app {app}, each with a guid of its own",
            guids_of(events),
            trial.last,
        )
        for trial in with_apps(seen)
        for app, events in trial.repeated(own).items()
    )


@pytest.mark.requirement("SEED-03")
def test_no_stopped_app(seen: Seen) -> None:
    """A purge MUST NOT seed an event for an app that is not started."""
    stopped = [(trial, app, state) for trial in fresh(seen) for app, state in trial.settled.items() if state != STARTED]
    if not stopped:
        raise NotExercised("no app was stopped all the time", Blame.CONFIGURATION)
    hold(
        Finding(f"no event for the app {app}, which is {state}", guids_of(events), trial.last)
        for trial, app, state in stopped
        if (events := trial.populated(besides_changes=True).get(app))
    )


@pytest.mark.requirement("SEED-04")
def test_guid_is_apps(seen: Seen) -> None:
    """The seeded event of an app MUST have the same guid as the app."""
    hold(
        Finding(f"an event with the guid of its app, {app}", guids_of(events), trial.last)
        for trial, app, events in _seeded(seen)
        if app not in {event.get("guid") for event in events}
    )


@pytest.mark.requirement("SEED-05")
def test_event_names_app(seen: Seen) -> None:
    """A seeded event MUST name the app that it is for."""
    hold(
        Finding(f"app.guid {app} in the event {app}", str(member(event, "app", "guid")), trial.last)
        for trial in with_apps(seen)
        for app, event in trial.misnamed().items()
    )


@pytest.mark.requirement("SEED-06")
def test_time_is_now(seen: Seen) -> None:
    """The `created_at` of every seeded event MUST be the time of the purge, on the target's clock."""
    with_apps(seen)
    known = offset(seen)
    shift, origin = known or (clock.Offset(0, 0), "ours")
    late = [
        Finding(f"created_at of {event.get('guid')} from {span} (the target's clock, known from {origin})", got, look.n)
        for purge, look, event in seeded_events(seen)
        if (moment := clock.parse(got := str(event.get("created_at"))))
        and (span := _outside(moment, purge, look, shift))
    ]
    if late and known is None:
        raise NotExercised("the target sends no Date header, and its times do not agree with the suite's clock")
    hold(late)


@pytest.mark.requirement("SEED-07")
def test_time_is_formatted(seen: Seen) -> None:
    """The `created_at` of every seeded event MUST be an RFC 3339 date-time."""
    hold(
        Finding(f"created_at of {event.get('guid')} as 2020-06-30T23:49:04Z", repr(event.get("created_at")), trial.last)
        for trial, _, events in _seeded(seen)
        for event in events
        if clock.parse(event.get("created_at")) is None
    )


@pytest.mark.requirement("SEED-08")
def test_nothing_else_populated(seen: Seen) -> None:
    """A purge MUST populate nothing but events of started apps."""
    own = own_apps(seen)
    hold(
        Finding("no event of a task, for nobody runs one of the suite's own apps", str(row.get("guid")), trial.last)
        for trial in fresh(seen)
        for row in trial.after.events.rows
        if member(row, "task", "guid") is not None
        and member(row, "app", "guid") in own
        and row.get("guid") not in trial.before.events.by_guid
    )
    hold(
        Finding("only events of apps that exist", f"{guids_of(events)} for {app}", trial.last)
        for trial in fresh(seen)
        for app, events in trial.populated(besides_changes=True).items()
        if app not in {*trial.before.apps.by_guid, *trial.after.apps.by_guid}
    )


@pytest.mark.requirement("SEED-09")
def test_seeded_event_gettable(seen: Seen) -> None:
    """A seeded event MUST be got by the guid of its app."""
    gets = [*need(seen, "purge", "seeded", why="no event had the guid of its app"), *seen.of("changed", "seeded")]
    may_read(seen)
    hold(Finding("200", answer(x), x.n) for x in answered(gets) if x.status != 200)


def _seeded(seen: Seen) -> Iterator[tuple[Purged, str, list[Row]]]:
    """Yield each trial with each app that was started all the time and the events that are for it, if any."""
    for trial in with_apps(seen):
        populated = trial.populated()
        yield from ((trial, app, populated[app]) for app in trial.started if app in populated)


def _outside(moment: datetime, purge: Exchange, look: Exchange, shift: Offset) -> str:
    """Return the span in which a seeded event must be dated, if it is not; a purge that nobody saw may lie in it."""
    begun = purge.sent_at + shift.least - APART - CUT
    ended = look.sent_at + look.elapsed + shift.most + APART
    if begun <= moment.timestamp() <= ended:
        return ""
    return f"{clock.written(begun)} to {clock.written(ended)}"
