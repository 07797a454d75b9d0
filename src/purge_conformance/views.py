"""What judgments look at: a purge between two looks, an attempt between two looks, a list between two readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance import clock
from purge_conformance.checks import Inconclusive, NotExercised, answer, answered, need, readable, snapshot_of, walk_of
from purge_conformance.results import Blame
from purge_conformance.snapshot import (
    STARTED,
    app_of_event,
    app_of_process,
    is_page,
    resources,
    snapshot,
    stable_apps,
    total_results,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.checks import Seen
    from purge_conformance.clock import Offset
    from purge_conformance.evidence import Exchange
    from purge_conformance.snapshot import Listing, Row, Snapshot

STOPPED = "STOPPED"
CREATED = 201
ODD_BODIES = ("cut-json", "json-array", "no-json")  # steps of the experiment `bodies`
PURGES = (  # experiment, look before, look after
    ("purge", "before", "after"),
    ("changed", "before", "after"),
    *(("bodies", f"{name}.before", f"{name}.after") for name in ODD_BODIES),
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

    def may_be_seeded(self) -> set[str]:
        """Return the guids that a seeded event may have: of every app that was not stopped, and of its processes."""
        stopped = {guid for guid, state in self.apps.items() if state == STOPPED}
        apps = set(self.after.apps.by_guid) | set(self.before.apps.by_guid)
        rows = [*self.before.processes.rows, *self.after.processes.rows]
        processes = {str(row.get("guid")) for row in rows if app_of_process(row) not in stopped}
        return (apps - stopped) | (processes - stopped)

    def destroyed(self) -> set[str]:
        """Return the guids of events that were there before, and are not there after."""
        return set(self.before.events.by_guid) - set(self.after.events.by_guid)


def purged(seen: Seen, experiment: str, before: tuple[str, str] | None = None) -> Purged:
    """Return a purge that an experiment tried; `before` names the experiment and step of the look before it.

    Raises:
        Inconclusive: it did not succeed, or apps or events could not be read before or after.
    """
    request = need(seen, experiment, "purge", why="no purge was tried")[-1]
    succeeded(request)
    first = snapshot_of(seen, *(before or (experiment, "before")))
    after = snapshot_of(seen, experiment, "after")
    for part in (first, after):
        readable(part.apps, "apps")
    return Purged(request, first, after, stable_apps(first, after))


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


def events_of(listing: Listing, app: str) -> list[Row]:
    """Return the events that are for an app: that name it, or have its guid."""
    return [row for row in listing.rows if app_of_event(row) == app or row.get("guid") == app]


def offset(seen: Seen) -> tuple[Offset, str] | None:
    """Return the target's clock against ours, and where that is known from; None where nothing tells."""
    if found := clock.from_dates(seen.exchanges):
        return found, "its Date headers"
    for start in seen.of("lifecycle", "start-idle"):
        guid = start.route.split("/")[3]
        rows = events_of(walk_of(seen, "lifecycle", "start.events"), guid)
        times = [moment for row in rows if (moment := clock.parse(row.get("created_at")))]
        if times:
            return clock.from_event(min(times), start), "the event of a start that was just asked for"
    return None


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

    The guids of apps and processes are left out: a later purge may seed an event with the same guid again.
    """
    gone: dict[str, int] = {}
    reusable: set[str] = set()
    for experiment, before, after in PURGES:
        looks = [snapshot(seen, experiment, step) for step in (before, after)]
        for look in looks:
            reusable |= set(look.apps.by_guid) | set(look.processes.by_guid)
        if all(look.events.complete for look in looks):
            lost = set(looks[0].events.by_guid) - set(looks[1].events.by_guid)
            gone.update({guid: looks[1].events.exchanges[-1].n for guid in lost if guid not in gone})
    return {guid: n for guid, n in gone.items() if guid not in reusable}


def body_attempts(seen: Seen) -> list[Attempt]:
    """Return the purges with odd bodies whose looks could be read and showed events."""
    found = []
    for name in ODD_BODIES:
        looks = [seen.of("bodies", f"{name}.{step}.events") for step in ("before", "after")]
        sent = answered(seen.of("bodies", name))
        if sent and all(look and resources(look[0]) for look in looks[:1]) and looks[1] and is_page(looks[1][0]):
            found.append(Attempt(sent[-1], looks[0][0], looks[1][0]))
    return found
