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
Told = tuple[frozenset[str], ...]  # of each event, the changes that it may tell of
Point = tuple[int, str]  # the place of an operation among the others, and one of its steps


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
    begun: float
    ended: float
    done: bool = True
    instances: int | None = None
    n: int = 0

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that it takes, each at one moment."""
        return (DESTROY, SEED) if self.kind == PURGE else (self.kind,)

    def anyhow(self) -> Operation:
        """Return the same without anything that is known of it: at any time, done or not."""
        return replace(self, begun=-inf, ended=inf, done=False)


class World(NamedTuple):
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
    seeded: bool = False
    shown: int | None = None
    old: bool = True
    due: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
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
    seeded: bool
    shown: int | None
    old: bool
    told: tuple[Told, ...]
    copies: int | None = 1

    def fits(self, world: World) -> bool:
        """Whether it may be what is seen of this world."""
        same = self.state_fits(world) and self.seeded == world.seeded and (world.old or not self.old)
        return same and _agree(self.shown, world.shown) and self._events_fit(world)

    def state_fits(self, world: World) -> bool:
        """Whether the app may be as in this world, whatever its events tell."""
        return self.started in {None, world.started} and _agree(self.instances, world.instances)

    def without_sizes(self) -> End:
        """Return the same without what it shows of instances."""
        return replace(self, instances=None, shown=None)

    def without_kinds(self) -> End:
        """Return the same without what tells a change from another one: their events are only counted."""
        return replace(self, told=tuple(tuple(CHANGES for _ in told) for told in self.told))

    def at_least(self) -> End:
        """Return the same without how often a change is told: several events may tell of one."""
        return replace(self, copies=None)

    def _events_fit(self, world: World) -> bool:
        """Whether all due events are there, for one process at least, and for none of them more than may be."""
        if self.copies is None:
            enough = any(len(told) >= len(world.due) for told in self.told or ((),))
            return enough and (bool(world.due or world.open) or not any(self.told))
        most = Counter(world.due) + Counter(world.open)
        allowed = Counter({kind: times * self.copies for kind, times in most.items()})
        every = self.told or ((),)
        return all(_tell(told, Counter(), allowed) for told in every) and any(
            _tell(told, Counter(world.due), allowed) for told in every
        )


def explained(begin: World, operations: Sequence[Operation], end: End, *, late: bool = False) -> bool:
    """Whether any order of the operations leads from the beginning to what is seen in the end.

    Args:
        begin: the app before any of them.
        operations: all that may have changed it or its events.
        end: what is seen when they are over.
        late: whether the event of a change may be recorded later than the change is done, after a purge even.
    """
    return any(end.fits(world) for world in _worlds(begin, operations, late=late))


def reachable(begin: World, operations: Sequence[Operation], end: End) -> bool:
    """Whether the state of the app, apart from its events, comes of these operations at all."""
    return any(end.state_fits(world) for world in _worlds(begin, operations, late=True))


def shortest(begin: World, operations: Sequence[Operation], end: End, *, late: bool = False) -> tuple[Operation, ...]:
    """Return the fewest operations that no order explains, whatever the others did, whenever, if at all.

    They tell of all that is seen; of several that do as well, the later ones are taken.
    """
    for size in range(len(operations)):
        for kept in combinations(reversed(range(len(operations))), size):
            loose = [x if place in kept else x.anyhow() for place, x in enumerate(operations)]
            found = tuple(operations[place] for place in sorted(kept))
            if tells(begin, found, end) and not explained(begin, loose, end, late=late):
                return found
    return tuple(operations)


def tells(begin: World, operations: Sequence[Operation], end: End) -> bool:
    """Whether each thing that is seen in the end comes of some order of these operations, if not all of the same."""
    worlds = list(_worlds(begin, operations, late=True))
    return (
        any(end.state_fits(world) for world in worlds)
        and any(end.seeded == world.seeded for world in worlds)
        and any(end.old == world.old for world in worlds)
    )


def _worlds(begin: World, operations: Sequence[Operation], *, late: bool) -> Iterator[World]:
    """Yield every world that an order of the operations leads to."""
    points = frozenset((place, step) for place, x in enumerate(operations) for step in x.steps)
    stack = [(begin, points)]
    met = set(stack)
    while stack:
        world, left = stack.pop()
        if not left:
            yield world
        for point in _next(left, operations):
            for after in _after(world, operations[point[0]], point[1], late=late):
                found = (after, left - {point})
                if found not in met:
                    met.add(found)
                    stack.append(found)


def _next(left: Iterable[Point], operations: Sequence[Operation]) -> list[Point]:
    """Return the steps that may be the next one: no other comes before, by its purge or by the clock."""
    waiting = list(left)
    first = min((operations[place].ended for place, _ in waiting), default=inf)
    may = [point for point in waiting if operations[point[0]].begun <= first]
    return [(place, step) for place, step in may if step != SEED or (place, DESTROY) not in waiting]


def _after(world: World, operation: Operation, step: str, *, late: bool) -> Iterator[World]:
    """Yield the world after a step, and the same as before where it may not have been done."""
    if not operation.done:
        yield world
    if step == DESTROY:
        kept = _sorted(world.open, world.due) if late else ()
        yield world._replace(seeded=False, shown=None, old=False, due=(), open=kept)
    elif step == SEED:
        yield world._replace(seeded=True, shown=world.instances) if world.started else world
    elif step == SCALE:
        yield _told(world, step, instances=operation.instances, changes=world.started)
    else:
        yield _told(world, step, started=step == START, changes=world.started != (step == START))


def _told(
    world: World, kind: str, *, changes: bool, started: bool | None = None, instances: int | None = None
) -> World:
    """Return the world after a change; one that changes nothing may be recorded or not."""
    changed = world._replace(
        started=world.started if started is None else started,
        instances=world.instances if instances is None else instances,
    )
    if changes and changed[:2] != world[:2] and (kind != SCALE or world.instances is not None):
        return changed._replace(due=_sorted(world.due, (kind,)))
    return changed._replace(open=_sorted(world.open, (kind,)))


def _tell(told: Told, due: Counter[str], allowed: Counter[str]) -> bool:
    """Whether events tell of all changes that are due and of none that is not allowed, each of one."""
    if not told:
        return not +due
    return any(
        _tell(told[1:], due - Counter([kind]), allowed - Counter([kind])) for kind in told[0] if allowed[kind] > 0
    )


def _sorted(*kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(kind for some in kinds for kind in some))


def _agree(seen: int | None, true: int | None) -> bool:
    return None in {seen, true} or seen == true
