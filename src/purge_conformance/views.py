"""What judgments look at: a purge between two looks, an attempt between two looks, a list between two readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance import clock
from purge_conformance.checks import Inconclusive, NotExercised, answer, answered, need, readable, snapshot_of, walk_of
from purge_conformance.guard import is_purge
from purge_conformance.results import Blame
from purge_conformance.snapshot import (
    OK,
    STARTED,
    app_of_event,
    app_of_process,
    is_page,
    member,
    resources,
    snapshot,
    stable_apps,
    tells_change,
    total_results,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from purge_conformance.checks import Seen
    from purge_conformance.clock import Offset
    from purge_conformance.evidence import Exchange
    from purge_conformance.snapshot import Listing, Row, Snapshot

STOPPED = "STOPPED"
CREATED = 201
ODD_REQUESTS = ("cut-json", "json-array", "no-json", "unknown-query")  # steps of the experiment `odd`
PURGES = (  # experiment, look before, look after
    ("purge", "before", "after"),
    ("changed", "before", "after"),
    *(("odd", f"{name}.before", f"{name}.after") for name in ODD_REQUESTS),
)
FULL = 100  # rows of the page that `look.NEWEST` reads


@dataclass(frozen=True)
class Purged:
    """A purge that succeeded, and what was there before and after it.

    Attributes:
        request: the purge.
        before, after: everything, just before and just after.
        apps: app guid -> state, of the apps that nobody changed meanwhile; races with others are nobody's fault.
    """

    request: Exchange
    before: Snapshot
    after: Snapshot
    apps: dict[str, str]

    @property
    def started(self) -> list[str]:
        """The guids of the apps that were started all the time."""
        return [guid for guid, state in self.apps.items() if state == STARTED]

    @property
    def last(self) -> int:
        """The number of the exchange that shows the events after the purge."""
        return self.after.events.exchanges[-1].n

    def seedable(self) -> set[str]:
        """Return the guids that a seeded event may have: of every app that was not stopped, and of its processes."""
        stopped = {guid for guid, state in self.apps.items() if state == STOPPED}
        apps = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        rows = [*self.before.processes.rows, *self.after.processes.rows]
        processes = {str(row.get("guid")) for row in rows if app_of_process(row) not in stopped}
        return (apps | processes) - stopped

    def kept(self) -> dict[str, Row]:
        """Return the events that the purge left as they were, by guid; one that may be seeded counts as seeded."""
        before, after = self.before.events.by_guid, self.after.events.by_guid
        same = {guid: row for guid, row in after.items() if guid in before and _key(row) == _key(before[guid])}
        return {guid: row for guid, row in same.items() if guid not in self.seedable()}

    def populated(self, *, besides_changes: bool = False) -> dict[str | None, list[Row]]:
        """Return the events that are new since the purge, by the app that they are for.

        Args:
            besides_changes: leave out what others did since, if their events say so.
        """
        kept = self.kept()
        rows = self.besides_changes() if besides_changes else self.after.events.rows
        new = [row for row in rows if str(row.get("guid")) not in kept and member(row, "task", "guid") is None]
        return by_app(new, set(self.after.apps.by_guid) | set(self.before.apps.by_guid))

    def changes(self) -> list[Row]:
        """Return the events of what others did since the purge; it may have seeded its own in the same words."""
        old = self.kept().keys() | self.seedable()
        return [row for row in self.after.events.rows if row.get("guid") not in old and tells_change(row)]

    def besides_changes(self) -> list[Row]:
        """Return the events after the purge without those of what others did since."""
        changes = self.changes()
        return [row for row in self.after.events.rows if row not in changes]

    def is_faithful(self) -> bool:
        """Whether it destroyed all, and populated events of the started apps, of all of them and of no others."""
        populated = self.populated(besides_changes=True)
        due = {app: state == STARTED for app, state in self.apps.items()}
        known = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        return (
            not self.kept()
            and set(populated) <= known
            and all((app in populated) == started for app, started in due.items())
        )


def by_app(events: Iterable[Row], apps: Collection[str]) -> dict[str | None, list[Row]]:
    """Return events by the app that they are for: the one whose guid they have, or else the one that they name."""
    found: dict[str | None, list[Row]] = {}
    for event in events:
        guid = event.get("guid")
        found.setdefault(str(guid) if guid in apps else app_of_event(event), []).append(event)
    return found


def purged(seen: Seen, experiment: str, before: tuple[str, str] | None = None) -> Purged:
    """Return the purge that an experiment tried; `before` names the experiment and step of the look before it.

    Raises:
        Inconclusive: it did not succeed, or apps or events could not be read before or after.
    """
    request = need(seen, experiment, "purge", why="no purge was tried")[-1]
    return _purged(
        seen, request, snapshot_of(seen, *(before or (experiment, "before"))), snapshot_of(seen, experiment, "after")
    )


def purged_by(seen: Seen, experiment: str, step: str) -> Purged:
    """Return the purge that an experiment tried at a step, between looks named after the step; raises as `purged`."""
    request = need(seen, experiment, step, why="no such purge was tried")[-1]
    before, after = (snapshot_of(seen, experiment, f"{step}.{look}") for look in ("before", "after"))
    return _purged(seen, request, before, after)


def _purged(seen: Seen, request: Exchange, before: Snapshot, after: Snapshot) -> Purged:
    succeeded(request)
    for part in (before, after):
        readable(part.apps, "apps")
    found = Purged(request, before, after, stable_apps(before, after))
    return replace(found, apps=_left_alone(found, set((seen.note("foundation", "apps") or {}).values())))


def _left_alone(found: Purged, own: Collection[str]) -> dict[str, str]:
    """Return the apps without those that others changed and changed back within a second, as events since then tell.

    Nobody else changes the suite's own. Where no started app is left, the events are rather the purge's, in odd words.
    """
    changed = {app_of_event(row) for row in found.changes()}
    apps = {guid: state for guid, state in found.apps.items() if guid in own or guid not in changed}
    return apps if STARTED in apps.values() else found.apps


def succeeded(request: Exchange) -> None:
    """Return if a purge was answered with success, of whatever kind.

    Raises:
        Inconclusive: it was not; what follows from a purge cannot be judged.
    """
    if not 200 <= (request.status or 0) < 300:  # noqa: PLR2004 -- success
        raise Inconclusive(f"the purge did not succeed: {answer(request)}", Blame.TARGET)


def with_started_apps(found: Purged, seen: Seen) -> Purged:
    """Return the purge if any app was started all the time.

    Raises:
        NotExercised: none was.
    """
    if not found.started:
        trouble = seen.note("foundation", "trouble") or "none is there"
        raise NotExercised(f"no app was started all the time: {trouble}. Start one.", Blame.CONFIGURATION)
    return found


def offset(seen: Seen) -> tuple[Offset, str] | None:
    """Return the target's clock against ours, and where that is known from; None where nothing tells."""
    if found := clock.from_dates(seen.exchanges):
        return found, "its Date headers"
    for start in seen.of("lifecycle", "start-idle"):
        guid = start.route.split("/")[3]
        rows = by_app(walk_of(seen, "lifecycle", "start.events").rows, ()).get(guid, ())
        times = [moment for row in rows if (moment := clock.parse(row.get("created_at")))]
        if times:
            return clock.from_event(min(times), start), "the event of a start that was just asked for"
    return None


def seeded_events(seen: Seen) -> Iterator[tuple[Exchange, Exchange, Row]]:
    """Yield each sight of an event with an app's guid: the last purge before it, the page that shows it, the event."""
    apps = {str(row.get("guid")) for experiment, *steps in PURGES for row in _apps(seen, experiment, steps)}
    purge: Exchange | None = None
    for x in seen.resource():
        if is_purge(x.method, x.path) and 200 <= (x.status or 0) < 300:  # noqa: PLR2004 -- success
            purge = x
        elif purge:
            yield from ((purge, x, row) for row in resources(x) if row.get("guid") in apps)


def _apps(seen: Seen, experiment: str, steps: Iterable[str]) -> Iterator[Row]:
    for step in steps:
        yield from snapshot(seen, experiment, step).apps.rows


@dataclass(frozen=True)
class Attempt:
    """A request between two looks at the newest events."""

    request: Exchange
    before: Exchange
    after: Exchange

    def loss(self) -> str | None:
        """Return what was lost between the looks, in words; None if nothing was."""
        rows = [{_key(row) for row in resources(look)} for look in (self.before, self.after)]
        totals = [total_results(look) for look in (self.before, self.after)]
        if totals[0] is not None and totals[1] is not None and totals[1] < totals[0]:
            return f"{totals[0]} events before, {totals[1]} after"
        lost, new = rows[0] - rows[1], rows[1] - rows[0]
        if lost and not (len(resources(self.after)) >= FULL and len(new) >= len(lost)):
            guid, created_at = min(lost)
            return f"{len(lost)} of the newest {len(rows[0])} events are gone, one of them {guid} of {created_at}"
        return None


def _key(row: Row) -> tuple[str, str]:
    return str(row.get("guid")), str(row.get("created_at"))


def attempts(seen: Seen, *steps: str) -> list[Attempt]:
    """Return the refused experiment's answered attempts of these steps whose looks could be read and showed events."""
    sent = need(seen, "refused", *steps, why="nothing of the kind was tried")
    looks = [x for x in answered(seen.of("refused", "look")) if resources(x)]
    every = answered(seen.of("refused", "look"))
    found = []
    for request in sent:
        before = next((x for x in reversed(looks) if x.n < request.n), None)
        after = next((x for x in every if x.n > request.n), None)
        if before and after and after.status == before.status and before.n == _latest(every, request):
            found.append(Attempt(request, before, after))
    return found


def _latest(looks: Iterable[Exchange], request: Exchange) -> int:
    return max((x.n for x in looks if x.n < request.n), default=0)


@dataclass(frozen=True)
class Reading:
    """The list, read at the beginning and at the end of an experiment that reads it in all ways.

    Attributes:
        opening: the whole, before.
        newcomers: guids of the events that others caused meanwhile.
    """

    opening: Listing
    newcomers: frozenset[str]

    def of(self, rows: Iterable[Row]) -> set[str]:
        """Return the guids of rows, without newcomers."""
        return {str(row.get("guid")) for row in rows} - self.newcomers


def reading(seen: Seen) -> Reading:
    """Return what the experiment `lists` read.

    Raises:
        Inconclusive: the list could not be read, or events vanished meanwhile.
        NotExercised: there was none to read.
    """
    opening, closing = (walk_of(seen, "lists", step) for step in ("opening", "closing"))
    for whole in (opening, closing):
        readable(whole, "events")
    if not opening.rows:
        raise NotExercised("the list was empty", Blame.CONFIGURATION)
    before, after = set(opening.by_guid), set(closing.by_guid)
    if before - after:
        raise Inconclusive("events vanished while the list was read: somebody else purged", Blame.RACE)
    return Reading(opening, frozenset(after - before))


def proven_admin(seen: Seen, request: Exchange) -> None:
    """Return unless a purge was refused and nothing but the user's word says that the token is an admin's.

    Raises:
        Inconclusive: that is so.
    """
    proven = seen.header.settings.get("admin_scope") or any(
        x.status == CREATED for x in seen.of("foundation", "create")
    )
    if request.status in {401, 403} and not proven:
        reason = f"the purge was refused ({request.status}), and nothing shows that the token given as admin is one"
        raise Inconclusive(reason, Blame.AUTHENTICATION)


def vanished(seen: Seen) -> dict[str, int]:
    """Return the guids that purges destroyed for good -> the number of the exchange that showed it.

    The guids of apps and processes are left out: a later purge may seed an event with the same guid again. So are those
    that the list lost while they could still be got: they have not vanished yet.
    """
    gone: dict[str, int] = {}
    reusable = {x.guid for x in seen.of("purge", "destroyed") if x.status == OK}
    for experiment, before, after in PURGES:
        looks = [snapshot(seen, experiment, step) for step in (before, after)]
        for look in looks:
            reusable |= set(look.apps.by_guid) | set(look.processes.by_guid)
        if all(look.events.complete for look in looks):
            lost = set(looks[0].events.by_guid) - set(looks[1].events.by_guid)
            gone.update({guid: looks[1].events.exchanges[-1].n for guid in lost if guid not in gone})
    return {guid: n for guid, n in gone.items() if guid not in reusable}


def odd_attempts(seen: Seen) -> list[Attempt]:
    """Return the odd purges whose looks could be read and showed events."""
    found = []
    for name in ODD_REQUESTS:
        looks = [seen.of("odd", f"{name}.{step}.events") for step in ("before", "after")]
        sent = answered(seen.of("odd", name))
        if sent and all(look and resources(look[0]) for look in looks[:1]) and looks[1] and is_page(looks[1][0]):
            found.append(Attempt(sent[-1], looks[0][0], looks[1][0]))
    return found
