"""A purge between two snapshots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import apps_unchanged_since_earlier_purge, own_apps
from purge_conformance.analysis.assertions import (
    describe_response,
    require_complete,
    require_exchanges,
    require_responses,
    require_snapshot,
    to_sentence,
)
from purge_conformance.analysis.next_steps import get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised
from purge_conformance.analysis.retention import apps_with_deleted_seeds
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import (
    STARTED,
    STOPPED,
    app_of_event,
    app_of_process,
    dig,
    event_identity,
    is_change_event,
    is_crash_event,
    snapshots,
    stable_apps,
)
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step, place_of
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.evidence.steps import Where


@dataclass(frozen=True)
class PurgeObservation:
    """A purge that succeeded, between two snapshots.

    Attributes:
        request: the purge.
        before: the snapshot just before.
        after: the snapshot just after.
        apps: app guid -> state, of the apps that did not change in between; a race with other clients is not judged.
        is_repeat: whether it came right after another purge, without any change by the suite in between.
        state_changed_earlier: guids of the apps that had another state in an earlier snapshot of the run.
        seeded_earlier: guids of the events that other purges of the run seeded, as far as they are known.
        known_keys: identities of all events that earlier snapshots of the run show: an event that reappears is not new.
        unchanged_own_apps: the suite's own apps that it did not change from the last purge but one to the snapshot
            after.
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
        """The guids of the apps that were started before and after."""
        return [guid for guid, state in self.apps.items() if state == STARTED]

    @property
    def last_exchange(self) -> int:
        """The number of the exchange that shows the events after the purge."""
        return self.after.events.exchanges[-1].n

    @cached_property
    def constant_apps(self) -> dict[str, str]:
        """The apps that had the same state in every earlier snapshot; AGAIN-03 judges the others."""
        return {guid: state for guid, state in self.apps.items() if guid not in self.state_changed_earlier}

    @cached_property
    def seedable_guids(self) -> set[str]:
        """The guids that a seeded event may have: those of every app that was not stopped, and of its processes."""
        stopped = {guid for guid, state in self.apps.items() if state == STOPPED}
        apps = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        rows = [*self.before.processes.rows, *self.after.processes.rows]
        processes = {str(row.get("guid")) for row in rows if app_of_process(row) not in stopped}
        return (apps | processes) - stopped

    @cached_property
    def surviving_events(self) -> dict[str, Row]:
        """The events that the purge did not destroy, by guid, except those that it may have seeded again.

        An event may be seeded again if it has the guid of an app that was not stopped or of a process of it, has the
        guid of the app that it names, or was seeded by an earlier purge: it can look equal if both purges happened in
        the same second. SEED judges whether it may be listed.
        """
        before, after = self.before.events.by_guid, self.after.events.by_guid
        seedable = self.seedable_guids | set(self.seeded_earlier)
        same = {
            guid: row
            for guid, row in after.items()
            if guid in before and event_identity(row) == event_identity(before[guid])
        }
        return {guid: row for guid, row in same.items() if guid not in seedable and guid != app_of_event(row)}

    def without_apps(self, apps: Collection[str]) -> PurgeObservation:
        """Return the same purge, of which these apps are not judged."""
        return replace(self, apps={guid: state for guid, state in self.apps.items() if guid not in apps})

    def new_events_by_app(self, *, exclude_changes: bool = False) -> dict[str | None, list[Row]]:
        """Return the new events since the purge, by their app.

        Args:
            exclude_changes: leave out the events of changes by other clients since then.
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
        """Return the guids of events that disappeared before the purge and reappeared after it, for PURGE-05."""
        reappeared = {guid for guid, row in self.after.events.by_guid.items() if event_identity(row) in self.known_keys}
        return reappeared - self.before.events.by_guid.keys() - self.seedable_guids - set(self.seeded_earlier)

    def change_events(self) -> list[Row]:
        """Return the events of changes by other clients since the purge.

        No client changes the unchanged own apps: an event of theirs that looks like a change, other than a crash, was
        seeded by the purge.
        """
        known_guids = self.surviving_events.keys() | self.seedable_guids
        new = [row for row in self.after.events.rows if row.get("guid") not in known_guids and is_change_event(row)]
        return [row for row in new if not (app_of_event(row) in self.unchanged_own_apps and not is_crash_event(row))]

    def events_without_changes(self) -> list[Row]:
        """Return the events after the purge without those of changes by other clients."""
        changes = {row["guid"] for row in self.change_events()}
        return [row for row in self.after.events.rows if row["guid"] not in changes]

    def duplicate_seeds(self, single_process: Collection[str]) -> dict[str, list[Row]]:
        """Return the started apps that were seeded more than once per process, with their events.

        Args:
            single_process: apps that are known to have one process, even if the snapshot shows no processes.
        """
        new_events = self.new_events_by_app(exclude_changes=True)
        limits = {app: limit for app in self.started_apps if (limit := self.max_events(app, single_process))}
        events_by_app = {app: new_events.get(app, []) for app in limits}
        return {app: events for app, events in events_by_app.items() if _exceeds_limit(events, limits[app])}

    def max_events(self, app: str, single_process: Collection[str]) -> int | None:
        """Return how many events an app may have: one per process; None if the number of processes is unknown."""
        processes = self.after.process_count(app)
        if processes is None:
            return 1 if app in single_process else None
        return max(1, processes)

    def misattributed_seeds(self) -> dict[str, Row]:
        """Return the started apps whose event with their guid does not name them, with that event."""
        seeds = {app: row for app in self.started_apps if (row := self.after.events.by_guid.get(app)) is not None}
        return {app: row for app, row in seeds.items() if dig(row, "app", "guid") != app}

    def wrong_apps(self, single_process: Collection[str]) -> set[str]:
        """Return the apps that it treats incorrectly, other than by events from before it.

        A started app without an event that has its guid and names no other app, one with too many events, and a stopped
        one with a new event. Whether the events of an app are those of its state is judged of the constant apps only.

        Args:
            single_process: as in `duplicate_seeds`.
        """
        new_events = self.new_events_by_app(exclude_changes=True)
        stopped = {app for app, state in self.constant_apps.items() if state != STARTED and app in new_events}
        seeded_or_constant = new_events.keys() | self.constant_apps.keys()
        without_seed = (set(self.started_apps) & seeded_or_constant) - self.after.events.by_guid.keys()
        without_seed |= {app for app, row in self.misattributed_seeds().items() if dig(row, "app", "guid") is not None}
        return stopped | without_seed | set(self.duplicate_seeds(single_process))

    def is_complete(self) -> bool:
        """Whether it destroyed all events and seeded events for exactly the started apps."""
        new_events = self.new_events_by_app(exclude_changes=True)
        known = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        return (
            not self.surviving_events
            and set(new_events) <= known
            and all((app in new_events) == (state == STARTED) for app, state in self.constant_apps.items())
        )

    def is_correct(self, single_process: Collection[str]) -> bool:
        """Whether it is complete and seeded each app once per process, with the app's guid as guid and as app.

        Args:
            single_process: as in `duplicate_seeds`.
        """
        new_events = self.new_events_by_app(exclude_changes=True)
        seeded = {app: new_events[app] for app in self.started_apps if app in new_events}
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
    """Return events by their app: the app whose guid they have, or else the app that they name."""
    groups: dict[str | None, list[Row]] = {}
    for event in events:
        guid = event.get("guid")
        groups.setdefault(str(guid) if guid in apps else app_of_event(event), []).append(event)
    return groups


def format_guids(events: Iterable[Row]) -> str:
    """Return the guids of events, for a finding."""
    guids = ", ".join(str(event.get("guid")) for event in events)
    return f"events: {guids}" if guids else "none"


def require_purge(view: JudgmentView, scenario: Scenario) -> PurgeObservation:
    """Return the purge of a scenario between its snapshots.

    Raises:
        Inconclusive: it did not succeed, or apps or events could not be read before or after.
    """
    request = require_exchanges(view, scenario, Step.PURGE, if_none="No purge was sent.")[-1]
    before, after = (require_snapshot(view, scenario, Place(Step.PURGE, phase=phase)) for phase in Phase)
    return require_purge_between(view, request, before, after)


def require_purge_at(view: JudgmentView, scenario: Scenario, where: Where, round: int = 1) -> PurgeObservation:
    """Return the purge of a place between the snapshots of that place; raises as `require_purge` does.

    Of several purges it is the last one that succeeded.
    """
    place = place_of(where)
    purges = view.at(scenario, place, round)
    if_none = f"No purge of the step {place.step} of the scenario {scenario} was sent."
    sent = require_responses(view, scenario, purges, if_none=if_none, round=round)
    before, after = (require_snapshot(view, scenario, place.at(phase), round) for phase in Phase)
    successes = [x for x in sent if x.succeeded]
    return require_purge_between(view, (successes or sent)[-1], before, after)


def require_purge_between(evidence: Evidence, request: Exchange, before: Snapshot, after: Snapshot) -> PurgeObservation:
    """Return a purge between two snapshots.

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
    reseeded = evidence.cached(find_reseeded_guids)
    purge = replace(purge, apps=_without_brief_changes(purge, own), seeded_earlier=reseeded)
    missing = set(purge.started_apps) - purge.new_events_by_app().keys()
    return purge.without_apps(apps_with_deleted_seeds(evidence, missing))


def find_reseeded_guids(evidence: Evidence) -> frozenset[str]:
    """Return the guids of the events that snapshots show with several times, as only events that purges seed have.

    For example, a target may give a seeded event a guid that is neither the app's nor a process's: SEED-04 says so.
    """
    identities = {event_identity(row) for span in evidence.cached(snapshots) for row in span.snapshot.events.rows}
    counts = Counter(guid for guid, _ in identities)
    return frozenset(guid for guid, count in counts.items() if count > 1)


def _without_brief_changes(purge: PurgeObservation, own: Collection[str]) -> dict[str, str]:
    """Return the apps without those that other clients changed back and forth, as the events show.

    Other clients do not change the suite's own apps. If no started app remained, the events are not of changes: the
    purge seeded unusual ones.
    """
    changed = {app_of_event(row) for row in purge.change_events()}
    apps = {guid: state for guid, state in purge.apps.items() if guid in own or guid not in changed}
    return apps if STARTED in apps.values() else purge.apps


def require_success(request: Exchange) -> None:
    """Require that a purge was answered with 2xx.

    Raises:
        Inconclusive: it was not, so the effect of a purge cannot be judged.
    """
    if not request.succeeded:
        raise Inconclusive(f"The purge did not succeed: {describe_response(request)}.", Cause.TARGET)


def require_started_apps(purge: PurgeObservation, view: JudgmentView) -> PurgeObservation:
    """Return the purge, if any app was started before and after it.

    Raises:
        NotExercised: no app was.
    """
    if not purge.started_apps:
        error = view.note(Scenario.FOUNDATION, notes.APPS_ERROR) or "there are no apps"
        raise NotExercised(
            f"No app was started before and after the purge. {to_sentence(error)}", Cause.CONFIGURATION, get_apps(view)
        )
    return purge
