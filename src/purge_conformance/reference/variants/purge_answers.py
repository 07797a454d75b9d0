"""Variants of what a purge answers, and of what it seeds beyond what is documented."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import (
    Change,
    around,
    instead_of,
    registering,
    seeding,
    showing_events,
    together,
)
from purge_conformance.reference.store.database import by_guid
from purge_conformance.reference.store.tables import STOPPED, App, AppUsageEvent, Process
from purge_conformance.reference.store.transitions import seed_of_process, started_apps

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)


JSON = "application/json; charset=utf-8"


def _answering(body: str | None, content_type: str | None) -> Change:
    @around("purge_events")
    def change(call: Call, answer: Handler) -> Reply:
        return replace(answer(call), body=body, content_type=content_type)

    return change


variant("purge-body-empty")(_answering(None, None))
variant("purge-body-empty-json")(_answering(None, JSON))
variant("purge-body-null")(_answering("null", JSON))
variant("purge-body-blank")(_answering("\r\n", "text/plain; charset=utf-8"))
variant("purge-body-spaced")(_answering("{ }\n", JSON))
variant("purge-body-empty-array")(_answering("[]", JSON))
variant("purge-body-empty-string")(_answering('""', JSON))
variant("purge-without-content-type")(_answering("{}", None))


@variant("body-ignored")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, raw_body=b""))


def _refuse_body(call: Call, answer: Handler) -> Reply:
    """Treat any body as one that cannot be parsed, in its place after authentication."""
    return answer(replace(call, raw_body=b"{", content_type="application/json") if call.raw_body else call)


def _refuse_as_422(call: Call, _error: ApiError) -> Reply:
    return call.behaviour.refusal(problems.unprocessable("A purge takes no body"))


variant("any-body-400")(around("purge_events")(_refuse_body))
variant("any-body-422")(together(*map(around("purge_events"), (_refuse_body, instead_of(400, _refuse_as_422)))))


def _done_and_refused(call: Call, error: ApiError) -> Reply:
    call.behaviour.purge_and_reseed(call.session)
    return call.behaviour.refusal(error)


variant("failed-purge-is-done")(
    together(*(around("purge_events")(instead_of(status, _done_and_refused)) for status in (500, 503)))
)


@variant("purge-query-refused")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if call.query_string:
        raise ApiError(400, 10005, "CF-BadQueryParameter", "A purge takes no query parameters")
    return reply


def _with_worker(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    app = by_guid(call.session, App, reply.body["guid"])
    if app:
        app.processes.append(Process(type="worker"))
    return reply


def _seeding_processes(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        return [seed_of_process(process, moment) for app in started_apps(session) for process in app.processes]

    return replace(behaviour, seeds=seeds)


variant("seeds-each-process")(together(around("create_app")(_with_worker), _seeding_processes))
variant("several-processes")(around("create_app")(_with_worker))


@variant("seeds-process-type-null")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    is_seed = event["guid"] == event["process"]["guid"]
    return {**event, "process": {**event["process"], "type": None}} if is_seed else event


@variant("seeds-previous-stopped")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.previous_state = STOPPED
        event.previous_instances = event.previous_memory_in_mb = 0
    return seeds


@variant("seeds-previous-null")
@showing_events
def _(event: dict[str, Any]) -> dict[str, Any]:
    pairs = ("state", "instance_count", "memory_in_mb_per_instance")
    is_seed = event["guid"] == event["app"]["guid"]
    return event | {name: {**event[name], "previous": None} for name in pairs if is_seed}


@variant("seeds-newest-app-first")
@seeding
def _(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    return seeds[::-1]
