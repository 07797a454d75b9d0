"""A purge while apps are started, stopped and scaled."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client import pagination as look
from purge_conformance.client.client import Request
from purge_conformance.evidence.listing import app_of_process, resources
from purge_conformance.scenarios.app_changes import await_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

QUIET = "quiet"  # the round in which one thing comes after the other
ROUNDS = {"first": 1, "second": 2, "third": 1}  # name -> purges, one after the other
MOVED = ("steady", "scaled", "elsewhere")  # apps that are changed while a purge is under way
LAST = {QUIET: "mover", "first": "idle", "second": "mover", "third": "idle"}  # apps that are changed after it
EARLY, LATER = (0.1, 0.5), (0.2, 0.8)  # when an app is changed first, and how much later again: parts of a purge
MOST_BEFORE = 3  # instances that other experiments scale an app to
LONGEST = 1.0  # seconds that a purge is taken to last, at the most
SCRIPTS = {True: (("stop", "start"), ("scale", "stop"), ("stop",), ("scale",)), False: (("start", "scale"), ("start",))}
WHOLE = {True: ("stop", "start", "scale"), False: ("start", "scale", "stop")}


@dataclass(frozen=True)
class Racing:
    """What every round needs.

    Attributes:
        client, foundation: those of the run.
        chance: of the run's seed.
        turn: which script comes first.
        sizes: instances to scale to, each more than the one before.
        moved: labels of the apps that are changed while a purge is under way.
    """

    client: Client
    foundation: SuiteApps
    chance: random.Random
    turn: int
    sizes: Iterator[int]
    moved: Collection[str]


def race(client: Client, foundation: SuiteApps) -> None:
    """Purge and change the suite's own apps, once one after the other and then at the same time; look after each.

    Every round begins with what the one before left, and ends when a last change, after all others, is recorded.
    """
    moved = [label for label in MOVED if label in foundation.apps]
    if not (moved and foundation.is_timeable and foundation.record_event()):
        return
    chance = random.Random(client.settings.seed)  # noqa: S311 -- the same changes in every run
    known = _look(client, foundation, "start")
    racing = Racing(client, foundation, chance, chance.randrange(len(MOVED)), _sizes(client, foundation), moved)
    lasting, known = _one_by_one(racing, known)
    for turn, (name, purges) in enumerate(ROUNDS.items(), racing.turn):
        scripts = [_script(racing, name, label, turn, lasting * purges) for label in moved]
        client.send_concurrently([Request("POST", PURGE_PATH, name)] * purges, *map(_paced, scripts))
        known = _end(racing, name, known)


def _sizes(client: Client, foundation: SuiteApps) -> Iterator[int]:
    """Yield instances to scale to, none of which an app of the suite's own has by now: each is a change."""
    own = set(foundation.apps.values())
    rows = [row for x in client.exchanges_of(client.experiment, "start.processes") for row in resources(x)]
    taken = {row.get("instances") for row in rows if app_of_process(row) in own}
    return (size for size in count(MOST_BEFORE + 1) if size not in taken)


def _one_by_one(racing: Racing, known: Collection[str]) -> tuple[float, Collection[str]]:
    """Purge, and then do all that the other rounds do meanwhile; return how long the purge lasted, and the events."""
    purged = racing.client.post(PURGE_PATH, QUIET)
    for label in racing.moved:
        for change in WHOLE[label in racing.foundation.started]:
            racing.client.send(_change(racing, QUIET, label, change))
    return min(purged.elapsed, LONGEST), _end(racing, QUIET, known)


def _script(racing: Racing, name: str, label: str, turn: int, lasting: float) -> list[tuple[float, Request]]:
    """Return the changes of an app, each with the seconds before it: the first early in the purge, the next later.

    Of apps that are started, one is stopped first and the next one is scaled first.
    """
    started = racing.foundation.started
    alike = [other for other in racing.moved if (other in started) == (label in started)]
    scripts = SCRIPTS[label in started]
    changes = scripts[(turn + alike.index(label)) % len(scripts)]
    pauses = [racing.chance.uniform(*part) * lasting for part in (EARLY, LATER)]
    return [(pause, _change(racing, name, label, change)) for pause, change in zip(pauses, changes, strict=False)]


def _paced(script: list[tuple[float, Request]]) -> Iterator[Request]:
    for pause, request in script:
        time.sleep(pause)
        yield request


def _change(racing: Racing, name: str, label: str, change: str) -> Request:
    return racing.foundation.request(label, change, f"{name}.change", instances=next(racing.sizes))


def _end(racing: Racing, name: str, known: Collection[str]) -> Collection[str]:
    """Change one more app, wait until that is recorded, look at everything, and return the events that are known."""
    label = racing.foundation.label_or(LAST[name], "mover")
    change = "stop" if label in racing.foundation.started else "start"
    racing.client.send(_change(racing, name, label, change))
    await_event(racing.client, racing.foundation, racing.foundation.apps[label], known)
    return _look(racing.client, racing.foundation, name)


def _look(client: Client, foundation: SuiteApps, step: str) -> Collection[str]:
    events = look.take_snapshot(client, step)
    pages = client.exchanges_of(client.experiment, f"{step}.apps")
    foundation.sync_started(row for page in pages for row in resources(page))
    return events.by_guid
