"""The apps of other clients around purges: whether a purge changed them, or their owners did.

Any app of others may change at any time, also during a purge. So a change counts against purges only where the evidence
leaves hardly another explanation: nothing else changed during the run, and either the changes came with several purges,
or several apps changed with the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import created_apps
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import RUN_LABEL, dig, snapshots
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from purge_conformance.evidence.listing import Snapshot, SnapshotSpan
    from purge_conformance.evidence.records import Evidence

    AppState = Mapping[str, str]  # member -> value in words
    Changes = Mapping[str, tuple[AppState, AppState]]  # app guid -> its state before and after

MEMBERS = {
    "state": ("state",),
    "name": ("name",),
    "space": ("relationships", "space", "data", "guid"),
    "droplet": ("relationships", "current_droplet", "data", "guid"),
}
NOT_LISTED: AppState = {"state": "not listed"}
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
        last_exchange: number of the exchange that shows the apps at its end.
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


def find_other_apps(evidence: Evidence) -> OtherApps:
    """Return what became of the apps of other clients during the run."""
    intervals = list(_intervals(evidence))
    quiet = [interval for interval in intervals if not interval.with_purge]
    return OtherApps(
        purges=tuple(interval for interval in intervals if interval.with_purge and interval.apps),
        quiet_seconds=sum(interval.seconds for interval in quiet),
        changes_between=any(interval.changes for interval in quiet),
    )


def _intervals(evidence: Evidence) -> Iterator[Interval]:
    spans = [span for span in evidence.cached(snapshots) if span.snapshot.apps.complete]
    purge_numbers = [x.n for x in evidence.exchanges if is_purge(x.method, x.path) and not x.rejected]
    own, runs = created_apps(evidence), set(evidence.noted(notes.RUN))
    for index, (before, after) in enumerate(pairwise(spans)):
        apps = [
            {
                guid
                for guid, row in span.snapshot.apps.by_guid.items()
                if guid not in own and dig(row, "metadata", "labels", RUN_LABEL) not in runs
            }
            for span in (before, after)
        ]
        yield Interval(
            with_purge=any(before.first < n < after.last for n in purge_numbers),
            with_sizes=_with_sizes(before.snapshot, after.snapshot),
            seconds=_seconds(before.snapshot, after.snapshot),
            last_exchange=after.snapshot.apps.exchanges[-1].n,
            apps=frozenset(apps[0]),
            changes=_changes(before.snapshot, after.snapshot, apps[0] | apps[1], spans[index + 2 :]),
        )


def _changes(before: Snapshot, after: Snapshot, apps: Iterable[str], later: Sequence[SnapshotSpan]) -> Changes:
    """Return the changed apps; an app that a later list shows was not deleted, but missed while pages moved."""
    with_sizes = _with_sizes(before, after)
    candidates = (
        guid
        for guid in apps
        if before.apps.by_guid.get(guid) != after.apps.by_guid.get(guid)
        or before.processes_of(guid) != after.processes_of(guid)
    )
    states = {
        guid: (
            describe_app(before, guid, with_sizes=with_sizes),
            describe_app(after, guid, with_sizes=with_sizes),
        )
        for guid in candidates
    }
    return {
        guid: (was, now)
        for guid, (was, now) in states.items()
        if was != now and (now is not NOT_LISTED or not any(guid in span.snapshot.apps.by_guid for span in later))
    }


def describe_app(snapshot: Snapshot, guid: str, *, with_sizes: bool) -> AppState:
    """Return what a snapshot shows of an app, member -> value in words; `with_sizes` adds those of its processes."""
    row = snapshot.apps.by_guid.get(guid)
    if row is None:
        return NOT_LISTED
    state = {name: str(dig(row, *path)) for name, path in MEMBERS.items()}
    sizes = (f"{row.get('instances')} instances of {row.get('memory_in_mb')} MB" for row in snapshot.processes_of(guid))
    return {**state, "processes": ", ".join(sorted(sizes)) or "none"} if with_sizes else state


def describe_difference(was: AppState, now: AppState) -> tuple[str, str]:
    """Return the members in which two states of an app differ, in words, as they were and as they are."""
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    old, new = (", ".join(f"{name} {state[name]}" for name in names if name in state) for state in (was, now))
    return old, new


def _with_sizes(before: Snapshot, after: Snapshot) -> bool:
    return before.processes.complete and after.processes.complete


def _seconds(before: Snapshot, after: Snapshot) -> float:
    first = min(x.sent_at for x in (*before.processes.exchanges, *before.apps.exchanges))
    return max(x.sent_at + x.elapsed for x in (*after.processes.exchanges, *after.apps.exchanges)) - first
