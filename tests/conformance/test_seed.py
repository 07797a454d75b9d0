"""What a purge populates: one event for each started app, with its guid, as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import own_apps, simple_apps
from purge_conformance.analysis.assertions import (
    NotExercised,
    Trial,
    answer,
    answered,
    for_want_of_apps,
    hold,
    hold_each,
    need,
)
from purge_conformance.analysis.history import may_read, offset, seeded_events
from purge_conformance.analysis.purge import guids_of
from purge_conformance.analysis.purge_series import fresh, hold_of_each, with_apps
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import STARTED, dig
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged
    from purge_conformance.evidence.clock import Offset
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

APART = 1.0  # seconds that a clock of its own, a database's, may differ from the one that dates answers
CUT = 1.0  # seconds: a time may be cut to the second


@pytest.mark.requirement("SEED-01")
def test_no_app_missing(seen: Seen) -> None:
    """After a purge there MUST be an event for each started app."""

    def missing(trial: Purged) -> Iterator[Finding]:
        for app in trial.started:
            if app in trial.settled and app not in trial.populated():
                yield Finding(f"an event for the started app {app}", "none", trial.last)

    hold_of_each(seen, with_apps(seen), missing)


@pytest.mark.requirement("SEED-02")
def test_no_app_twice(seen: Seen) -> None:
    """A purge MUST NOT seed an app twice, save once for each of its processes."""
    own = simple_apps(seen)

    def repeated(trial: Purged) -> Iterator[Finding]:
        for app, events in trial.repeated(own).items():
            words = f"at most {trial.allowed(app, own)} for the app {app}, each with a guid of its own"
            yield Finding(words, guids_of(events), trial.last)

    hold_of_each(seen, with_apps(seen), repeated)


@pytest.mark.requirement("SEED-03")
def test_no_stopped_app(seen: Seen) -> None:
    """A purge MUST NOT seed an event for an app that is not started."""
    with_stopped = [trial for trial in fresh(seen) if set(trial.settled.values()) - {STARTED}]
    if not with_stopped:
        raise for_want_of_apps(seen, "no app was stopped all the time")

    def unwanted(trial: Purged) -> Iterator[Finding]:
        for app, state in trial.settled.items():
            if state != STARTED and (events := trial.populated(besides_changes=True).get(app)):
                yield Finding(f"no event for the app {app}, which is {state}", guids_of(events), trial.last)

    hold_of_each(seen, with_stopped, unwanted)


@pytest.mark.requirement("SEED-04")
def test_guid_is_apps(seen: Seen) -> None:
    """The seeded event of an app MUST have the same guid as the app."""

    def foreign(trial: Purged) -> Iterator[Finding]:
        for app, events in _seeded(trial):
            if app not in {event.get("guid") for event in events}:
                yield Finding(f"an event with the guid of its app, {app}", guids_of(events), trial.last)

    hold_of_each(seen, with_apps(seen), foreign)


@pytest.mark.requirement("SEED-05")
def test_event_names_app(seen: Seen) -> None:
    """A seeded event MUST name the app that it is for."""

    def misnamed(trial: Purged) -> Iterator[Finding]:
        for app, event in trial.misnamed().items():
            yield Finding(f"app.guid {app} in the event {app}", str(dig(event, "app", "guid")), trial.last)

    hold_of_each(seen, with_apps(seen), misnamed)


@pytest.mark.requirement("SEED-06")
def test_time_is_now(seen: Seen) -> None:
    """The `created_at` of every seeded event MUST be the time of the purge, on the target's clock."""
    with_apps(seen)
    known = offset(seen)
    shift, origin = known or (clock.Offset(0, 0), "ours")
    tried: dict[int, list[Finding]] = {}
    for purge, look, event in seeded_events(seen):
        late, got = tried.setdefault(purge.n, []), str(event.get("created_at"))
        if (moment := clock.parse_rfc3339(got)) and (span := _outside(moment, purge, look, shift)):
            words = f"created_at of {event.get('guid')} from {span} (the target's clock, known from {origin})"
            late.append(Finding(words, got, look.n))
    if any(tried.values()) and known is None:
        raise NotExercised("the target sends no Date header, and its times do not agree with the suite's clock")
    hold_each(seen, (Trial(n, tuple(late)) for n, late in tried.items()))


@pytest.mark.requirement("SEED-07")
def test_time_is_formatted(seen: Seen) -> None:
    """The `created_at` of every seeded event MUST be an RFC 3339 date-time."""

    def misshapen(trial: Purged) -> Iterator[Finding]:
        for event in (event for _, events in _seeded(trial) for event in events):
            if clock.parse_rfc3339(event.get("created_at")) is None:
                words = f"created_at of {event.get('guid')} as 2020-06-30T23:49:04Z"
                yield Finding(words, repr(event.get("created_at")), trial.last)

    hold_of_each(seen, with_apps(seen), misshapen)


@pytest.mark.requirement("SEED-08")
def test_nothing_else_populated(seen: Seen) -> None:
    """A purge MUST populate nothing but events of started apps."""
    own = own_apps(seen)

    def strange(trial: Purged) -> Iterator[Finding]:
        for row in trial.after.events.rows:
            of_task = dig(row, "task", "guid") is not None and dig(row, "app", "guid") in own
            if of_task and row.get("guid") not in trial.before.events.by_guid:
                words = "no event of a task, for nobody runs one of the suite's own apps"
                yield Finding(words, str(row.get("guid")), trial.last)
        known = {*trial.before.apps.by_guid, *trial.after.apps.by_guid}
        for app, events in trial.populated(besides_changes=True).items():
            if app not in known:
                yield Finding("only events of apps that exist", f"{guids_of(events)} for {app}", trial.last)

    hold_of_each(seen, fresh(seen), strange)


@pytest.mark.requirement("SEED-09")
def test_seeded_event_gettable(seen: Seen) -> None:
    """A seeded event MUST be got by the guid of its app."""
    gets = [*need(seen, "purge", "seeded", why="no event had the guid of its app"), *seen.of("changed", "seeded")]
    may_read(seen)
    hold(Finding("200", answer(x), x.n) for x in answered(gets) if x.status != 200)


def _seeded(trial: Purged) -> Iterator[tuple[str, list[Row]]]:
    """Yield each app that was started all the time, and the events that are for it, if any."""
    populated = trial.populated()
    yield from ((app, populated[app]) for app in trial.started if app in populated)


def _outside(moment: datetime, purge: Exchange, look: Exchange, shift: Offset) -> str:
    """Return the span in which a seeded event must be dated, if it is not; a purge that nobody saw may lie in it."""
    begun = purge.sent_at + shift.lower - APART - CUT
    ended = look.sent_at + look.elapsed + shift.upper + APART
    if begun <= moment.timestamp() <= ended:
        return ""
    return f"{clock.format_rfc3339(begun)} to {clock.format_rfc3339(ended)}"
