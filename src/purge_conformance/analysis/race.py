"""Purges concurrent with changes of apps: the operations on each app, and its final observation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import unquote

from purge_conformance.analysis import linearizability as orders
from purge_conformance.analysis.app_changes import all_changes_recorded
from purge_conformance.analysis.assertions import (
    across_rounds,
    no_suitable_app,
    not_run,
    raise_if_cut_short,
    require_apps,
    require_exchanges,
    require_snapshot,
    to_sentence,
)
from purge_conformance.analysis.baseline import require_baseline, seeded_instances_match
from purge_conformance.analysis.concurrent_reads import UNFINISHED_STATUSES
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
from purge_conformance.analysis.next_steps import FIX_READS, get_timed_apps
from purge_conformance.analysis.outcomes import NotExercised, PrerequisiteFailed
from purge_conformance.analysis.retention import may_lack_seed
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import (
    GUARANTEED_PAGE_SIZE,
    STARTED,
    STOPPED,
    app_of_event,
    dig,
    event_identity,
    first_page,
    snapshot_at,
)
from purge_conformance.evidence.steps import Part, Place, Scenario, Step
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Exchange

    ExplanationStrategy = Callable[["AppHistory"], tuple[Operation, ...]]

IS_STARTED = {STARTED: True, STOPPED: False}
APP_ACTION = re.compile(r"/v3/apps/([^/]+)/(?:actions|processes/web/actions)/(start|stop|scale)")


@dataclass(frozen=True)
class Round:
    """Purges and changes of apps between two snapshots.

    Attributes:
        place: sequential, or concurrent with the number of the race as index.
        purges: the requests to purge.
        changes: the requests to start, stop or scale an app.
        before: the snapshot just before the requests.
        after: the snapshot after the last response.
        later: of the last round, a snapshot some time after that one; None if there is none.
    """

    place: Place
    purges: tuple[Exchange, ...]
    changes: tuple[Exchange, ...]
    before: Snapshot
    after: Snapshot
    later: Snapshot | None = None

    @property
    def changes_by_app(self) -> dict[str, list[Exchange]]:
        """App guid -> the changes of that app."""
        changes: dict[str, list[Exchange]] = {}
        for x in self.changes:
            if match := APP_ACTION.fullmatch(x.route):
                changes.setdefault(unquote(match[1]), []).append(x)
        return changes

    @property
    def last_success(self) -> Exchange | None:
        """The last purge that succeeded, or None."""
        return next((x for x in reversed(self.purges) if x.succeeded), None)

    @property
    def last_exchange(self) -> int:
        """The number of the exchange that shows the events after the round."""
        return self.after.events.exchanges[-1].n

    def continued(self) -> Round | None:
        """Return the round with what the later snapshot shows; None if there is no such snapshot.

        A deletion of the oldest events is no part of a purge, so events that it may have deleted count as listed.
        """
        if self.later is None:
            return None
        first = next((row["guid"] for row in self.after.events.rows if row["guid"] in self.later.events.by_guid), None)
        oldest = tuple(takewhile(lambda row: row["guid"] != first, self.after.events.rows)) if first else ()
        events = replace(self.later.events, rows=(*oldest, *self.later.events.rows))
        return replace(self, after=replace(self.later, events=events), later=None)

    def seeds_after(self, earlier: Round) -> bool:
        """Whether an event is seeded that an earlier observation of the round does not show."""
        known = {event_identity(row) for row in earlier.after.events.rows}
        seeds = {*self.after.apps.by_guid, *self.after.processes.by_guid}
        return any(row["guid"] in seeds and event_identity(row) not in known for row in self.after.events.rows)


@dataclass(frozen=True)
class AppHistory:
    """An app in a round.

    Attributes:
        app: its guid.
        initial: its state before the round.
        operations: the purges and its changes, in the order of sending.
        observed: its state and its events after the round.
    """

    app: str
    initial: AppState
    operations: tuple[Operation, ...]
    observed: FinalObservation


def require_rounds(view: JudgmentView) -> list[Round]:
    """Return the complete rounds of every repetition.

    Raises:
        Inconclusive: not even the sequential round of the first repetition is complete.
        NotExercised: the suite has no apps to change.
    """
    foundation = Scenario.FOUNDATION
    error = view.note(foundation, notes.APPS_ERROR) or view.note(foundation, notes.UNTIMED)
    if error and not view.of(Scenario.RACE):
        raise NotExercised(to_sentence(error), Cause.CONFIGURATION, get_timed_apps(view))
    if not view.of(Scenario.RACE):
        raise_if_cut_short(view, Scenario.RACE)
        raise no_suitable_app(view, "There are no apps to start, stop or scale.")
    require_exchanges(view, Scenario.RACE, if_none=not_run(Scenario.RACE))
    return list(across_rounds(view, Scenario.RACE, _find_rounds))


def _find_rounds(view: JudgmentView, number: int) -> Iterator[Round]:
    spans = [span for span in view.spans(Scenario.RACE, round=number) if first_page(view, span.after, Part.APPS)]
    if not spans:
        raise_if_cut_short(view, Scenario.RACE, number)
        raise NotExercised("No round of the scenario race is complete.", Cause.TARGET, FIX_READS)
    closing = snapshot_at(view, Scenario.RACE, Step.CLOSING, number)
    for span in spans:
        before, after = (_require_snapshot_of(view, side, number) for side in (span.before, span.after))
        requests = view.numbered(span.requests)
        purges = tuple(x for x in requests if is_purge(x.method, x.path))
        changes = tuple(x for x in requests if not is_purge(x.method, x.path))
        later = closing if span is spans[-1] and closing.events.complete and closing.apps.complete else None
        yield Round(span.place, purges, changes, before, after, later)


def _require_snapshot_of(view: JudgmentView, numbers: tuple[int, ...], round_number: int) -> Snapshot:
    first = next(iter(view.numbered(numbers)), None)
    place = first.place.whole if first else Place(Step.OPENING)
    return require_apps(require_snapshot(view, Scenario.RACE, place, round_number))


def app_histories(view: JudgmentView, race_round: Round) -> Iterator[AppHistory]:
    """Yield each app that was changed in a round, whose state and events show no change by others."""
    for app, changes in race_round.changes_by_app.items():
        operations = tuple(_to_operation(x) for x in sorted([*race_round.purges, *changes], key=lambda x: x.n))
        if app in race_round.before.apps.by_guid and app in race_round.after.apps.by_guid:
            history = AppHistory(
                app, _initial_state(race_round.before, app), operations, _final_observation(race_round, app)
            )
            is_whole = history.observed.has_seed or not may_lack_seed(view, app)
            if is_whole and orders.is_state_reachable(history.initial, operations, history.observed):
                yield history


def choose_explanation_strategy(
    view: JudgmentView, race_rounds: Sequence[Round], *, reads_early: bool = False
) -> ExplanationStrategy:
    """Return the function that finds the smallest set of operations of an app that no order explains.

    With `reads_early` a purge may read which apps are started before it destroys events, so that a change in between is
    lost; the documentation mentions that race.

    It is the strictest function that explains the sequential rounds: instance counts and the kinds of changes that
    events record count only if they were right without concurrency.

    Raises:
        PrerequisiteFailed: none explains the sequential rounds, or isolated purges or changes are incorrect.
    """
    unusual = require_baseline(view)
    if not all_changes_recorded(view):
        raise PrerequisiteFailed("changes without a purge are already recorded wrongly")
    polls = [x for number in view.rounds(Scenario.RACE) for x in view.of(Scenario.RACE, Step.AWAIT_EVENT, round=number)]
    waits = [x for x in polls if x.query.get("per_page") == str(GUARANTEED_PAGE_SIZE)]  # others are second looks
    delayed_recording = len(waits) > len(race_rounds)
    sequential_rounds = [each for each in race_rounds if each.place.step is Step.SEQUENTIAL]
    histories = [history for each in sequential_rounds for history in app_histories(view, each)]
    for simplify in (
        *([lambda observed: observed] if seeded_instances_match(view, unusual) else []),
        FinalObservation.without_instances,
        _count_only,
        _count_at_least,
    ):
        strategy = partial(
            _unexplained_operations, simplify, delayed_recording=delayed_recording, reads_early=reads_early
        )
        if not any(map(strategy, histories)):
            return strategy
    raise PrerequisiteFailed("the same effect appears without concurrency")


def format_timeline(history: AppHistory, operations: Sequence[Operation], race_round: Round) -> str:
    """Return operations and the final observation, one per line, in milliseconds since the beginning of the round."""
    sent = {x.n: x for x in (*race_round.purges, *race_round.changes)}
    origin = min(x.sent_at for x in sent.values())
    lines = [_format_request(sent[x.exchange], origin) for x in sorted(operations, key=lambda x: x.exchange)]
    return ";\n".join([*lines, _format_observation(history.observed)])


def _unexplained_operations(
    simplify: Callable[[FinalObservation], FinalObservation],
    history: AppHistory,
    *,
    delayed_recording: bool,
    reads_early: bool,
) -> tuple[Operation, ...]:
    observed = simplify(history.observed)
    operations = tuple(replace(x, reads_early=reads_early) for x in history.operations)
    if orders.is_explained(history.initial, operations, observed, delayed_recording=delayed_recording):
        return ()
    return (
        orders.smallest_unexplained(history.initial, operations, observed, delayed_recording=delayed_recording)
        or operations
    )


def _count_only(observed: FinalObservation) -> FinalObservation:
    return observed.without_instances().without_change_kinds()


def _count_at_least(observed: FinalObservation) -> FinalObservation:
    return _count_only(observed).with_unlimited_copies()


def _to_operation(x: Exchange) -> Operation:
    match = APP_ACTION.fullmatch(x.route)
    answered_at = inf if x.status in UNFINISHED_STATUSES else x.sent_at + x.elapsed
    size = json.loads(x.request_body).get("instances") if match and match[2] == SCALE and x.request_body else None
    return Operation(match[2] if match else PURGE, x.sent_at, answered_at, x.succeeded, size, x.n)


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
    seed_states = {IS_STARTED.get(str(dig(row, "state", "current"))) for row in seeds}
    by_process: dict[str | None, list[frozenset[str]]] = {}
    for row in new_events:
        if kinds := _possible_changes(row):
            by_process.setdefault(dig(row, "process", "guid"), []).append(kinds)
    return FinalObservation(
        started=IS_STARTED.get(str(race_round.after.apps.by_guid[app].get("state"))),
        instances=_web_instances(race_round.after, app),
        has_seed=bool(seeds),
        seed_instances=sizes[0] if len(sizes) == len(seeds) == 1 else None,
        has_old_events=len(new_events) < len(others),
        events_by_process=tuple(map(tuple, by_process.values())),
        max_copies=max(1, race_round.after.process_count(app) or 1) if None in by_process else 1,
        seed_started=seed_states.pop() if len(seed_states) == 1 else None,
    )


def _seeds_and_others(snapshot: Snapshot, app: str) -> tuple[list[Row], list[Row]]:
    """Return the seeded events of an app, which have its guid or that of a process, and its other events."""
    own = {app} | {str(row.get("guid")) for row in snapshot.processes_of(app)}
    seed_guids = own | snapshot.apps.by_guid.keys() | snapshot.processes.by_guid.keys()
    rows = snapshot.events.rows
    others = [row for row in rows if app_of_event(row) == app and row["guid"] not in seed_guids]
    return [row for row in rows if row["guid"] in own], others


def _web_instances(snapshot: Snapshot, app: str) -> int | None:
    sizes = [row.get("instances") for row in snapshot.processes_of(app) if row.get("type") == "web"]
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else None


def _possible_changes(event: Row) -> frozenset[str]:
    """Return the changes that an event may record; empty if it records something else, such as staging."""
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
    states = {True: STARTED, False: STOPPED, None: "unreadable"}
    size = "" if observed.instances is None else f" with {pluralize(observed.instances, 'instance')}"
    seed = "a seeded event" if observed.has_seed else "no seeded event"
    seed += "" if observed.seed_instances is None else f" with {pluralize(observed.seed_instances, 'instance')}"
    seed += f" that shows {STOPPED}" if observed.seed_started is False else ""
    changes = "; ".join(
        ", ".join(" or ".join(sorted(kinds)) for kinds in events) for events in observed.events_by_process
    )
    old = "; events from before the round are listed" if observed.has_old_events else ""
    app = f"afterwards the app is {states[observed.started]}{size}"
    return f"{app}, with {seed}; events of changes: {changes or 'none'}{old}"
