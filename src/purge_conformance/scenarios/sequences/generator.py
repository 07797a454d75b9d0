"""Draws the sequences of a run: the same seed draws the same ones.

What can happen between two purges is dealt like a deck of cards, so that each run has each of it; in which order,
beside what else and to which app, is left to the seed.
"""

from __future__ import annotations

from functools import reduce
from random import Random
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.reads import HOW
from purge_conformance.analysis.app_model.state import Deed, State, Step, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Card = Callable[[Random, World], Iterator[Step]]

SEQUENCES = 2
ROUNDS = 3  # in a sequence, after its first purge; each ends with a further one
CARDS = 2  # in a round
APPS = ("a", "b", "c")  # at first; two of them are started
NAMES = "abcdefghijklmnopqrstuvwxyz"
PURGE = Step(Deed.PURGE)
WHO = ("none", "forged", "other")  # whose purge is refused
SIZES = ("instances=2", "instances=3", "instances=0", "memory_in_mb=96", "memory_in_mb=160")


def draw(seed: int) -> Iterator[tuple[Step, ...]]:
    """Yield the sequences of a run."""
    chance = Random(seed)  # noqa: S311 -- the same in every run
    cards = chance.sample(DECK, SEQUENCES * ROUNDS * CARDS)
    begins, ends = _idle(chance)
    twice = chance.randrange(SEQUENCES)  # one of them begins with a purge right after another
    for number in range(SEQUENCES):
        steps = [*(Step(Deed.CREATE, name) for name in APPS)]
        steps += [*(Step(Deed.START, name) for name in chance.sample(APPS, 2)), PURGE]
        steps += [PURGE] if number == twice else []
        for _ in range(ROUNDS):
            steps += begins.pop()
            for _ in range(CARDS):
                steps += cards.pop()(chance, _world(steps))
            steps += [*ends.pop(), PURGE]
        yield tuple(steps)


def _idle(chance: Random) -> tuple[list[list[Step]], list[list[Step]]]:
    """Deal what changes nothing, or should not: at the beginning of each round, just after a purge, and at the end."""
    reads = [[Step(Deed.READ, how)] for how in chance.sample(HOW, len(HOW))]
    refused = [[Step(Deed.REFUSED, chance.choice(WHO))] for _ in range(4)]
    begins = [[], [], *refused[:2], *reads[:2]]
    ends = [*refused[2:], *reads[2:], []]
    return chance.sample(begins, len(begins)), chance.sample(ends, len(ends))


def _world(steps: Iterable[Step]) -> World:
    return reduce(World.after, steps, World())


def _pick(chance: Random, world: World, *states: State) -> str:
    """Pick the name of an app that is in one of these states and was left alone since the last purge, if any is so."""
    exist = {name: app for name, app in world.apps.items() if app.exists}
    fit = {name: app for name, app in exist.items() if app.state in states} or exist
    return chance.choice([name for name, app in fit.items() if not app.recorded and not app.perhaps] or list(fit))


def _to(*deeds: Deed, state: State) -> Card:
    """Make a card that does these things to one app, which is in that state if any is."""

    def card(chance: Random, world: World) -> Iterator[Step]:
        name = _pick(chance, world, state)
        for deed in deeds:
            yield _scaling(chance, world, name) if deed is Deed.SCALE else Step(deed, name)

    return card


def _scaling(chance: Random, world: World, name: str) -> Step:
    """Scale an app to another size than it has."""
    steps = [Step(Deed.SCALE, name, size) for size in SIZES]
    return chance.choice([step for step in steps if step.scaled.items() - world.apps[name].size.items()])


def _flip(last: Deed, state: State) -> Card:
    """Make a card that starts and stops an app until it ends so for the second time."""
    other = Deed.STOP if last is Deed.START else Deed.START

    def card(chance: Random, world: World) -> Iterator[Step]:
        name = _pick(chance, world, State.STARTED, State.STOPPED)
        deeds = (last, other, last) if world.apps[name].state is not state else (other, last, other, last)
        yield from (Step(deed, name) for deed in deeds)

    return card


def _again(chance: Random, world: World) -> Iterator[Step]:
    """Do once more what is done already."""
    name = _pick(chance, world, State.STARTED, State.STOPPED)
    yield Step(Deed.START if world.apps[name].state is State.STARTED else Deed.STOP, name)


def _create(chance: Random, world: World) -> Iterator[Step]:
    name = NAMES[len(world.apps)]
    yield from (Step(Deed.CREATE, name), Step(Deed.START, name))
    yield _scaling(chance, world.after(Step(Deed.CREATE, name)), name)


def _replace(chance: Random, world: World) -> Iterator[Step]:
    yield Step(Deed.DELETE, _pick(chance, world, State.STARTED))
    yield from _create(chance, world)


DECK: tuple[Card, ...] = (
    _to(Deed.START, state=State.STOPPED),
    _to(Deed.STOP, state=State.STARTED),
    _to(Deed.STOP, Deed.START, state=State.STARTED),
    _to(Deed.SCALE, state=State.STARTED),
    _to(Deed.SCALE, Deed.STOP, Deed.START, state=State.STARTED),
    _to(Deed.SCALE, Deed.STOP, state=State.STARTED),
    _to(Deed.SCALE, Deed.START, state=State.STOPPED),
    _flip(Deed.START, State.STARTED),
    _flip(Deed.STOP, State.STOPPED),
    _again,
    _create,
    _replace,
)
