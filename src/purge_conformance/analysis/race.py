"""Purges while apps are changed: what each app had to go through, and what is seen of it in the end."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from purge_conformance.analysis import linearizability as orders
from purge_conformance.analysis.app_changes import all_told
from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    apps_of,
    each_time,
    need,
    snapshot_of,
    stopped,
)
from purge_conformance.analysis.baseline import right_alone, sizes_are_true
from purge_conformance.analysis.linearizability import CHANGES, PURGE, SCALE, START, STOP, End, Operation, World
from purge_conformance.evidence.listing import STARTED, app_of_event, dig, event_identity
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Exchange

    Reading = Callable[["History"], tuple[Operation, ...]]

EXPERIMENT = "race"
QUIET, *RACED = ROUNDS = ("quiet", "first", "second", "third")
PATH = re.compile(r"/v3/apps/([^/]+)/(?:actions|processes/web/actions)/(start|stop|scale)")
UNKNOWN = {None, 202, 502, 504}  # statuses that tell nothing of when it was done, if at all
STOPPED = "STOPPED"


@dataclass(frozen=True)
class Round:
    """Purges, and changes of apps, between two looks at everything.

    Attributes:
        name: of the experiment's.
        purges, changes: what was sent.
        before, after: everything, just before and when all was quiet again.
    """

    name: str
    purges: tuple[Exchange, ...]
    changes: tuple[Exchange, ...]
    before: Snapshot
    after: Snapshot

    @property
    def changed(self) -> dict[str, list[Exchange]]:
        """The apps that were changed, with their changes."""
        found: dict[str, list[Exchange]] = {}
        for x in self.changes:
            if match := PATH.fullmatch(x.route):
                found.setdefault(match[1], []).append(x)
        return found

    @property
    def succeeded(self) -> Exchange | None:
        """The last purge that did, or None."""
        return next((x for x in reversed(self.purges) if _done(x)), None)

    @property
    def shown(self) -> int:
        """The number of the exchange that shows the events in the end."""
        return self.after.events.exchanges[-1].n


@dataclass(frozen=True)
class History:
    """An app in a round.

    Attributes:
        app: its guid.
        begin: as it was before.
        operations: all that was asked for that concerns it, in the order of sending.
        end: what is seen of it afterwards.
    """

    app: str
    begin: World
    operations: tuple[Operation, ...]
    end: End


def rounds(seen: Seen) -> list[Round]:
    """Return the rounds that came to their end, each time that they were tried.

    Raises:
        Inconclusive: not even the quiet one of the first time did.
        NotExercised: the suite has no apps to change.
    """
    trouble = seen.note("foundation", "trouble") or seen.note("foundation", "untimed")
    if trouble and not seen.of(EXPERIMENT):
        raise NotExercised(str(trouble), Cause.CONFIGURATION)
    need(seen, EXPERIMENT, why="there are no apps to start, stop or scale")
    return list(each_time(seen, EXPERIMENT, _rounds))


def _rounds(seen: Seen, experiment: str) -> Iterator[Round]:
    looks = [name for name in ("start", *ROUNDS) if seen.of(experiment, f"{name}.apps")]
    if len(looks) < 2:  # noqa: PLR2004 -- before and after
        stopped(seen, experiment)
        raise NotExercised("no round came to its end")
    snapshots = [apps_of(snapshot_of(seen, experiment, name)) for name in looks]
    for (before, after), name in zip(pairwise(snapshots), looks[1:], strict=True):
        yield Round(name, seen.of(experiment, name), seen.of(experiment, f"{name}.change"), before, after)


def histories(found: Round) -> Iterator[History]:
    """Yield each app that was changed in a round, and that others left alone, as far as its state tells."""
    for app, changes in found.changed.items():
        operations = tuple(_operation(x) for x in sorted([*found.purges, *changes], key=lambda x: x.n))
        if app in found.before.apps.by_guid and app in found.after.apps.by_guid:
            history = History(app, _begin(found.before, app), operations, _end(found, app))
            if orders.reachable(history.begin, operations, history.end):
                yield history


def reading(seen: Seen, found: Sequence[Round]) -> Reading:
    """Return what tells the fewest operations of an app that no order explains, or nothing, as a target is to be read.

    What it shows of sizes, and of what each event is for, counts if it was true when one thing came after the other.

    Raises:
        Inconclusive: even then nothing explains what is seen, or a purge or a change by itself does not do right.
    """
    right_alone(seen)
    if not all_told(seen):
        raise Inconclusive("a change by itself is not recorded either: see AFTER", Cause.TARGET)
    late = sum(len(seen.of(experiment, "await")) for experiment in seen.repetitions(EXPERIMENT)) > len(found)
    quiet = [history for one in found if one.name == QUIET for history in histories(one)]
    for view in (*([_as_it_is] if sizes_are_true(seen) else []), End.without_sizes, _counted, _told_at_least):
        told = partial(_unexplained, view, late=late)
        if not any(map(told, quiet)):
            return told
    raise Inconclusive("without haste it is wrong too: see PURGE, SEED and AFTER", Cause.TARGET)


def timeline(history: History, operations: Sequence[Operation], found: Round) -> str:
    """Return operations and what is seen in the end, a line each, in milliseconds since the round began."""
    sent = {x.n: x for x in (*found.purges, *found.changes)}
    zero = min(x.sent_at for x in sent.values())
    lines = [_line(sent[x.n], zero) for x in sorted(operations, key=lambda x: x.n)]
    return ";\n".join([*lines, _seen(history.end)])


def _unexplained(view: Callable[[End], End], history: History, *, late: bool) -> tuple[Operation, ...]:
    end = view(history.end)
    if orders.explained(history.begin, history.operations, end, late=late):
        return ()
    return orders.shortest(history.begin, history.operations, end, late=late) or history.operations


def _as_it_is(end: End) -> End:
    return end


def _counted(end: End) -> End:
    return end.without_sizes().without_kinds()


def _told_at_least(end: End) -> End:
    return _counted(end).at_least()


def _done(exchange: Exchange) -> bool:
    return (exchange.status or 0) // 100 == 2  # noqa: PLR2004 -- success


def _operation(x: Exchange) -> Operation:
    match = PATH.fullmatch(x.route)
    ended = inf if x.status in UNKNOWN else x.sent_at + x.elapsed
    size = json.loads(x.request_body).get("instances") if match and match[2] == SCALE and x.request_body else None
    return Operation(match[2] if match else PURGE, x.sent_at, ended, _done(x), size, x.n)


def _begin(look: Snapshot, app: str) -> World:
    seeds, others = _events(look, app)
    return World(
        started=look.apps.by_guid[app].get("state") == STARTED,
        instances=_instances(look, app),
        seeded=bool(seeds),
        old=bool(others),
    )


def _end(found: Round, app: str) -> End:
    before = {event_identity(row) for row in found.before.events.rows}
    seeds, others = _events(found.after, app)
    new = [row for row in others if event_identity(row) not in before]
    sizes = [size for row in seeds if isinstance(size := dig(row, "instance_count", "current"), int)]
    by_process: dict[str | None, list[frozenset[str]]] = {}
    for row in new:
        if kinds := _kinds(row):
            by_process.setdefault(dig(row, "process", "guid"), []).append(kinds)
    state = found.after.apps.by_guid[app].get("state")
    return End(
        started={STARTED: True, STOPPED: False}.get(str(state)),
        instances=_instances(found.after, app),
        seeded=bool(seeds),
        shown=sizes[0] if len(sizes) == len(seeds) == 1 else None,
        old=len(new) < len(others),
        told=tuple(map(tuple, by_process.values())),
        copies=max(1, found.after.process_count(app) or 1) if None in by_process else 1,
    )


def _events(look: Snapshot, app: str) -> tuple[list[Row], list[Row]]:
    """Return the seeded events of an app, those with its guid or a process's, and its others."""
    own = {app} | {str(row.get("guid")) for row in look.processes_of(app)}
    every = own | look.apps.by_guid.keys() | look.processes.by_guid.keys()
    rows = look.events.rows
    others = [row for row in rows if app_of_event(row) == app and row["guid"] not in every]
    return [row for row in rows if row["guid"] in own], others


def _instances(look: Snapshot, app: str) -> int | None:
    sizes = [row.get("instances") for row in look.processes_of(app) if row.get("type") == "web"]
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else None


def _kinds(event: Row) -> frozenset[str]:
    """Return the changes that an event may tell of; none where it tells of something else, such as staging."""
    was, now = dig(event, "state", "previous"), dig(event, "state", "current")
    if now not in {None, STARTED, STOPPED}:
        return frozenset()
    if now is None:
        return CHANGES
    change = START if now == STARTED else STOP
    if was is None:
        return frozenset({change, SCALE})
    return frozenset({SCALE if was == now else change})


def _line(x: Exchange, zero: float) -> str:
    begun, ended = (round((moment - zero) * 1000) for moment in (x.sent_at, x.sent_at + x.elapsed))
    body = f" {x.request_body}" if x.request_body else ""
    return f"{begun} to {ended} ms: {x.method} {x.route}{body} -> {x.status or x.error}"


def _seen(end: End) -> str:
    state = {True: STARTED, False: STOPPED, None: "unreadable"}[end.started]
    size = "" if end.instances is None else f" with {end.instances} instances"
    seed = "a seeded event" if end.seeded else "no seeded event"
    seed += "" if end.shown is None else f" of {end.shown} instances"
    told = "; ".join(", ".join(" or ".join(sorted(kinds)) for kinds in events) for events in end.told)
    old = ", and events of before" if end.old else ""
    return f"in the end the app is {state}{size}, with {seed}; events of changes: {told or 'none'}{old}"
