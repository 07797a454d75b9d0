"""Whether any order of what was under way at once explains what is seen of an app in the end.

Pure: no evidence, no server. An app is told of by its state, by the event that a purge seeded for it, and by the events
of its changes. A purge is two steps that may lie apart: it destroys, then it seeds what is started by then. An
operation that was answered before another one was sent comes first; one that did not succeed may or may not be done.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PURGE, START, STOP, SCALE = "purge", "start", "stop", "scale"
DESTROY, SEED = "destroy", "seed"
CHANGES = frozenset({START, STOP, SCALE})
EventChanges = tuple[frozenset[str], ...]  # of each event, the changes that it may tell of
OperationStep = tuple[int, str]  # the place of an operation among the others, and one of its steps


@dataclass(frozen=True, slots=True)
class Operation:
    """A purge, or a change of the app.

    Attributes:
        kind: `purge`, `start`, `stop` or `scale`.
        begun, ended: seconds, of any clock: when it was sent and when answered; infinity where it was not.
        done: whether it succeeded; else it may have been done or not.
        instances: how many a scaling asks for.
        n: number of the exchange.
    """

    kind: str
    sent_at: float
    answered_at: float
    succeeded: bool = True
    instances: int | None = None
    exchange: int = 0

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that it takes, each at one moment."""
        return (DESTROY, SEED) if self.kind == PURGE else (self.kind,)

    def unconstrained(self) -> Operation:
        """Return the same without anything that is known of it: at any time, done or not."""
        return replace(self, sent_at=-inf, answered_at=inf, succeeded=False)


class AppState(NamedTuple):
    """An app, and what tells of it, at one moment.

    Attributes:
        started, instances: the app; instances are None where nobody knows.
        seeded: whether an event that a purge seeded is there; `shown`: the instances that it shows.
        old: whether the events of before are there.
        due: the changes whose events must be there, each as often as it was done; sorted.
        open: those whose events may be there: of changes that changed nothing.
    """

    started: bool
    instances: int | None = None
    has_seed: bool = False
    seed_instances: int | None = None
    has_old_events: bool = True
    must_be_recorded: tuple[str, ...] = ()
    may_be_recorded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FinalObservation:
    """What is seen of an app when all is quiet again; None is what could not be seen.

    Attributes:
        started, instances: the app.
        seeded, shown: as in `World`.
        old: whether any of the events of before is left.
        told: the changes that its new events may tell of, by process.
        copies: how often each change may be told in one of these: where no event names its process, once for each; None
            where it may be told as often as one likes.
    """

    started: bool | None
    instances: int | None
    has_seed: bool
    seed_instances: int | None
    has_old_events: bool
    events_by_process: tuple[EventChanges, ...]
    max_copies: int | None = 1

    def matches(self, state: AppState) -> bool:
        """Whether it may be what is seen of this world."""
        is_same_state = (
            self.matches_app(state)
            and self.has_seed == state.has_seed
            and (state.has_old_events or not self.has_old_events)
        )
        return (
            is_same_state
            and _match_where_known(self.seed_instances, state.seed_instances)
            and self._events_match(state)
        )

    def matches_app(self, state: AppState) -> bool:
        """Whether the app may be as in this world, whatever its events tell."""
        return self.started in {None, state.started} and _match_where_known(self.instances, state.instances)

    def without_instances(self) -> FinalObservation:
        """Return the same without what it shows of instances."""
        return replace(self, instances=None, seed_instances=None)

    def without_change_kinds(self) -> FinalObservation:
        """Return the same without what tells a change from another one: their events are only counted."""
        return replace(self, events_by_process=tuple(tuple(CHANGES for _ in told) for told in self.events_by_process))

    def with_unlimited_copies(self) -> FinalObservation:
        """Return the same without how often a change is told: several events may tell of one."""
        return replace(self, max_copies=None)

    def _events_match(self, state: AppState) -> bool:
        """Whether all due events are there, for one process at least, and for none of them more than may be."""
        if self.max_copies is None:
            has_enough = any(len(told) >= len(state.must_be_recorded) for told in self.events_by_process or ((),))
            return has_enough and (
                bool(state.must_be_recorded or state.may_be_recorded) or not any(self.events_by_process)
            )
        maximum = Counter(state.must_be_recorded) + Counter(state.may_be_recorded)
        allowed = Counter({kind: times * self.max_copies for kind, times in maximum.items()})
        processes = self.events_by_process or ((),)
        return all(_match_events(told, Counter(), allowed) for told in processes) and any(
            _match_events(told, Counter(state.must_be_recorded), allowed) for told in processes
        )


def is_explained(
    initial: AppState, operations: Sequence[Operation], observed: FinalObservation, *, delayed_recording: bool = False
) -> bool:
    """Whether any order of the operations leads from the beginning to what is seen in the end.

    Args:
        initial: the app before any of them.
        operations: all that may have changed it or its events.
        observed: what is seen when they are over.
        delayed_recording: whether the event of a change may be recorded later than the change,
            even after a purge.
    """
    return any(
        observed.matches(world) for world in _final_states(initial, operations, delayed_recording=delayed_recording)
    )


def is_state_reachable(initial: AppState, operations: Sequence[Operation], observed: FinalObservation) -> bool:
    """Whether the state of the app, apart from its events, comes of these operations at all."""
    return any(observed.matches_app(world) for world in _final_states(initial, operations, delayed_recording=True))


def smallest_unexplained(
    initial: AppState, operations: Sequence[Operation], observed: FinalObservation, *, delayed_recording: bool = False
) -> tuple[Operation, ...]:
    """Return the fewest operations that no order explains, whatever the others did, whenever, if at all.

    They tell of all that is seen; of several that do as well, the later ones are taken.
    """
    for size in range(len(operations)):
        for subset in combinations(reversed(range(len(operations))), size):
            relaxed = [x if place in subset else x.unconstrained() for place, x in enumerate(operations)]
            core = tuple(operations[place] for place in sorted(subset))
            if could_produce(initial, core, observed) and not is_explained(
                initial, relaxed, observed, delayed_recording=delayed_recording
            ):
                return core
    return tuple(operations)


def could_produce(initial: AppState, operations: Sequence[Operation], observed: FinalObservation) -> bool:
    """Whether each thing that is seen in the end comes of some order of these operations, if not all of the same."""
    states = list(_final_states(initial, operations, delayed_recording=True))
    return (
        any(observed.matches_app(world) for world in states)
        and any(observed.has_seed == world.has_seed for world in states)
        and any(observed.has_old_events == world.has_old_events for world in states)
    )


def _final_states(initial: AppState, operations: Sequence[Operation], *, delayed_recording: bool) -> Iterator[AppState]:
    """Yield every world that an order of the operations leads to."""
    steps = frozenset((place, step) for place, x in enumerate(operations) for step in x.steps)
    stack = [(initial, steps)]
    visited = set(stack)
    while stack:
        state, remaining = stack.pop()
        if not remaining:
            yield state
        for point in _possible_next_steps(remaining, operations):
            for successor in _apply_step(state, operations[point[0]], point[1], delayed_recording=delayed_recording):
                node = (successor, remaining - {point})
                if node not in visited:
                    visited.add(node)
                    stack.append(node)


def _possible_next_steps(remaining: Iterable[OperationStep], operations: Sequence[Operation]) -> list[OperationStep]:
    """Return the steps that may be the next one: no other comes before, by its purge or by the clock."""
    waiting = list(remaining)
    first_answer = min((operations[place].answered_at for place, _ in waiting), default=inf)
    candidates = [point for point in waiting if operations[point[0]].sent_at <= first_answer]
    return [(place, step) for place, step in candidates if step != SEED or (place, DESTROY) not in waiting]


def _apply_step(state: AppState, operation: Operation, step: str, *, delayed_recording: bool) -> Iterator[AppState]:
    """Yield the world after a step, and the same as before where it may not have been done."""
    if not operation.succeeded:
        yield state
    if step == DESTROY:
        pending = _merge_sorted(state.may_be_recorded, state.must_be_recorded) if delayed_recording else ()
        yield state._replace(
            has_seed=False, seed_instances=None, has_old_events=False, must_be_recorded=(), may_be_recorded=pending
        )
    elif step == SEED:
        yield state._replace(has_seed=True, seed_instances=state.instances) if state.started else state
    elif step == SCALE:
        yield _record_change(state, step, instances=operation.instances, changes=state.started)
    else:
        yield _record_change(state, step, started=step == START, changes=state.started != (step == START))


def _record_change(
    state: AppState, kind: str, *, changes: bool, started: bool | None = None, instances: int | None = None
) -> AppState:
    """Return the world after a change; one that changes nothing may be recorded or not."""
    changed = state._replace(
        started=state.started if started is None else started,
        instances=state.instances if instances is None else instances,
    )
    if changes and changed[:2] != state[:2] and (kind != SCALE or state.instances is not None):
        return changed._replace(must_be_recorded=_merge_sorted(state.must_be_recorded, (kind,)))
    return changed._replace(may_be_recorded=_merge_sorted(state.may_be_recorded, (kind,)))


def _match_events(events: EventChanges, required: Counter[str], allowed: Counter[str]) -> bool:
    """Whether events tell of all changes that are due and of none that is not allowed, each of one."""
    if not events:
        return not +required
    return any(
        _match_events(events[1:], required - Counter([kind]), allowed - Counter([kind]))
        for kind in events[0]
        if allowed[kind] > 0
    )


def _merge_sorted(*kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(kind for some in kinds for kind in some))


def _match_where_known(observed: int | None, actual: int | None) -> bool:
    return None in {observed, actual} or observed == actual
