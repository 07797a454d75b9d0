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
from purge_conformance.analysis.app_changes import all_changes_recorded
from purge_conformance.analysis.assertions import (
    Inconclusive,
    NotExercised,
    across_repetitions,
    raise_if_cut_short,
    require_apps,
    require_exchanges,
    require_snapshot,
)
from purge_conformance.analysis.baseline import require_baseline, seeded_instances_match
from purge_conformance.analysis.linearizability import (
    CHANGES,
    PURGE,
    SCALE,
    START,
    STOP,
    AppState,
    FinalObservation,
    Operation,
)
from purge_conformance.evidence.listing import STARTED, app_of_event, dig, event_identity
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Exchange

    ExplanationStrategy = Callable[["AppHistory"], tuple[Operation, ...]]

SCENARIO = "race"
SEQUENTIAL, *CONCURRENT_ROUNDS = ROUNDS = ("quiet", "first", "second", "third")
APP_ACTION = re.compile(r"/v3/apps/([^/]+)/(?:actions|processes/web/actions)/(start|stop|scale)")
AMBIGUOUS_STATUSES = {None, 202, 502, 504}  # statuses that tell nothing of when it was done, if at all
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
    def changes_by_app(self) -> dict[str, list[Exchange]]:
        """The apps that were changed, with their changes."""
        found: dict[str, list[Exchange]] = {}
        for x in self.changes:
            if match := APP_ACTION.fullmatch(x.route):
                found.setdefault(match[1], []).append(x)
        return found

    @property
    def last_success(self) -> Exchange | None:
        """The last purge that did, or None."""
        return next((x for x in reversed(self.purges) if _is_success(x)), None)

    @property
    def last_exchange(self) -> int:
        """The number of the exchange that shows the events in the end."""
        return self.after.events.exchanges[-1].n


@dataclass(frozen=True)
class AppHistory:
    """An app in a round.

    Attributes:
        app: its guid.
        begin: as it was before.
        operations: all that was asked for that concerns it, in the order of sending.
        end: what is seen of it afterwards.
    """

    app: str
    initial: AppState
    operations: tuple[Operation, ...]
    observed: FinalObservation


def require_rounds(view: JudgmentView) -> list[Round]:
    """Return the rounds that came to their end, each time that they were tried.

    Raises:
        Inconclusive: not even the quiet one of the first time did.
        NotExercised: the suite has no apps to change.
    """
    error = view.note("foundation", "trouble") or view.note("foundation", "untimed")
    if error and not view.of(SCENARIO):
        raise NotExercised(str(error), Cause.CONFIGURATION)
    require_exchanges(view, SCENARIO, if_none="there are no apps to start, stop or scale")
    return list(across_repetitions(view, SCENARIO, _find_rounds))


def _find_rounds(view: JudgmentView, scenario: str) -> Iterator[Round]:
    steps = [name for name in ("start", *ROUNDS) if view.of(scenario, f"{name}.apps")]
    if len(steps) < 2:  # noqa: PLR2004 -- before and after
        raise_if_cut_short(view, scenario)
        raise NotExercised("no round came to its end")
    snapshots = [require_apps(require_snapshot(view, scenario, name)) for name in steps]
    for (before, after), name in zip(pairwise(snapshots), steps[1:], strict=True):
        yield Round(name, view.of(scenario, name), view.of(scenario, f"{name}.change"), before, after)


def app_histories(race_round: Round) -> Iterator[AppHistory]:
    """Yield each app that was changed in a round, and that others left alone, as far as its state tells."""
    for app, changes in race_round.changes_by_app.items():
        operations = tuple(_to_operation(x) for x in sorted([*race_round.purges, *changes], key=lambda x: x.n))
        if app in race_round.before.apps.by_guid and app in race_round.after.apps.by_guid:
            history = AppHistory(
                app, _initial_state(race_round.before, app), operations, _final_observation(race_round, app)
            )
            if orders.is_state_reachable(history.initial, operations, history.observed):
                yield history


def choose_explanation_strategy(view: JudgmentView, race_rounds: Sequence[Round]) -> ExplanationStrategy:
    """Return what tells the fewest operations of an app that no order explains, or nothing, as a target is to be read.

    What it shows of sizes, and of what each event is for, counts if it was true when one thing came after the other.

    Raises:
        Inconclusive: even then nothing explains what is seen, or a purge or a change by itself does not do right.
    """
    require_baseline(view)
    if not all_changes_recorded(view):
        raise Inconclusive("a change by itself is not recorded either: see AFTER", Cause.TARGET)
    delayed_recording = sum(len(view.of(experiment, "await")) for experiment in view.repetitions(SCENARIO)) > len(
        race_rounds
    )
    sequential = [history for one in race_rounds if one.name == SEQUENTIAL for history in app_histories(one)]
    for simplify in (
        *([_identity] if seeded_instances_match(view) else []),
        FinalObservation.without_instances,
        _count_only,
        _count_at_least,
    ):
        strategy = partial(_unexplained_operations, simplify, delayed_recording=delayed_recording)
        if not any(map(strategy, sequential)):
            return strategy
    raise Inconclusive("without haste it is wrong too: see PURGE, SEED and AFTER", Cause.TARGET)


def format_timeline(history: AppHistory, operations: Sequence[Operation], race_round: Round) -> str:
    """Return operations and what is seen in the end, a line each, in milliseconds since the round began."""
    sent = {x.n: x for x in (*race_round.purges, *race_round.changes)}
    origin = min(x.sent_at for x in sent.values())
    lines = [_format_request(sent[x.exchange], origin) for x in sorted(operations, key=lambda x: x.exchange)]
    return ";\n".join([*lines, _format_observation(history.observed)])


def _unexplained_operations(
    simplify: Callable[[FinalObservation], FinalObservation], history: AppHistory, *, delayed_recording: bool
) -> tuple[Operation, ...]:
    observed = simplify(history.observed)
    if orders.is_explained(history.initial, history.operations, observed, delayed_recording=delayed_recording):
        return ()
    return (
        orders.smallest_unexplained(history.initial, history.operations, observed, delayed_recording=delayed_recording)
        or history.operations
    )


def _identity(observed: FinalObservation) -> FinalObservation:
    return observed


def _count_only(observed: FinalObservation) -> FinalObservation:
    return observed.without_instances().without_change_kinds()


def _count_at_least(observed: FinalObservation) -> FinalObservation:
    return _count_only(observed).with_unlimited_copies()


def _is_success(exchange: Exchange) -> bool:
    return (exchange.status or 0) // 100 == 2  # noqa: PLR2004 -- success


def _to_operation(x: Exchange) -> Operation:
    match = APP_ACTION.fullmatch(x.route)
    answered_at = inf if x.status in AMBIGUOUS_STATUSES else x.sent_at + x.elapsed
    size = json.loads(x.request_body).get("instances") if match and match[2] == SCALE and x.request_body else None
    return Operation(match[2] if match else PURGE, x.sent_at, answered_at, _is_success(x), size, x.n)


def _initial_state(snapshot: Snapshot, app: str) -> AppState:
    seeds, others = _seeds_and_others(snapshot, app)
    return AppState(
        started=snapshot.apps.by_guid[app].get("state") == STARTED,
        instances=_web_instances(snapshot, app),
        has_seed=bool(seeds),
        has_old_events=bool(others),
    )


def _final_observation(race_round: Round, app: str) -> FinalObservation:
    before = {event_identity(row) for row in race_round.before.events.rows}
    seeds, others = _seeds_and_others(race_round.after, app)
    new_events = [row for row in others if event_identity(row) not in before]
    sizes = [size for row in seeds if isinstance(size := dig(row, "instance_count", "current"), int)]
    by_process: dict[str | None, list[frozenset[str]]] = {}
    for row in new_events:
        if kinds := _possible_changes(row):
            by_process.setdefault(dig(row, "process", "guid"), []).append(kinds)
    state = race_round.after.apps.by_guid[app].get("state")
    return FinalObservation(
        started={STARTED: True, STOPPED: False}.get(str(state)),
        instances=_web_instances(race_round.after, app),
        has_seed=bool(seeds),
        seed_instances=sizes[0] if len(sizes) == len(seeds) == 1 else None,
        has_old_events=len(new_events) < len(others),
        events_by_process=tuple(map(tuple, by_process.values())),
        max_copies=max(1, race_round.after.process_count(app) or 1) if None in by_process else 1,
    )


def _seeds_and_others(snapshot: Snapshot, app: str) -> tuple[list[Row], list[Row]]:
    """Return the seeded events of an app, those with its guid or a process's, and its others."""
    own = {app} | {str(row.get("guid")) for row in snapshot.processes_of(app)}
    seed_guids = own | snapshot.apps.by_guid.keys() | snapshot.processes.by_guid.keys()
    rows = snapshot.events.rows
    others = [row for row in rows if app_of_event(row) == app and row["guid"] not in seed_guids]
    return [row for row in rows if row["guid"] in own], others


def _web_instances(snapshot: Snapshot, app: str) -> int | None:
    sizes = [row.get("instances") for row in snapshot.processes_of(app) if row.get("type") == "web"]
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else None


def _possible_changes(event: Row) -> frozenset[str]:
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


def _format_request(x: Exchange, origin: float) -> str:
    start_ms, end_ms = (round((moment - origin) * 1000) for moment in (x.sent_at, x.sent_at + x.elapsed))
    body = f" {x.request_body}" if x.request_body else ""
    return f"{start_ms} to {end_ms} ms: {x.method} {x.route}{body} -> {x.status or x.error}"


def _format_observation(observed: FinalObservation) -> str:
    state = {True: STARTED, False: STOPPED, None: "unreadable"}[observed.started]
    size = "" if observed.instances is None else f" with {observed.instances} instances"
    seed = "a seeded event" if observed.has_seed else "no seeded event"
    seed += "" if observed.seed_instances is None else f" of {observed.seed_instances} instances"
    changes = "; ".join(
        ", ".join(" or ".join(sorted(kinds)) for kinds in events) for events in observed.events_by_process
    )
    old = ", and events of before" if observed.has_old_events else ""
    return f"in the end the app is {state}{size}, with {seed}; events of changes: {changes or 'none'}{old}"
