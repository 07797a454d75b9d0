"""A purge between two looks at everything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import apps_unchanged_since_earlier_purge, own_apps
from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    describe_response,
    require_complete,
    require_exchanges,
    require_snapshot,
)
from purge_conformance.evidence.listing import (
    STARTED,
    app_of_event,
    app_of_process,
    dig,
    event_identity,
    is_change_event,
    is_crash_event,
    stable_apps,
)
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange

STOPPED = "STOPPED"


@dataclass(frozen=True)
class PurgeObservation:
    """A purge that succeeded, and what was there before and after it.

    Attributes:
        request: the purge.
        before, after: everything, just before and just after.
        apps: app guid -> state, of the apps that nobody changed meanwhile; races with others are nobody's fault.
        is_again: whether it came right after another purge: nothing had been done on the target in between.
        unsettled: those of the apps that had another state at an earlier look of the run.
        populated_before: guids of the events that earlier purges of the run populated.
        earlier: the keys of all events that were seen earlier in the run; what was gone before and is back is not new.
        untouched: the suite's own apps that were left alone since the last purge but one, and even since this one.
    """

    request: Exchange
    before: Snapshot
    after: Snapshot
    apps: dict[str, str]
    is_repeat: bool = False
    state_changed_earlier: Collection[str] = field(default=frozenset())
    seeded_earlier: Collection[str] = field(default=frozenset())
    known_keys: Collection[tuple[str, str]] = field(default=frozenset())
    unchanged_own_apps: Collection[str] = field(default=frozenset())

    @cached_property
    def started_apps(self) -> list[str]:
        """The guids of the apps that were started all the time."""
        return [guid for guid, state in self.apps.items() if state == STARTED]

    @property
    def last_exchange(self) -> int:
        """The number of the exchange that shows the events after the purge."""
        return self.after.events.exchanges[-1].n

    @cached_property
    def constant_apps(self) -> dict[str, str]:
        """The apps that had the same state at every earlier look; what becomes of the others is AGAIN-03's."""
        return {guid: state for guid, state in self.apps.items() if guid not in self.state_changed_earlier}

    @cached_property
    def seedable_guids(self) -> set[str]:
        """The guids that a seeded event may have: of every app that was not stopped, and of its processes."""
        stopped = {guid for guid, state in self.apps.items() if state == STOPPED}
        apps = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        rows = [*self.before.processes.rows, *self.after.processes.rows]
        processes = {str(row.get("guid")) for row in rows if app_of_process(row) not in stopped}
        return (apps | processes) - stopped

    @cached_property
    def surviving_events(self) -> dict[str, Row]:
        """The events that the purge left as they were, by guid; one that may be seeded counts as seeded.

        So does one with the guid of the app that it names, be it stopped or gone, and one that an earlier purge made:
        it may have been made again within the same second, and SEED judges whether it may be there.
        """
        before, after = self.before.events.by_guid, self.after.events.by_guid
        seedable = self.seedable_guids | set(self.seeded_earlier)
        same = {
            guid: row
            for guid, row in after.items()
            if guid in before and event_identity(row) == event_identity(before[guid])
        }
        return {guid: row for guid, row in same.items() if guid not in seedable and guid != app_of_event(row)}

    def new_events_by_app(self, *, exclude_changes: bool = False) -> dict[str | None, list[Row]]:
        """Return the events that are new since the purge, by the app that they are for.

        Args:
            exclude_changes: leave out what others did since, if their events say so.
        """
        return self._new_events_without_changes if exclude_changes else self._all_new_events

    @cached_property
    def _all_new_events(self) -> dict[str | None, list[Row]]:
        return self._group_new_events(self.after.events.rows)

    @cached_property
    def _new_events_without_changes(self) -> dict[str | None, list[Row]]:
        return self._group_new_events(self.events_without_changes())

    def _group_new_events(self, rows: Iterable[Row]) -> dict[str | None, list[Row]]:
        known = self.surviving_events.keys() | self._reappeared_guids()
        new = [row for row in rows if str(row.get("guid")) not in known and dig(row, "task", "guid") is None]
        return group_by_app(new, set(self.after.apps.by_guid) | set(self.before.apps.by_guid))

    def _reappeared_guids(self) -> set[str]:
        """Return the guids of events that were gone before the purge and are back since: PURGE-05 judges these."""
        reappeared = {guid for guid, row in self.after.events.by_guid.items() if event_identity(row) in self.known_keys}
        return reappeared - self.before.events.by_guid.keys() - self.seedable_guids - set(self.seeded_earlier)

    def change_events(self) -> list[Row]:
        """Return the events of what others did since the purge; it may have seeded its own in the same words.

        Nobody starts, stops or scales the untouched apps: what tells so of them is the purge's.
        """
        known_guids = self.surviving_events.keys() | self.seedable_guids
        new = [row for row in self.after.events.rows if row.get("guid") not in known_guids and is_change_event(row)]
        return [row for row in new if not (app_of_event(row) in self.unchanged_own_apps and not is_crash_event(row))]

    def events_without_changes(self) -> list[Row]:
        """Return the events after the purge without those of what others did since."""
        changes = {row["guid"] for row in self.change_events()}
        return [row for row in self.after.events.rows if row["guid"] not in changes]

    def duplicate_seeds(self, single_process: Collection[str]) -> dict[str, list[Row]]:
        """Return the started apps that were seeded more often than once for each process, with their events.

        Args:
            single_process: the apps of which it is known that they have one process; of others it must be seen.
        """
        populated = self.new_events_by_app(exclude_changes=True)
        found = {app: (populated.get(app, []), self.max_events(app, single_process)) for app in self.started_apps}
        return {app: events for app, (events, allowed) in found.items() if allowed and _exceeds_limit(events, allowed)}

    def max_events(self, app: str, single_process: Collection[str]) -> int | None:
        """Return how many events may be for an app: one for each process; None where nobody knows how many it has."""
        processes = self.after.process_count(app)
        if processes is None:
            return 1 if app in single_process else None
        return max(1, processes)

    def misattributed_seeds(self) -> dict[str, Row]:
        """Return the started apps whose guid an event has that does not name them, with that event."""
        found = {app: row for app in self.started_apps if (row := self.after.events.by_guid.get(app)) is not None}
        return {app: row for app, row in found.items() if dig(row, "app", "guid") != app}

    def is_complete(self) -> bool:
        """Whether it destroyed all, and populated events of the started apps, of all of them and of no others."""
        populated = self.new_events_by_app(exclude_changes=True)
        known = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        return (
            not self.surviving_events
            and set(populated) <= known
            and all((app in populated) == (state == STARTED) for app, state in self.constant_apps.items())
        )

    def is_correct(self, single_process: Collection[str]) -> bool:
        """Whether it is faithful, seeded none too often, each with its app's guid and name; `own` as in `repeated`."""
        populated = self.new_events_by_app(exclude_changes=True)
        seeded = {app: populated[app] for app in self.started_apps if app in populated}
        with_guid = all(app in {event.get("guid") for event in events} for app, events in seeded.items())
        return (
            with_guid
            and not self.misattributed_seeds()
            and self.is_complete()
            and not self.duplicate_seeds(single_process)
        )


def _exceeds_limit(events: list[Row], limit: int) -> bool:
    return len(events) > limit or len({event["guid"] for event in events}) < len(events)


def group_by_app(events: Iterable[Row], apps: Collection[str]) -> dict[str | None, list[Row]]:
    """Return events by the app that they are for: the one whose guid they have, or else the one that they name."""
    found: dict[str | None, list[Row]] = {}
    for event in events:
        guid = event.get("guid")
        found.setdefault(str(guid) if guid in apps else app_of_event(event), []).append(event)
    return found


def format_guids(events: Iterable[Row]) -> str:
    """Return the guids of events, to be shown."""
    return ", ".join(str(event.get("guid")) for event in events) or "none"


def require_purge(view: JudgmentView, scenario: str) -> PurgeObservation:
    """Return the purge that an experiment tried.

    Raises:
        Inconclusive: it did not succeed, or apps or events could not be read before or after.
    """
    request = require_exchanges(view, scenario, "purge", if_none="no purge was tried")[-1]
    return require_purge_between(
        view, request, require_snapshot(view, scenario, "before"), require_snapshot(view, scenario, "after")
    )


def require_purge_at_step(view: JudgmentView, scenario: str, step: str) -> PurgeObservation:
    """Return the purge that an experiment tried at a step, between looks named after the step; raises as `purged`.

    Of several the last one that succeeded stands for all.
    """
    sent = require_exchanges(view, scenario, step, if_none="no such purge was tried")
    before, after = (require_snapshot(view, scenario, f"{step}.{look}") for look in ("before", "after"))
    successes = [x for x in sent if (x.status or 0) // 100 == 2]  # noqa: PLR2004 -- success
    return require_purge_between(view, (successes or sent)[-1], before, after)


def require_purge_between(evidence: Evidence, request: Exchange, before: Snapshot, after: Snapshot) -> PurgeObservation:
    """Return a purge between two looks.

    Raises:
        Inconclusive: it did not succeed, or apps or events could not be read before or after.
    """
    require_success(request)
    for part in (before, after):
        require_complete(part.events, "events")
        require_complete(part.apps, "apps")
    unchanged = apps_unchanged_since_earlier_purge(evidence, request, after.apps.exchanges[-1].n)
    own = own_apps(evidence)
    purge = PurgeObservation(request, before, after, stable_apps(before, after, own), unchanged_own_apps=unchanged)
    return replace(purge, apps=_without_brief_changes(purge, own))


def _without_brief_changes(purge: PurgeObservation, own: Collection[str]) -> dict[str, str]:
    """Return the apps without those that others changed and changed back within a second, as events since then tell.

    Nobody else changes the suite's own. Where no started app is left, the events are rather the purge's, in odd words.
    """
    changed = {app_of_event(row) for row in purge.change_events()}
    apps = {guid: state for guid, state in purge.apps.items() if guid in own or guid not in changed}
    return apps if STARTED in apps.values() else purge.apps


def require_success(request: Exchange) -> None:
    """Return if a purge was answered with success, of whatever kind.

    Raises:
        Inconclusive: it was not; what follows from a purge cannot be judged.
    """
    if not 200 <= (request.status or 0) < 300:  # noqa: PLR2004 -- success
        raise Inconclusive(f"the purge did not succeed: {describe_response(request)}", Cause.TARGET)


def require_started_apps(purge: PurgeObservation, view: JudgmentView) -> PurgeObservation:
    """Return the purge if any app was started all the time.

    Raises:
        NotExercised: none was.
    """
    if not purge.started_apps:
        error = view.note("foundation", "trouble") or "none is there"
        raise NotExercised(f"no app was started all the time: {error}. Start one.", Cause.CONFIGURATION)
    return purge
