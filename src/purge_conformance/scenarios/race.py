"""Purges while apps are started, stopped and scaled."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import take_snapshot
from purge_conformance.evidence.listing import STARTED, STOPPED, app_of_process, resources
from purge_conformance.evidence.rounds import RACE_CASES, RACES
from purge_conformance.evidence.steps import App, Part, Phase, Place, Scenario, Step
from purge_conformance.scenarios.app_changes import await_event
from purge_conformance.scenarios.budget import note_left_out

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

CHANGED_APPS = (App.STARTED, App.SCALED, App.OTHER_ORG)  # changed during a purge
SEQUENTIAL = Place(Step.SEQUENTIAL)
LAST_CHANGED_APPS = {  # changed after the other requests of a round
    SEQUENTIAL: App.TOGGLED,
    Place(Step.CONCURRENT, 1): App.STOPPED,
    Place(Step.CONCURRENT, 2): App.TOGGLED,
    Place(Step.CONCURRENT, 3): App.STOPPED,
}
CHANGES = {Step.SEQUENTIAL: Step.SEQUENTIAL_CHANGE, Step.CONCURRENT: Step.CONCURRENT_CHANGE}  # purge -> changes
FIRST_DELAY, SECOND_DELAY = (0.1, 0.5), (0.2, 0.8)  # before the changes of an app, in parts of the purge's duration
MAX_EARLIER_INSTANCES = 3  # of an app that other scenarios scale
LATER_SECONDS = 1.0  # from the end of the last round to a snapshot that shows what happened since
MAX_PURGE_SECONDS = 1.0  # longest duration of a purge that the delays are based on
SCRIPTS = {True: (("stop", "start"), ("scale", "stop"), ("stop",), ("scale",)), False: (("start", "scale"), ("start",))}
FULL_SCRIPTS = {True: ("stop", "start", "scale"), False: ("start", "scale", "stop")}


@dataclass
class RaceContext:
    """What every round needs.

    Attributes:
        client, apps: those of the run.
        rng: has the seed of the run.
        first_script: index of the script that comes first.
        instance_counts: numbers of instances to scale to, each larger than the one before.
        changed_apps: the apps to change during a purge.
        known: the events of the last snapshot, by guid.
        before: numbers of the exchanges of the last snapshot.
    """

    client: Client
    apps: SuiteApps
    rng: random.Random
    first_script: int
    instance_counts: Iterator[int]
    changed_apps: Collection[App]
    known: Collection[str]
    before: tuple[int, ...]


def race_purges_with_changes(client: Client, apps: SuiteApps) -> None:
    """Purge and change apps, first sequentially and then concurrently, each round between two snapshots.

    A round begins with the snapshot of the round before. It ends when a last change, sent after all others, is
    recorded. With fewer purges there are fewer concurrent rounds; with one, the sequential round only changes apps. A
    snapshot some time after the last round shows whether its events stay, and whether others follow.
    """
    changed_apps = [app for app in CHANGED_APPS if app in apps.apps]
    if not (changed_apps and apps.is_timeable and apps.record_event()):
        return
    if App.TOGGLED not in apps.started:  # the sequential round stops it: the next one does not change that stopped app
        apps.record_event()
    rng = random.Random(client.settings.seed)  # noqa: S311 -- the same changes in every run with this seed
    known, before = _take_snapshot(client, apps, Place(Step.OPENING))
    counts, script = _unused_instance_counts(client, apps), rng.randrange(len(CHANGED_APPS))
    context = RaceContext(client, apps, rng, script, counts, changed_apps, known, before)
    duration = _run_sequentially(context)
    races = dict(planned_races(client.planned_purges))
    note_left_out(client, [case for purges, case in RACE_CASES.items() if purges not in races.values()])
    for turn, (index, purges) in enumerate(races.items(), context.first_script):
        place = Place(Step.CONCURRENT, index)
        with _round(context, place):
            scripts = [_script(context, place, app, turn, duration * purges) for app in changed_apps]
            client.send_concurrently([Request("POST", PURGE_PATH, place)] * purges, *map(_with_pauses, scripts))
    time.sleep(LATER_SECONDS)
    take_snapshot(client, Step.CLOSING)


def planned_races(purges: int) -> Iterator[tuple[int, int]]:
    """Yield the concurrent rounds, each with its purges, for which so many purges are enough."""
    left = max(1, purges - 1)  # the sequential round has one, if there are several
    for index, needed in RACES.items():
        if needed > left:
            return
        left -= needed
        yield index, needed


def _unused_instance_counts(client: Client, apps: SuiteApps) -> Iterator[int]:
    """Yield numbers of instances that no app of the suite has now, so that each scaling is a change."""
    own = set(apps.apps.values())
    pages = client.recorded(Place(Step.OPENING, part=Part.PROCESSES))
    used = {row.get("instances") for page in pages for row in resources(page) if app_of_process(row) in own}
    return (number for number in count(MAX_EARLIER_INSTANCES + 1) if number not in used)


def _run_sequentially(context: RaceContext) -> float:
    """Purge, and then send all the changes that later rounds send concurrently; return the duration of a purge."""
    client = context.client
    with _round(context, SEQUENTIAL):
        if client.planned_purges > 1:  # otherwise the only purge is that of the concurrent round
            client.post(PURGE_PATH, SEQUENTIAL)
        purges = client.recorded(SEQUENTIAL) or client.recorded(Step.PURGE, Scenario.PURGE)
        for app in context.changed_apps:
            for change in FULL_SCRIPTS[app in context.apps.started]:
                client.send(_change_request(context, SEQUENTIAL, app, change))
    return min(max((x.elapsed for x in purges), default=0.0), MAX_PURGE_SECONDS)


@contextmanager
def _round(context: RaceContext, place: Place) -> Iterator[None]:
    """Record a round as a span: after the block, send a last change, await its event and take a snapshot."""
    with context.client.span(place, _changes_of(place), before=context.before):
        yield
        app = context.apps.existing(LAST_CHANGED_APPS[place], App.TOGGLED)
        change = "stop" if app in context.apps.started else "start"
        context.client.send(_change_request(context, place, app, change))
        state = {"state": STOPPED if change == "stop" else STARTED}
        await_event(context.client, context.apps, context.apps.apps[app], context.known, state)
        context.known, context.before = _take_snapshot(context.client, context.apps, place.at(Phase.AFTER))


def _script(context: RaceContext, place: Place, app: App, turn: int, duration: float) -> list[tuple[float, Request]]:
    """Return the changes of an app, each with the seconds before it: the first early in the purge, the second later.

    Of the started apps, one is stopped first and the next one is scaled first.
    """
    started = context.apps.started
    same_state = [other for other in context.changed_apps if (other in started) == (app in started)]
    scripts = SCRIPTS[app in started]
    changes = scripts[(turn + same_state.index(app)) % len(scripts)]
    pauses = [context.rng.uniform(*part) * duration for part in (FIRST_DELAY, SECOND_DELAY)]
    requests = [_change_request(context, place, app, change) for change in changes]
    return list(zip(pauses, requests, strict=False))


def _with_pauses(script: list[tuple[float, Request]]) -> Iterator[Request]:
    for pause, request in script:
        time.sleep(pause)
        yield request


def _changes_of(place: Place) -> Place:
    """Return the place of the changes in the round of a purge."""
    return replace(place, step=CHANGES[place.step])


def _change_request(context: RaceContext, place: Place, app: App, change: str) -> Request:
    return context.apps.request(app, change, _changes_of(place), instances=next(context.instance_counts))


def _take_snapshot(client: Client, apps: SuiteApps, where: Place) -> tuple[Collection[str], tuple[int, ...]]:
    """Take a snapshot and update which apps are started; return the guids of the events, and its exchanges' numbers."""
    events = take_snapshot(client, where)
    pages = client.recorded(where.of(Part.APPS))
    apps.sync_started(row for page in pages for row in resources(page))
    return events.by_guid, client.observation(where)
