"""Whether some order of concurrent operations explains the final observation of an app.

Pure: no evidence, no server. Three things describe an app: its state, the event that a purge seeded for it, and the
events of its changes. A purge has two steps with time in between: it destroys events, then it seeds the apps that are
started by then. A purge that reads early has a third one before it seeds: it reads which apps are started, and seeds
those, whatever changes since. An operation that was answered before another one was sent comes first; an operation
that did not succeed may or may not have taken effect.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, combinations
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PURGE, START, STOP, SCALE = "purge", "start", "stop", "scale"
READ, DESTROY, SEED = "read", "destroy", "seed"
CHANGES = frozenset({START, STOP, SCALE})
EventChanges = tuple[frozenset[str], ...]  # of each event, the changes that it may record
OperationStep = tuple[int, str]  # the index of an operation, and one of its steps


@dataclass(frozen=True, slots=True)
class Operation:
    """A purge, or a change of the app.

    Attributes:
        kind: `purge`, `start`, `stop` or `scale`.
        sent_at: when it was sent, in seconds of any clock.
        answered_at: when it was answered, by the same clock; infinity if it was not.
        succeeded: whether it succeeded; if not, it may or may not have taken effect.
        instances: how many instances a scaling requests.
        exchange: number of the exchange.
        reads_early: of a purge, whether changes after it read which apps are started may be lost.
    """

    kind: str
    sent_at: float
    answered_at: float
    succeeded: bool = True
    instances: int | None = None
    exchange: int = 0
    reads_early: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of the operation, each of which takes effect at one moment."""
        if self.kind != PURGE:
            return (self.kind,)
        return (READ, DESTROY, SEED) if self.reads_early else (DESTROY, SEED)

    def unconstrained(self) -> Operation:
        """Return the same operation at an unknown time, with an unknown result."""
        return replace(self, sent_at=-inf, answered_at=inf, succeeded=False)


class AppState(NamedTuple):
    """An app and its events at one moment.

    Attributes:
        started: whether the app is started.
        instances: its instance count; None if unknown.
        has_seed: whether an event that a purge seeded is listed.
        seed_instances: the instance count of that event.
        seed_started: whether that event shows a started app; None if there is none.
        has_old_events: whether events from before all operations are listed.
        must_be_recorded: the changes whose events must be listed, each as often as it was done; sorted.
        may_be_recorded: the changes whose events may be listed: those that changed nothing; sorted.
        read: for each purge under way that has read the apps, its index, and `started` and `instances` by then.
    """

    started: bool
    instances: int | None = None
    has_seed: bool = False
    seed_instances: int | None = None
    seed_started: bool | None = None
    has_old_events: bool = True
    must_be_recorded: tuple[str, ...] = ()
    may_be_recorded: tuple[str, ...] = ()
    read: tuple[tuple[int, bool, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class FinalObservation:
    """An app and its events after all operations; None is unknown.

    Attributes:
        started: whether the app is started.
        instances: its instance count.
        has_seed: as in `AppState`.
        seed_instances: as in `AppState`.
        has_old_events: whether any event from before all operations is listed.
        events_by_process: for each process, the changes that each of its new events may record.
        max_copies: how often a change may be recorded per process: once for each process if the events name no
            process; None for any number.
        seed_started: as in `AppState`.
    """

    started: bool | None
    instances: int | None
    has_seed: bool
    seed_instances: int | None
    has_old_events: bool
    events_by_process: tuple[EventChanges, ...]
    max_copies: int | None = 1
    seed_started: bool | None = None

    def matches(self, state: AppState) -> bool:
        """Whether this state may be what was observed."""
        is_same_state = (
            self.matches_app(state)
            and self.has_seed == state.has_seed
            and (state.has_old_events or not self.has_old_events)
        )
        return (
            is_same_state
            and _match_where_known(self.seed_instances, state.seed_instances)
            and self.seed_started in {None, state.seed_started}
            and self._events_match(state)
        )

    def matches_app(self, state: AppState) -> bool:
        """Whether the app may be in this state, whatever its events are."""
        return self.started in {None, state.started} and _match_where_known(self.instances, state.instances)

    def without_instances(self) -> FinalObservation:
        """Return the same observation without instance counts."""
        return replace(self, instances=None, seed_instances=None)

    def without_change_kinds(self) -> FinalObservation:
        """Return the same observation without what events show of a state: those of changes are only counted."""
        events_by_process = tuple((CHANGES,) * len(events) for events in self.events_by_process)
        return replace(self, events_by_process=events_by_process, seed_started=None)

    def with_unlimited_copies(self) -> FinalObservation:
        """Return the same observation where several events may record one change."""
        return replace(self, max_copies=None)

    def _events_match(self, state: AppState) -> bool:
        """Whether some process has all events that must be recorded, and every process only events that may be."""
        if self.max_copies is None:
            has_enough = any(len(events) >= len(state.must_be_recorded) for events in self.events_by_process or ((),))
            return has_enough and (
                bool(state.must_be_recorded or state.may_be_recorded) or not any(self.events_by_process)
            )
        maximum = Counter(state.must_be_recorded) + Counter(state.may_be_recorded)
        allowed = Counter({kind: times * self.max_copies for kind, times in maximum.items()})
        processes = self.events_by_process or ((),)
        return all(_match_events(events, Counter(), allowed) for events in processes) and any(
            _match_events(events, Counter(state.must_be_recorded), allowed) for events in processes
        )


def is_explained(
    initial: AppState, operations: Sequence[Operation], observed: FinalObservation, *, delayed_recording: bool = False
) -> bool:
    """Whether some order of the operations leads from the initial state to the observation.

    Args:
        initial: the app before the operations.
        operations: all requests that may have changed the app or its events.
        observed: the app after the operations.
        delayed_recording: whether the event of a change may be recorded later than the change,
            even after a purge.
    """
    return any(
        observed.matches(state) for state in _final_states(initial, operations, delayed_recording=delayed_recording)
    )


def is_state_reachable(initial: AppState, operations: Sequence[Operation], observed: FinalObservation) -> bool:
    """Whether some order of the operations leads to the observed state of the app, whatever its events are."""
    return any(observed.matches_app(state) for state in _final_states(initial, operations, delayed_recording=True))


def smallest_unexplained(
    initial: AppState, operations: Sequence[Operation], observed: FinalObservation, *, delayed_recording: bool = False
) -> tuple[Operation, ...]:
    """Return the smallest set of operations that no order explains, whatever the others did and whenever.

    These operations alone could produce each part of the observation. Of several such sets it is the latest.
    """
    for size in range(len(operations)):
        for subset in combinations(reversed(range(len(operations))), size):
            relaxed = [x if index in subset else x.unconstrained() for index, x in enumerate(operations)]
            core = tuple(operations[index] for index in sorted(subset))
            if could_produce(initial, core, observed) and not is_explained(
                initial, relaxed, observed, delayed_recording=delayed_recording
            ):
                return core
    return tuple(operations)


def could_produce(initial: AppState, operations: Sequence[Operation], observed: FinalObservation) -> bool:
    """Whether some order of the operations produces each part of the observation; not all need the same order."""
    states = list(_final_states(initial, operations, delayed_recording=True))
    return (
        any(observed.matches_app(state) for state in states)
        and any(observed.has_seed == state.has_seed for state in states)
        and any(observed.has_old_events == state.has_old_events for state in states)
    )


def _final_states(initial: AppState, operations: Sequence[Operation], *, delayed_recording: bool) -> Iterator[AppState]:
    """Yield every state that some order of the operations leads to."""
    steps = frozenset((index, step) for index, x in enumerate(operations) for step in x.steps)
    stack = [(initial, steps)]
    visited = set(stack)
    while stack:
        state, remaining = stack.pop()
        if not remaining:
            yield state
        for index, step in _possible_next_steps(remaining, operations):
            for successor in _apply_step(state, operations, (index, step), delayed_recording=delayed_recording):
                node = (successor, remaining - {(index, step)})
                if node not in visited:
                    visited.add(node)
                    stack.append(node)


def _possible_next_steps(remaining: Iterable[OperationStep], operations: Sequence[Operation]) -> list[OperationStep]:
    """Return the steps that may come next: neither the clock nor their own purge puts another step before them."""
    waiting = list(remaining)
    first_answer = min((operations[index].answered_at for index, _ in waiting), default=inf)
    candidates = [(index, step) for index, step in waiting if operations[index].sent_at <= first_answer]
    return [
        (index, step)
        for index, step in candidates
        if step != SEED or not {(index, READ), (index, DESTROY)} & set(waiting)
    ]


def _apply_step(
    state: AppState, operations: Sequence[Operation], step: OperationStep, *, delayed_recording: bool
) -> Iterator[AppState]:
    """Yield the state after a step, and the state before it if the step may not have taken effect."""
    index, kind = step
    if not operations[index].succeeded:
        yield state
    if kind == READ:
        yield state._replace(read=(*state.read, (index, state.started, state.instances)))
    elif kind == DESTROY:
        pending = _merge_sorted(state.may_be_recorded, state.must_be_recorded) if delayed_recording else ()
        yield state._replace(
            has_seed=False,
            seed_instances=None,
            seed_started=None,
            has_old_events=False,
            must_be_recorded=(),
            may_be_recorded=pending,
        )
    elif kind == SEED:
        yield from _seed(state, index)
    elif kind == SCALE:
        yield _record_change(state, kind, instances=operations[index].instances, changes=state.started)
    else:
        yield _record_change(state, kind, started=kind == START, changes=state.started != (kind == START))


def _seed(state: AppState, index: int) -> Iterator[AppState]:
    """Yield the state after a purge seeds the app, if it is started, or was when the purge read it.

    In the latter case the seeded event may show the app as it was then, or as it is.
    """
    early = next(((started, instances) for number, started, instances in state.read if number == index), state[:2])
    rest = state._replace(read=tuple(each for each in state.read if each[0] != index))
    if not early[0]:
        yield rest
        return
    for started, instances in {early, state[:2]}:
        yield rest._replace(has_seed=True, seed_instances=instances, seed_started=started)


def _record_change(
    state: AppState, kind: str, *, changes: bool, started: bool | None = None, instances: int | None = None
) -> AppState:
    """Return the state after a change; a change of nothing may or may not be recorded."""
    changed = state._replace(
        started=state.started if started is None else started,
        instances=state.instances if instances is None else instances,
    )
    if changes and changed[:2] != state[:2] and (kind != SCALE or state.instances is not None):
        return changed._replace(must_be_recorded=_merge_sorted(state.must_be_recorded, (kind,)))
    return changed._replace(may_be_recorded=_merge_sorted(state.may_be_recorded, (kind,)))


def _match_events(events: EventChanges, required: Counter[str], allowed: Counter[str]) -> bool:
    """Whether the events can record all required changes and only allowed ones, one change each."""
    if not events:
        return not +required
    return any(
        _match_events(events[1:], required - Counter([kind]), allowed - Counter([kind]))
        for kind in events[0]
        if allowed[kind] > 0
    )


def _merge_sorted(*kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(chain.from_iterable(kinds)))


def _match_where_known(observed: int | None, actual: int | None) -> bool:
    return None in {observed, actual} or observed == actual
