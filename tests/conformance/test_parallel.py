"""Purges at the same time leave what one leaves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.actions import simple_apps
from purge_conformance.analysis.assertions import (
    Inconclusive,
    Trial,
    answer,
    each_time,
    for_want_of_apps,
    hold_each,
    need,
    need_all,
    stopped,
)
from purge_conformance.analysis.baseline import right_alone
from purge_conformance.analysis.concurrent_reads import EXPERIMENT, ROUNDS
from purge_conformance.analysis.purge import guids_of, purged_by, with_started_apps
from purge_conformance.analysis.purge_series import fails_at_times, hold_of_each
from purge_conformance.evidence.listing import STARTED, app_of_event
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged
    from purge_conformance.evidence.records import Exchange

FAILED, UNAVAILABLE = 500, 503


@pytest.mark.requirement("PARALLEL-01")
def test_no_event_survives(seen: Seen) -> None:
    """After purges at the same time no event that existed before MUST be left."""
    rounds = list(_rounds(seen))
    if not any(set(found.before.events.by_guid) - _seeds(found) for found in rounds):
        raise for_want_of_apps(seen, "no event existed that a purge could destroy for good")
    hold_of_each(seen, rounds, _surviving)


@pytest.mark.requirement("PARALLEL-02")
def test_no_app_missing(seen: Seen) -> None:
    """After purges at the same time there MUST be an event for each started app."""
    hold_of_each(seen, _with_apps(seen), _missing)


@pytest.mark.requirement("PARALLEL-03")
def test_no_app_twice(seen: Seen) -> None:
    """Purges at the same time MUST NOT seed an app twice, save once for each of its processes."""
    hold_of_each(seen, _with_apps(seen), partial(_twice, simple_apps(seen)))


@pytest.mark.requirement("PARALLEL-04")
def test_nothing_else_populated(seen: Seen) -> None:
    """Purges at the same time MUST populate nothing but events of started apps."""
    hold_of_each(seen, _rounds(seen), _of_nothing_started)


@pytest.mark.requirement("PARALLEL-05")
def test_no_purge_fails(seen: Seen) -> None:
    """A purge SHOULD NOT fail because another one is under way."""
    _alone(seen, EXPERIMENT)
    sent = need_all(seen, EXPERIMENT, *ROUNDS, why="no purges were sent at the same time")
    rounds: dict[tuple[str, str], list[Exchange]] = {}
    for x in sent:
        rounds.setdefault((x.experiment, x.step), []).append(x)
    if any(map(_has_failed, sent)):
        fails_at_times(seen)
    hold_each(seen, (Trial(purges[0].n, tuple(_failures(purges))) for purges in rounds.values()))


def _surviving(found: Purged) -> Iterator[Finding]:
    seeds = _seeds(found)
    for guid, row in found.kept.items():
        if guid not in seeds:
            words = "none of the events that existed before"
            yield Finding(words, f"{guid} of {row.get('created_at')}", found.last)


def _failures(purges: Iterable[Exchange]) -> Iterator[Finding]:
    for x in purges:
        if _has_failed(x):
            yield Finding("success, or a refusal such as 409 or 503", answer(x), x.n)


def _has_failed(purge: Exchange) -> bool:
    return (purge.status or 0) >= FAILED and purge.status != UNAVAILABLE


def _missing(found: Purged) -> Iterator[Finding]:
    populated = found.populated()
    for app in found.started:
        if app not in populated:
            yield Finding(f"an event for the started app {app}", "none", found.last)


def _twice(own: set[str], found: Purged) -> Iterator[Finding]:
    for app, events in found.repeated(own).items():
        yield Finding(f"at most {found.allowed(app, own)} for the app {app}", guids_of(events), found.last)


def _of_nothing_started(found: Purged) -> Iterator[Finding]:
    known = set(found.before.apps.by_guid) | set(found.after.apps.by_guid)
    others = {app_of_event(row) for row in found.changes()}  # deleted since, perhaps
    stopped_apps = {app for app, state in found.apps.items() if state != STARTED}
    for app, events in found.populated(besides_changes=True).items():
        if app in stopped_apps or app not in known | others:
            yield Finding("only events of started apps", f"{guids_of(events)} for {app}", found.last)


def _seeds(found: Purged) -> set[str]:
    """Return the guids that only seeded events have, rightly or not: those of apps and of processes."""
    return {
        guid for look in (found.before, found.after) for part in (look.apps, look.processes) for guid in part.by_guid
    }


def _with_apps(seen: Seen) -> Iterator[Purged]:
    """Yield the rounds, in each of which there are started apps; raises as `_rounds` and `with_started_apps` do."""
    for found in _rounds(seen):
        yield with_started_apps(found, seen)


def _rounds(seen: Seen) -> Iterator[Purged]:
    """Yield the rounds of which at least one purge succeeded and each was answered, as the purge that they amount to.

    Raises:
        Inconclusive: there is none, or a purge by itself is no whole purge either.
    """
    return each_time(seen, EXPERIMENT, _rounds_of)


def _rounds_of(seen: Seen, experiment: str) -> Iterator[Purged]:
    _alone(seen, experiment)
    need(seen, experiment, *ROUNDS, why="no purges were sent at the same time")
    rounds = {name: seen.of(experiment, name) for name in ROUNDS if seen.of(experiment, f"{name}.after.events")}
    if not rounds:
        stopped(seen, experiment)
    whole = {name: sent for name, sent in rounds.items() if all(x.status is not None for x in sent)}
    done = [name for name, sent in whole.items() if any((x.status or 0) // 100 == 2 for x in sent)]
    if not done:
        told = "; ".join(answer(x) for sent in rounds.values() for x in sent)
        raise Inconclusive(f"in no round every purge was answered and at least one succeeded: {told}", Cause.TARGET)
    yield from (purged_by(seen, experiment, name) for name in done)


def _alone(seen: Seen, experiment: str) -> None:
    """Return if the purge by itself that comes before the others is right.

    Raises:
        Inconclusive: it is not; what several leave says nothing about their meeting.
    """
    found = purged_by(seen, experiment, "alone")
    right_alone(seen, found)
    if not found.is_faithful():
        raise Inconclusive("a purge by itself populates what is no app: see SEED-08", Cause.TARGET)
