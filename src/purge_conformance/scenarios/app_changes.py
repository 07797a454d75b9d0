"""Starts, stops and scalings after purges, each between two looks at the list."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client import pagination as look
from purge_conformance.evidence.listing import STARTED, STOPPED, app_of_event, resources, sample_evenly
from purge_conformance.target.apps.suite_apps import SHORT_POLL_INTERVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

    # Its name, the label of the app, what changes it, and what the event tells: member -> its current value.
    Change = tuple[str, str, Callable[[str], bool], dict[str, Any]]

PAUSE_SECONDS = 1.0
SAMPLE_SIZE = 6  # of the destroyed events that were got, which are got again
UNUSUAL_MB = 72  # of memory, which no other experiment asks for


def change_apps(client: Client, foundation: SuiteApps) -> None:
    """Start, stop and scale apps after a purge, most of them in a later second."""
    scale = partial(partial, foundation.scale)
    other_app = foundation.label_or("elsewhere", "mover")
    app_without_instances = foundation.label_or("empty", "steady")  # a started app without an instance
    _apply_changes(
        client,
        foundation,
        (
            ("start", "idle", foundation.start, {"state": STARTED}),
            ("stop", app_without_instances, foundation.stop, {"state": STOPPED}),
            ("scale", "scaled", scale(instances=3), {"instance_count": 3}),
            ("scale-memory", "scaled", scale(memory_in_mb=96), {"memory_in_mb_per_instance": 96}),
            ("scale-down", "scaled", scale(instances=0), {"instance_count": 0}),
            ("stop-again", other_app, foundation.stop, {"state": STOPPED}),
            ("start-again", app_without_instances, foundation.start, {"state": STARTED}),
            ("scale-up", app_without_instances, scale(instances=2), {"instance_count": 2}),
        ),
        pause=PAUSE_SECONDS,  # the target's clock must tick on: times are told apart by the second
    )
    look.take_snapshot(client, "end")


def change_apps_after_purges(client: Client, foundation: SuiteApps) -> None:
    """Start, scale and stop apps after all purges; look at everything, and get again what was destroyed."""
    started = [label for label in foundation.apps if label in foundation.started]
    others = [label for label in foundation.apps if label not in foundation.started]
    scale = partial(foundation.scale, memory_in_mb=UNUSUAL_MB)
    _apply_changes(
        client,
        foundation,
        (
            *(("start", label, foundation.start, {"state": STARTED}) for label in others[:1]),
            *(("scale", label, scale, {"memory_in_mb_per_instance": UNUSUAL_MB}) for label in started[:1]),
            *(("stop", label, foundation.stop, {"state": STOPPED}) for label in started[:1]),
        ),
    )
    look.take_snapshot(client, "end")
    for exchange in sample_evenly(client.exchanges_of("purge", "destroyed"), SAMPLE_SIZE):
        client.get(exchange.path, "destroyed")


def _apply_changes(client: Client, foundation: SuiteApps, changes: Iterable[Change], pause: float = 0) -> None:
    """Make each change, and look at the list before the first and after each; note what was done."""
    known = look.read_pages(client, EVENTS_PATH, "before").by_guid
    previous_step = "before"
    for name, label, change, expected in changes:
        app, succeeded = foundation.apps.get(label), change(label)
        client.note(f"change {name}", {"app": app, "done": succeeded, "since": previous_step, "tells": expected})
        if succeeded:
            await_event(client, foundation, app, known)
        known = look.read_pages(client, EVENTS_PATH, name).by_guid
        if previous_step == "before":
            time.sleep(pause)
        previous_step = name


def await_event(client: Client, foundation: SuiteApps, app: str | None, known: Collection[str]) -> None:
    """Give the target some time to record what an app was asked for: an event, neither known nor seeded."""
    for pause in foundation.poll_intervals:
        rows = resources(client.get(look.NEWEST_EVENTS, "await"))
        if any(app_of_event(row) == app and row["guid"] != app and row["guid"] not in known for row in rows):
            return
        time.sleep(pause)
    foundation.poll_intervals = SHORT_POLL_INTERVALS
