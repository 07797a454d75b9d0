"""Errors that the user's hook provokes: a conflict, an internal error and an unavailable service, one request each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, event_path
from purge_conformance.client import pagination as look
from purge_conformance.client.client import Request
from purge_conformance.errors import HookFailed, StateUnsupported
from purge_conformance.evidence.records import HOOK_STATE, INDUCED
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

STATES = {
    409: "conflict for the next request",
    503: "service unavailable for the next request",
    500: "internal error for the next request",
}
LISTING_STEPS = {
    409: "conflict",
    503: "unavailable",
}  # status that a purge was provoked to -> the look at the list after it
READ_STATUSES = (503, 500)
ONE_EVENT_PATH = f"{EVENTS_PATH}?per_page=1"


def induce_errors(client: Client, foundation: SuiteApps) -> None:
    """Provoke each error of a purge, with an ordinary event there and a look after each; then those of list and get."""
    hook = Hook(client.settings)
    foundation.record_event()
    look.take_snapshot(client, "before")
    for status in STATES:
        _induce(client, hook, status, Request("POST", PURGE_PATH, f"purge {status}"))
        if status in LISTING_STEPS:
            look.read_pages(client, EVENTS_PATH, f"{LISTING_STEPS[status]}.events")
    rows = look.take_snapshot(client, "after").rows
    for status in READ_STATUSES:
        _induce(client, hook, status, Request("GET", ONE_EVENT_PATH, f"list {status}"))
        for row in rows[:1]:
            _induce(client, hook, status, Request("GET", event_path(row["guid"]), f"get {status}"))


def _induce(client: Client, hook: Hook, status: int, request: Request) -> None:
    """Let the hook set the state, and send what ought to meet it; note why it did not."""
    try:
        problem, failed = _why_not_met(client, hook, status, request), False
    except (StateUnsupported, HookFailed) as reason:
        problem, failed = str(reason), isinstance(reason, HookFailed)
    if problem:
        client.note(request.step, {"status": status, "failed": failed, "reason": problem})


def _why_not_met(client: Client, hook: Hook, status: int, request: Request) -> str:
    """Return why the error was not seen; empty if it was. What nothing met is ended, lest a later request meets it."""
    state, operation = STATES[status], request.step.partition(" ")[0]
    hook.set_up(state, operation=operation)
    response = None
    try:
        response = client.send(replace(request, tags={INDUCED: str(status), HOOK_STATE: state}))
    finally:
        if response is None or response.status != status:
            hook.tear_down(state, operation=operation)
    if response.status == status:
        return ""
    return f"the hook said that it had set the state {state!r}, and the {operation} answered {response.status}"
