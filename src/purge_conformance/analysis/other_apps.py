"""The apps of other clients around purges: whether a purge changed them, or their owners did.

Any app of others may change at any time, also during a purge. So a change counts against purges only where the evidence
leaves hardly another explanation: nothing else changed during the run, and either the changes came with several purges,
or several apps changed with the first one. Three kinds of changes are judged, each by itself, as one may be frequent:
those of what an app is; those of anything that is listed of it, such as the time of its last update; and those that
only events show, such as a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import created_apps
from purge_conformance.analysis.app_states import (
    NOT_LISTED,
    describe_all_members,
    describe_app,
    describe_difference,
    events_back_and_forth,
)
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import RUN_LABEL, dig, event_identity, snapshots
from purge_conformance.evidence.steps import Part
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from purge_conformance.analysis.app_states import AppState
    from purge_conformance.evidence.listing import Snapshot, SnapshotSpan
    from purge_conformance.evidence.records import Evidence

    Changes = Mapping[str, tuple[AppState, AppState]]  # app guid -> its state before and after

MIN_QUIET = 10  # times as long as the first purge with its snapshots: how long no app may change before that counts
MIN_CHANGES = 3  # purges with which apps changed: two changes by one client may follow each other closely
MAX_CHANCE = 1 / 1000  # that changes by other clients come with purges only


@dataclass(frozen=True)
class Interval:
    """The time between two snapshots of the apps.

    Attributes:
        with_purge: whether a purge was sent in it that was not rejected.
        with_sizes: whether the processes of the apps could be read before and after.
        seconds: from the beginning of the first snapshot to the end of the last one.
        last_exchange: number of the exchange that shows the apps at its end, or the events.
        apps: guids of the apps of others that existed before.
        changes: those of them that changed, and new ones.
    """

    with_purge: bool
    with_sizes: bool
    seconds: float
    last_exchange: int
    apps: frozenset[str]
    changes: Changes

    def findings(self) -> Iterator[Finding]:
        """Yield each changed app."""
        for guid, (was, now) in self.changes.items():
            expected, got = describe_difference(was, now)
            yield Finding(
                f"the app {guid} of another client as before the purge: {expected}",
                f"{got}; such changes came with purges, and no app of another client changed at another time",
                self.last_exchange,
            )


@dataclass(frozen=True)
class OtherApps:
    """The apps of other clients during the run.

    Attributes:
        purges: the intervals with a purge before which such apps existed, in order.
        quiet_seconds: the time between snapshots without a purge.
        changes_between: whether such an app changed in that time.
    """

    purges: tuple[Interval, ...]
    quiet_seconds: float
    changes_between: bool

    @property
    def are_judged(self) -> bool:
        """Whether there are apps whose changes would show that a purge made them."""
        return bool(self.purges) and not self.changes_between and self.quiet_seconds > 0

    def findings(self) -> Iterator[Finding]:
        """Yield the changes that purges made."""
        if self.are_judged and (self._came_with_several() or self._came_with_first()):
            for interval in self.purges:
                yield from interval.findings()

    def _came_with_several(self) -> bool:
        """Whether changes came with several purges, and hardly by chance.

        The chance is that of as many changes at random times, all of which come with any purges, or with exactly the
        first ones: a purge that deletes an app each time changes nothing once no app is left.
        """
        changed = [interval for interval in self.purges if interval.changes]
        seconds = sum(interval.seconds for interval in self.purges)
        all_seconds = seconds + self.quiet_seconds
        with_any = (seconds / all_seconds) ** len(changed)
        with_first = prod(number * interval.seconds / all_seconds for number, interval in enumerate(changed, 1))
        are_first = changed == list(self.purges[: len(changed)])
        return len(changed) >= MIN_CHANGES and (with_first if are_first else with_any) <= MAX_CHANCE

    def _came_with_first(self) -> bool:
        """Whether several apps changed with the first purge, and none did in a period ten times as long."""
        first = self.purges[0]
        return len(first.changes) > 1 and self.quiet_seconds >= MIN_QUIET * first.seconds


@dataclass(frozen=True)
class _Pair:
    """Two snapshots of the apps, one after the other.

    Attributes:
        before, after: the snapshots.
        apps: the apps of others that exist before, and those that exist after.
        later: the snapshots after them.
        known: the identities of the events that earlier snapshots show.
    """

    before: Snapshot
    after: Snapshot
    apps: tuple[frozenset[str], frozenset[str]]
    later: Sequence[SnapshotSpan]
    known: Collection[tuple[str, str]]

    @property
    def with_sizes(self) -> bool:
        """Whether the processes could be read before and after."""
        return self.before.processes.complete and self.after.processes.complete

    @property
    def seconds(self) -> float:
        """From the beginning of the first snapshot to the end of the last one."""
        first = min(x.sent_at for x in (*self.before.processes.exchanges, *self.before.apps.exchanges))
        last = (*self.after.processes.exchanges, *self.after.apps.exchanges)
        return max(x.sent_at + x.elapsed for x in last) - first


def find_other_apps(evidence: Evidence) -> OtherApps:
    """Return what became of the apps of other clients during the run: their states, names, spaces, sizes, labels."""
    return _other_apps(evidence, partial(_listed_changes, describe_app))


def changes_with_purges(evidence: Evidence) -> Iterator[Finding]:
    """Yield the changes that purges made of the apps of other clients: those of the first kind that shows any."""
    kinds = (
        evidence.cached(find_other_apps),
        _other_apps(evidence, partial(_listed_changes, describe_all_members)),
        _other_apps(evidence, _recorded_changes, Part.EVENTS),
    )
    yield from next(filter(None, (list(others.findings()) for others in kinds)), ())


def _other_apps(evidence: Evidence, find_changes: Callable[[_Pair], Changes], shown_by: Part = Part.APPS) -> OtherApps:
    intervals = list(_intervals(evidence, find_changes, shown_by))
    quiet = [interval for interval in intervals if not interval.with_purge]
    return OtherApps(
        purges=tuple(interval for interval in intervals if interval.with_purge and interval.apps),
        quiet_seconds=sum(interval.seconds for interval in quiet),
        changes_between=any(interval.changes for interval in quiet),
    )


def _intervals(evidence: Evidence, find_changes: Callable[[_Pair], Changes], shown_by: Part) -> Iterator[Interval]:
    spans = [span for span in evidence.cached(snapshots) if span.snapshot.apps.complete]
    purge_numbers = [x.n for x in evidence.exchanges if is_purge(x.method, x.path) and not x.rejected]
    known: set[tuple[str, str]] = set()
    for index, (before, after) in enumerate(pairwise(spans)):
        apps = _apps_of_others(evidence, before.snapshot), _apps_of_others(evidence, after.snapshot)
        known |= {event_identity(row) for row in before.snapshot.events.rows}
        events = after.snapshot.events
        listing = events if shown_by is Part.EVENTS and events.exchanges else after.snapshot.apps
        pair = _Pair(before.snapshot, after.snapshot, apps, spans[index + 2 :], known)
        yield Interval(
            with_purge=any(before.first < n < after.last for n in purge_numbers),
            with_sizes=pair.with_sizes,
            seconds=pair.seconds,
            last_exchange=listing.exchanges[-1].n,
            apps=apps[0],
            changes=find_changes(pair),
        )


def _apps_of_others(evidence: Evidence, snapshot: Snapshot) -> frozenset[str]:
    own, runs = evidence.cached(created_apps), set(evidence.noted(notes.RUN))
    return frozenset(
        guid
        for guid, row in snapshot.apps.by_guid.items()
        if guid not in own and dig(row, "metadata", "labels", RUN_LABEL) not in runs
    )


def _listed_changes(describe: Callable[..., AppState], pair: _Pair) -> Changes:
    """Return the changed apps; an app that a later list shows was not deleted, but missed while pages moved."""
    before, after, with_sizes = pair.before, pair.after, pair.with_sizes
    candidates = (
        guid
        for guid in pair.apps[0] | pair.apps[1]
        if before.apps.by_guid.get(guid) != after.apps.by_guid.get(guid)
        or before.processes_of(guid) != after.processes_of(guid)
    )
    states = {
        guid: (describe(before, guid, with_sizes=with_sizes), describe(after, guid, with_sizes=with_sizes))
        for guid in candidates
    }
    return {
        guid: (was, now)
        for guid, (was, now) in states.items()
        if was != now and (now is not NOT_LISTED or not any(guid in span.snapshot.apps.by_guid for span in pair.later))
    }


def _recorded_changes(pair: _Pair) -> Changes:
    """Return the apps that new events record as changed and changed back."""
    if not (pair.before.events.complete and pair.after.events.complete):
        return {}
    recorded = events_back_and_forth(pair.after, pair.known)
    return {
        guid: ({"recorded": "no change"}, {"recorded": events})
        for guid, events in recorded.items()
        if guid in pair.apps[0] & pair.apps[1]
    }
