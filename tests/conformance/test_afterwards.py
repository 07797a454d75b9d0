"""What comes after a purge: another one, and starts, stops and scalings."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.app_changes import changes
from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    Trial,
    apps_of,
    each_status_is,
    for_want_of_apps,
    hold,
    hold_each,
    need,
    snapshot_of,
    stopped,
)
from purge_conformance.analysis.purge import by_app, guids_of, succeeded, with_started_apps
from purge_conformance.analysis.purge_series import all_whole, fresh, plain_purges, trials
from purge_conformance.evidence.listing import STARTED, app_of_event
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.purge import Purged
    from purge_conformance.evidence.listing import Row

    ByApp = dict[str | None, list[Row]]


@pytest.mark.requirement("AGAIN-01")
def test_second_purge_succeeds(seen: Seen) -> None:
    """A second purge right after the first MUST succeed as well."""
    first = need(seen, "purge", "purge", why="no purge was tried")[-1]
    succeeded(first)
    need(seen, "again", "purge", why="no second purge was tried")
    again = [x for x, is_again in plain_purges(seen) if is_again]
    each_status_is(seen, again, first.status or 0)


@pytest.mark.requirement("AGAIN-02")
def test_second_purge_equivalent(seen: Seen) -> None:
    """A second purge, and a later one, MUST give an equivalent state of the apps that did not change."""
    need(seen, "again", "purge", why="no second purge was tried")
    first, *later = trials(seen)
    with_started_apps(first, seen)
    if not later:
        raise Inconclusive("no second purge could be seen between two looks at everything", Cause.TARGET)
    pairs = pairwise([first, *later])
    _hold_beside_whole_ones(
        seen,
        [
            Trial(now.last, tuple(_differences(first, before, now)), "again" if now.is_again else "later")
            for before, now in pairs
        ],
    )


@pytest.mark.requirement("AGAIN-03")
def test_later_purge_reflects_apps(seen: Seen) -> None:
    """A later purge MUST reflect the apps as they are by then."""
    need(seen, "changed", "purge", why="no later purge was tried")
    changed = [purge for purge in fresh(seen) if purge.unsettled]
    if not changed:
        raise NotExercised(_no_apps(seen), Cause.CONFIGURATION)
    found = {purge.last: [_otherwise(purge, app) for app in sorted(purge.unsettled)] for purge in changed}
    _hold_beside_whole_ones(seen, [Trial(last, tuple(chain(*findings))) for last, findings in found.items()])


@pytest.mark.requirement("AFTER-01")
def test_start_is_recorded(seen: Seen) -> None:
    """The start of an app after a purge MUST be recorded."""
    _recorded(seen, ("lifecycle", "start", "start-again"), ("late", "start"))


@pytest.mark.requirement("AFTER-02")
def test_stop_is_recorded(seen: Seen) -> None:
    """The stop of an app after a purge MUST be recorded."""
    _recorded(seen, ("lifecycle", "stop", "stop-again"), ("late", "stop"))


@pytest.mark.requirement("AFTER-03")
def test_scaling_is_recorded(seen: Seen) -> None:
    """The scaling of a started app after a purge MUST be recorded."""
    _recorded(seen, ("lifecycle", "scale", "scale-memory", "scale-down", "scale-up"), ("late", "scale"))


@pytest.mark.requirement("AFTER-04")
def test_seeded_events_stay(seen: Seen) -> None:
    """Events that are recorded after a purge MUST stand beside the seeded ones, which stay as they are."""
    before = snapshot_of(seen, "again", "after").events
    after = snapshot_of(seen, "lifecycle", "end").events
    seeded = [row for row in before.rows if row["guid"] == app_of_event(row)]
    if not seeded or not changes(seen, "lifecycle", "start", "stop", "scale"):
        raise for_want_of_apps(seen, "there were no seeded events, or no app to start")
    hold(
        Finding(f"the seeded event {row['guid']} as it was", str(now), after.exchanges[-1].n)
        for row in seeded
        if (now := after.by_guid.get(row["guid"], "gone")) != row
    )


def _recorded(seen: Seen, *tried: tuple[str, ...]) -> None:
    """Require a new event for the app of each of these changes, that tells of it; an experiment, and its changes."""
    done = [change for experiment, *names in tried for change in changes(seen, experiment, *names)]
    if not done:
        stopped(seen, "lifecycle")
        raise NotExercised(_no_apps(seen), Cause.CONFIGURATION)
    for experiment in dict.fromkeys(change.experiment for change in done):
        apps = apps_of(snapshot_of(seen, experiment, "end")).apps.by_guid
        if any(change.app not in apps for change in done if change.experiment == experiment):
            raise Inconclusive("an app of the suite's own is gone: somebody else deleted it", Cause.RACE)
    hold(
        Finding(f"after {change.name} a new event for the app {change.app} that tells {change.tells}", got, change.last)
        for change in done
        if (got := change.missing())
    )


def _hold_beside_whole_ones(seen: Seen, tried: Sequence[Trial]) -> None:
    """Require that nothing is wrong with any of these trials.

    Raises:
        Inconclusive: something is, and with a plain purge as well.
    """
    if any(trial.findings for trial in tried):
        all_whole(seen, of_settled_apps=True)
    hold_each(seen, tried)


def _differences(first: Purged, before: Purged, later: Purged) -> Iterator[Finding]:
    """Yield the apps that did not change, and whose events are others after a later purge than after an earlier one.

    Right after another purge all events are compared with those that this one left; else what both of them populated.
    """
    earlier = before if later.is_again else first
    then, now = (_events(found, whole=later.is_again) for found in (earlier, later))
    for app, state in earlier.apps.items():
        if later.apps.get(app) == state and not _equivalent(app, then.get(app, []), now.get(app, [])):
            words = f"for the app {app} as after the purge before it, {guids_of(then.get(app, ()))}"
            yield Finding(words, guids_of(now.get(app, ())), later.last)


def _events(found: Purged, *, whole: bool) -> ByApp:
    if whole:
        return by_app(found.besides_changes(), set(found.after.apps.by_guid))
    return found.populated(besides_changes=True)


def _otherwise(found: Purged, app: str) -> Iterator[Finding]:
    """Yield what does not reflect the state of an app that had another one before."""
    state = found.apps[app]
    events = found.populated(besides_changes=state != STARTED).get(app, [])
    if (state == STARTED) != bool(events):
        yield Finding(
            f"{'an' if state == STARTED else 'no'} event for {app}, {state} by then", guids_of(events), found.last
        )


def _equivalent(app: str, then: list[Row], now: list[Row]) -> bool:
    """Whether as many events are for the app as before, and one with its guid is among them or not, as before."""
    own = [app in {event.get("guid") for event in events} for events in (then, now)]
    return len(then) == len(now) and own[0] == own[1]


def _no_apps(seen: Seen) -> str:
    return str(seen.note("foundation", "trouble") or "no app of the suite's own could be started, stopped or scaled")
