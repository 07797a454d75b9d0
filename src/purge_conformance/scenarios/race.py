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

SEQUENTIAL = "quiet"  # the round in which one thing comes after the other
ROUNDS = {"first": 1, "second": 2, "third": 1}  # name -> purges, one after the other
CHANGED_APPS = ("steady", "scaled", "elsewhere")  # apps that are changed while a purge is under way
LAST_CHANGED_APP = {
    SEQUENTIAL: "mover",
    "first": "idle",
    "second": "mover",
    "third": "idle",
}  # apps that are changed after it
FIRST_DELAY, SECOND_DELAY = (
    (0.1, 0.5),
    (0.2, 0.8),
)  # when an app is changed first, and how much later again: parts of a purge
MAX_EARLIER_INSTANCES = 3  # instances that other experiments scale an app to
MAX_PURGE_SECONDS = 1.0  # seconds that a purge is taken to last, at the most
SCRIPTS = {True: (("stop", "start"), ("scale", "stop"), ("stop",), ("scale",)), False: (("start", "scale"), ("start",))}
FULL_SCRIPTS = {True: ("stop", "start", "scale"), False: ("start", "scale", "stop")}


@dataclass(frozen=True)
class RaceContext:
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
    rng: random.Random
    first_script: int
    instance_counts: Iterator[int]
    labels: Collection[str]


def race_purges_with_changes(client: Client, foundation: SuiteApps) -> None:
    """Purge and change the suite's own apps, once one after the other and then at the same time; look after each.

    Every round begins with what the one before left, and ends when a last change, after all others, is recorded.
    """
    labels = [label for label in CHANGED_APPS if label in foundation.apps]
    if not (labels and foundation.is_timeable and foundation.record_event()):
        return
    rng = random.Random(client.settings.seed)  # noqa: S311 -- the same changes in every run
    known = _take_snapshot(client, foundation, "start")
    context = RaceContext(
        client, foundation, rng, rng.randrange(len(CHANGED_APPS)), _unused_instance_counts(client, foundation), labels
    )
    duration, known = _run_sequentially(context, known)
    for turn, (name, purges) in enumerate(ROUNDS.items(), context.first_script):
        scripts = [_script(context, name, label, turn, duration * purges) for label in labels]
        client.send_concurrently([Request("POST", PURGE_PATH, name)] * purges, *map(_with_pauses, scripts))
        known = _finish_round(context, name, known)


def _unused_instance_counts(client: Client, foundation: SuiteApps) -> Iterator[int]:
    """Yield instances to scale to, none of which an app of the suite's own has by now: each is a change."""
    own = set(foundation.apps.values())
    rows = [row for x in client.exchanges_of(client.experiment, "start.processes") for row in resources(x)]
    used = {row.get("instances") for row in rows if app_of_process(row) in own}
    return (size for size in count(MAX_EARLIER_INSTANCES + 1) if size not in used)


def _run_sequentially(context: RaceContext, known: Collection[str]) -> tuple[float, Collection[str]]:
    """Purge, and then do all that the other rounds do meanwhile; return how long the purge lasted, and the events."""
    response = context.client.post(PURGE_PATH, SEQUENTIAL)
    for label in context.labels:
        for change in FULL_SCRIPTS[label in context.foundation.started]:
            context.client.send(_change_request(context, SEQUENTIAL, label, change))
    return min(response.elapsed, MAX_PURGE_SECONDS), _finish_round(context, SEQUENTIAL, known)


def _script(context: RaceContext, name: str, label: str, turn: int, duration: float) -> list[tuple[float, Request]]:
    """Return the changes of an app, each with the seconds before it: the first early in the purge, the next later.

    Of apps that are started, one is stopped first and the next one is scaled first.
    """
    started = context.foundation.started
    same_state = [other for other in context.labels if (other in started) == (label in started)]
    scripts = SCRIPTS[label in started]
    changes = scripts[(turn + same_state.index(label)) % len(scripts)]
    pauses = [context.rng.uniform(*part) * duration for part in (FIRST_DELAY, SECOND_DELAY)]
    return [
        (pause, _change_request(context, name, label, change)) for pause, change in zip(pauses, changes, strict=False)
    ]


def _with_pauses(script: list[tuple[float, Request]]) -> Iterator[Request]:
    for pause, request in script:
        time.sleep(pause)
        yield request


def _change_request(context: RaceContext, name: str, label: str, change: str) -> Request:
    return context.foundation.request(label, change, f"{name}.change", instances=next(context.instance_counts))


def _finish_round(context: RaceContext, name: str, known: Collection[str]) -> Collection[str]:
    """Change one more app, wait until that is recorded, look at everything, and return the events that are known."""
    label = context.foundation.label_or(LAST_CHANGED_APP[name], "mover")
    change = "stop" if label in context.foundation.started else "start"
    context.client.send(_change_request(context, name, label, change))
    await_event(context.client, context.foundation, context.foundation.apps[label], known)
    return _take_snapshot(context.client, context.foundation, name)


def _take_snapshot(client: Client, foundation: SuiteApps, step: str) -> Collection[str]:
    events = look.take_snapshot(client, step)
    pages = client.exchanges_of(client.experiment, f"{step}.apps")
    foundation.sync_started(row for page in pages for row in resources(page))
    return events.by_guid
