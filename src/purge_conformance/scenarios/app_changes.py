"""Starts, stops and scales apps after purges; the list of events is read before the first change and after each."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.client.pagination import MAX_PAGE_SIZE, NEWEST_EVENTS, read_pages, take_snapshot
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import (
    GUARANTEED_PAGE_SIZE,
    STARTED,
    STOPPED,
    app_of_event,
    dig,
    resources,
    sample_evenly,
)
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row
    from purge_conformance.target.apps import SuiteApps

PAUSE_SECONDS = 1.0
SAMPLE_SIZE = 6  # of the destroyed events that were requested before, and are requested again
NO_VALUES: Mapping[str, Any] = MappingProxyType({})
UNUSUAL_MB = 72  # memory that no other scenario requests


@dataclass(frozen=True)
class Change:
    """A change of an app.

    Attributes:
        step: the place of the change.
        request_step: the place of its request.
        app: what it changes.
        send: sends the request; returns whether it succeeded.
        expected: what an event of it shows, member -> its current value.
    """

    step: Step
    request_step: Step
    app: App
    send: Callable[[App], bool]
    expected: dict[str, Any]


def change_apps(client: Client, apps: SuiteApps) -> None:
    """Start, stop and scale apps after a purge, most of them in a later second."""
    other = apps.existing(App.OTHER_ORG, App.TOGGLED)
    empty = apps.existing(App.WITHOUT_INSTANCES, App.STARTED)  # a started app without instances
    changes = (
        _start(Step.START, App.STOPPED, apps),
        _stop(Step.STOP, empty, apps),
        _scale(Step.SCALE, App.SCALED, apps, instances=3),
        _scale(Step.SCALE_MEMORY, App.SCALED, apps, memory_in_mb=96),
        _scale(Step.SCALE_DOWN, App.SCALED, apps, instances=0),
        _stop(Step.STOP_AGAIN, other, apps),
        _start(Step.START_AGAIN, empty, apps),
        _scale(Step.SCALE_UP, empty, apps, instances=2),
    )
    # Times have a resolution of one second, so the pause makes the later changes distinguishable from the purge.
    _apply_changes(client, apps, changes, pause=PAUSE_SECONDS)
    take_snapshot(client, Step.CLOSING)


def change_apps_after_purges(client: Client, apps: SuiteApps) -> None:
    """Start, scale and stop apps after all purges; take a snapshot, and get destroyed events again."""
    started = [app for app in apps.apps if app in apps.started]
    others = [app for app in apps.apps if app not in apps.started]
    changes = (
        *(_start(Step.START, app, apps) for app in others[:1]),
        *(_scale(Step.SCALE, app, apps, memory_in_mb=UNUSUAL_MB) for app in started[:1]),
        *(_stop(Step.STOP, app, apps) for app in started[:1]),
    )
    _apply_changes(client, apps, changes)
    take_snapshot(client, Step.CLOSING)
    for exchange in sample_evenly(client.recorded(Step.GET_DESTROYED, Scenario.PURGE), SAMPLE_SIZE):
        client.get(exchange.path, Step.GET_DESTROYED)


def await_event(
    client: Client, apps: SuiteApps, app: str | None, known: Collection[str], expected: Mapping[str, Any] = NO_VALUES
) -> None:
    """Poll for a new event of an app; it is neither known nor seeded, and shows the `expected` values, if any.

    Without the values, the event of an earlier change, which is late, would end the polls. If a page of the newest
    events is full, other events of the same second may hide the event: then a page of the largest size is read as well.
    """
    waited = 0.0
    large_page = f"{EVENTS_PATH}?order_by=-created_at&per_page={client.page_sizes.get(EVENTS_PATH, MAX_PAGE_SIZE)}"
    for pause in apps.patience.intervals:
        rows = resources(client.get(NEWEST_EVENTS, Step.AWAIT_EVENT))
        if not _is_listed(rows, app, known, expected) and len(rows) >= GUARANTEED_PAGE_SIZE:
            rows = resources(client.get(large_page, Step.AWAIT_EVENT))
        if _is_listed(rows, app, known, expected):
            apps.patience.note(waited)
            return
        time.sleep(pause)
        waited += pause
    apps.patience.note(None)


def _is_listed(rows: Iterable[Row], app: str | None, known: Collection[str], expected: Mapping[str, Any]) -> bool:
    """Whether a new event of an app that shows these values, or leaves them out, is among these."""
    new = (row for row in rows if app_of_event(row) == app and row["guid"] != app and row["guid"] not in known)
    return any(all(dig(row, name, "current") in (None, value) for name, value in expected.items()) for row in new)


def _start(step: Step, app: App, apps: SuiteApps) -> Change:
    return Change(step, Step.START_APP, app, apps.start, {"state": STARTED})


def _stop(step: Step, app: App, apps: SuiteApps) -> Change:
    return Change(step, Step.STOP_APP, app, apps.stop, {"state": STOPPED})


def _scale(step: Step, app: App, apps: SuiteApps, **size: int) -> Change:
    def send(app: App) -> bool:
        return apps.scale(app, **size)

    members = {"instances": "instance_count", "memory_in_mb": "memory_in_mb_per_instance"}
    return Change(step, Step.SCALE_APP, app, send, {members[name]: value for name, value in size.items()})


def _apply_changes(client: Client, apps: SuiteApps, changes: Iterable[Change], pause: float = 0) -> None:
    """Make each change, and read the list of events before the first one and after each; pause after the first."""
    known = read_pages(client, EVENTS_PATH, Step.OPENING).by_guid
    before = client.observation(Step.OPENING)
    for number, change in enumerate(changes):
        guid = apps.apps.get(change.app)
        after = Place(change.step, phase=Phase.AFTER)
        with client.span(change.step, Place(change.request_step, app=change.app), before=before):
            succeeded = change.send(change.app)
            client.note(notes.CHANGE, notes.AppChange(change.step, guid, succeeded, change.expected))
            if succeeded:
                await_event(client, apps, guid, known, change.expected)
            known = read_pages(client, EVENTS_PATH, after).by_guid
        before = client.observation(after)
        if number == 0:
            time.sleep(pause)
