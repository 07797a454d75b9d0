"""Errors that the user's hook induces: a conflict, an unavailable service and an internal error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.client.client import Request
from purge_conformance.client.pagination import read_pages, take_snapshot
from purge_conformance.errors import HookFailed, StateUnsupported
from purge_conformance.evidence import notes
from purge_conformance.evidence.induced import INDUCED_OPERATIONS, INDUCED_STATUSES
from purge_conformance.evidence.listing import usable_rows
from purge_conformance.evidence.steps import Part, Place, Step, Tag
from purge_conformance.target.doctor.probe import ONE_EVENT_PATH
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Listing
    from purge_conformance.target.apps import SuiteApps

STATES = {
    409: "conflict for the next request",
    503: "service unavailable for the next request",
    500: "internal error for the next request",
}
OBSERVATIONS = {409: Step.AFTER_CONFLICT, 503: Step.AFTER_UNAVAILABLE, 500: Step.CLOSING}  # after a purge with a status
READ_STATUSES = (503, 500)


def induce_errors(client: Client, apps: SuiteApps) -> None:
    """Induce each error of a purge, with a recorded event there and an observation after each; then those of reads.

    If an error emptied the list, a plain purge restores something to lose before the next one.
    """
    hook = Hook(client.settings, client.guard.time_limit)
    apps.record_event()
    events = take_snapshot(client, Step.OPENING)
    before = client.observation(Step.OPENING)
    statuses = INDUCED_STATUSES[: client.planned_purges]
    restorations = client.planned_purges - len(statuses)
    had_events = False  # before the last error
    for status in statuses:
        if had_events and not events.rows and restorations:
            restorations -= 1
            events, before = _restore(client, apps, status)
        had_events, after = bool(events.rows), OBSERVATIONS[status]
        with client.span(Step.INDUCED_PURGE, before=before, after=after):
            _induce(client, hook, status, Request("POST", PURGE_PATH, Step.INDUCED_PURGE))
            events = _observe(client, after)
        before = client.observation(after)
    for status in READ_STATUSES:
        _induce(client, hook, status, Request("GET", ONE_EVENT_PATH, Step.INDUCED_LIST))
        for row in usable_rows(events.rows)[:1]:
            _induce(client, hook, status, Request("GET", event_path(row["guid"]), Step.INDUCED_GET))


def _restore(client: Client, apps: SuiteApps, status: int) -> tuple[Listing, tuple[int, ...]]:
    """Purge and record an event before the next error; return the events, and the numbers of the exchanges."""
    client.post(PURGE_PATH, Step.PURGE)
    apps.record_event()
    place = Place(Step.RESTORED, status)
    return read_pages(client, EVENTS_PATH, place.of(Part.EVENTS)), client.observation(place)


def _observe(client: Client, where: Step) -> Listing:
    """Read the events, and at the end also the apps and the processes; return the events."""
    if where is Step.CLOSING:
        return take_snapshot(client, where)
    return read_pages(client, EVENTS_PATH, Place(where, part=Part.EVENTS))


def _induce(client: Client, hook: Hook, status: int, request: Request) -> None:
    """Have the hook set up the state and send the request; note why it did not get the error."""
    try:
        problem, failed = _send_in_state(client, hook, status, request), False
    except (StateUnsupported, HookFailed) as reason:
        problem, failed = str(reason), isinstance(reason, HookFailed)
    if problem:
        operation = INDUCED_OPERATIONS[request.place.step]
        client.note(notes.NOT_INDUCED, notes.NotInduced(operation, status, failed, problem))


def _send_in_state(client: Client, hook: Hook, status: int, request: Request) -> str:
    """Return why the request did not get the error, or an empty string.

    A state that had no effect is torn down, so that no later request gets the error.
    """
    state, operation = STATES[status], INDUCED_OPERATIONS[request.place.step]
    hook.set_up(state, operation=operation)
    response = None
    try:
        response = client.send(replace(request, tags={Tag.INDUCED: str(status), Tag.STATE: state}))
    finally:
        if response is None or response.status != status:
            hook.tear_down(state, operation=operation)
    if response.status == status:
        return ""
    return f"the hook reported that it set the state {state!r}, but the {operation} was answered {response.status}"
