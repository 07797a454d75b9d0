"""Purges at the same time leave what one leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.checks import Inconclusive, answer, for_want_of_apps, hold, need, stopped
from purge_conformance.results import Blame, Finding
from purge_conformance.snapshot import STARTED, app_of_event
from purge_conformance.views.acts import own_apps
from purge_conformance.views.alone import right_alone
from purge_conformance.views.meanwhile import EXPERIMENT, ROUNDS
from purge_conformance.views.purged import guids_of, purged_by, with_started_apps
from purge_conformance.views.trials import fails_at_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.checks import Seen
    from purge_conformance.views.purged import Purged

FAILED, UNAVAILABLE = 500, 503


@pytest.mark.requirement("PARALLEL-01")
def test_no_event_survives(seen: Seen) -> None:
    """After purges at the same time no event that existed before MUST be left."""
    rounds = [(found, _seeds(found)) for found in _rounds(seen)]
    if not any(set(found.before.events.by_guid) - seeds for found, seeds in rounds):
        raise for_want_of_apps(seen, "no event existed that a purge could destroy for good")
    hold(
        Finding("none of the events that existed before", f"{guid} of {row.get('created_at')}", found.last)
        for found, seeds in rounds
        for guid, row in found.kept.items()
        if guid not in seeds
    )


@pytest.mark.requirement("PARALLEL-02")
def test_no_app_missing(seen: Seen) -> None:
    """After purges at the same time there MUST be an event for each started app."""
    hold(
        Finding(f"an event for the started app {app}", "none", found.last)
        for found in _rounds(seen)
        for app in with_started_apps(found, seen).started
        if app not in found.populated()
    )


@pytest.mark.requirement("PARALLEL-03")
def test_no_app_twice(seen: Seen) -> None:
    """Purges at the same time MUST NOT seed an app twice, save once for each of its processes."""
    own = own_apps(seen)
    hold(
        Finding(f"at most {found.allowed(app, own)} for the app {app}", guids_of(events), found.last)
        for found in _rounds(seen)
        for app, events in with_started_apps(found, seen).repeated(own).items()
    )


@pytest.mark.requirement("PARALLEL-04")
def test_nothing_else_populated(seen: Seen) -> None:
    """Purges at the same time MUST populate nothing but events of started apps."""
    for found in _rounds(seen):
        known = set(found.before.apps.by_guid) | set(found.after.apps.by_guid)
        others = {app_of_event(row) for row in found.changes()}  # deleted since, perhaps
        stopped_apps = {app for app, state in found.apps.items() if state != STARTED}
        hold(
            Finding("only events of started apps", f"{guids_of(events)} for {app}", found.last)
            for app, events in found.populated(besides_changes=True).items()
            if app in stopped_apps or app not in known | others
        )


@pytest.mark.requirement("PARALLEL-05")
def test_no_purge_fails(seen: Seen) -> None:
    """A purge SHOULD NOT fail because another one is under way."""
    _alone(seen)
    sent = need(seen, EXPERIMENT, *ROUNDS, why="no purges were sent at the same time")
    failed = [x for x in sent if (x.status or 0) >= FAILED and x.status != UNAVAILABLE]
    if failed:
        fails_at_times(seen)
    hold(Finding("success, or a refusal such as 409 or 503", answer(x), x.n) for x in failed)


def _seeds(found: Purged) -> set[str]:
    """Return the guids that only seeded events have, rightly or not: those of apps and of processes."""
    return {
        guid for look in (found.before, found.after) for part in (look.apps, look.processes) for guid in part.by_guid
    }


def _rounds(seen: Seen) -> Iterator[Purged]:
    """Yield the rounds of which at least one purge succeeded and each was answered, as the purge that they amount to.

    Raises:
        Inconclusive: there is none, or a purge by itself is no whole purge either.
    """
    _alone(seen)
    need(seen, EXPERIMENT, *ROUNDS, why="no purges were sent at the same time")
    rounds = {name: seen.of(EXPERIMENT, name) for name in ROUNDS if seen.of(EXPERIMENT, f"{name}.after.events")}
    if not rounds:
        stopped(seen, EXPERIMENT)
    whole = {name: sent for name, sent in rounds.items() if all(x.status is not None for x in sent)}
    done = [name for name, sent in whole.items() if any((x.status or 0) // 100 == 2 for x in sent)]
    if not done:
        told = "; ".join(answer(x) for sent in rounds.values() for x in sent)
        raise Inconclusive(f"in no round every purge was answered and at least one succeeded: {told}", Blame.TARGET)
    yield from (purged_by(seen, EXPERIMENT, name) for name in done)


def _alone(seen: Seen) -> None:
    """Return if a purge by itself is right.

    Raises:
        Inconclusive: it is not; what several leave says nothing about their meeting.
    """
    found = purged_by(seen, EXPERIMENT, "alone")
    right_alone(seen, found)
    if not found.is_faithful():
        raise Inconclusive("a purge by itself populates what is no app: see SEED-08", Blame.TARGET)
