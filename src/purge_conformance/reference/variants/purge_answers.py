"""Variants of what a purge answers and seeds where the documentation is silent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.mutation import (
    Change,
    Json,
    act_and_reject,
    add_worker_process,
    alter_event_json,
    alter_seed_json,
    alter_seeds,
    combine,
    on_error,
    purge_unchecked,
    variant,
    wrap_operations,
)
from purge_conformance.reference.store.tables import STOPPED, AppUsageEvent
from purge_conformance.reference.store.transitions import find_started_apps, seed_for_process

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply


JSON = "application/json; charset=utf-8"


def _answer_with(body: str | None, content_type: str | None) -> Change:
    @wrap_operations("purge_events")
    def change(call: Call, answer: Handler) -> Reply:
        return replace(answer(call), body=body, content_type=content_type)

    return change


variant("purge-body-empty")(_answer_with(None, None))
variant("purge-body-empty-json")(_answer_with(None, JSON))
variant("purge-body-null")(_answer_with("null", JSON))
variant("purge-body-blank")(_answer_with("\r\n", "text/plain; charset=utf-8"))
variant("purge-body-spaced")(_answer_with("{ }\n", JSON))
variant("purge-body-empty-array")(_answer_with("[]", JSON))
variant("purge-body-empty-string")(_answer_with('""', JSON))
variant("purge-without-content-type")(_answer_with("{}", None))


@variant("body-ignored")
@wrap_operations("purge_events")
def body_ignored(call: Call, answer: Handler) -> Reply:
    return answer(replace(call, raw_body=b""))


def _reject_body(call: Call, answer: Handler) -> Reply:
    """Treat any body as one that cannot be parsed; authentication still comes first."""
    return answer(replace(call, raw_body=b"{", content_type="application/json") if call.raw_body else call)


def _reject_as_422(call: Call, _error: ApiError) -> Reply:
    return call.behaviour.error_reply(problems.unprocessable("A purge takes no body"))


variant("any-body-400")(wrap_operations("purge_events")(_reject_body))
variant("any-body-422")(combine(*map(wrap_operations("purge_events"), (_reject_body, on_error(400, _reject_as_422)))))


variant("failed-purge-is-done")(
    combine(
        *(wrap_operations("purge_events")(on_error(status, act_and_reject(purge_unchecked))) for status in (500, 503))
    )
)


@variant("purge-query-refused")
@wrap_operations("purge_events")
def purge_query_refused(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    if call.query_string:
        raise ApiError(400, 10005, "CF-BadQueryParameter", "A purge takes no query parameters")
    return reply


def _seed_each_process(behaviour: Behaviour) -> Behaviour:
    def seeds(session: Session, moment: str) -> list[AppUsageEvent]:
        return [seed_for_process(process, moment) for app in find_started_apps(session) for process in app.processes]

    return replace(behaviour, make_seeds=seeds)


variant("seeds-each-process")(combine(add_worker_process, _seed_each_process))
variant("several-processes")(add_worker_process)


@variant("seeds-process-type-null")
@alter_event_json
def seeds_process_type_null(event: Json) -> Json:
    is_seed = event["guid"] == event["process"]["guid"]
    return {**event, "process": {**event["process"], "type": None}} if is_seed else event


@variant("seeds-previous-stopped")
@alter_seeds
def seeds_previous_stopped(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    for event in seeds:
        event.previous_state = STOPPED
        event.previous_instances = event.previous_memory_in_mb = 0
    return seeds


@variant("seeds-previous-null")
@alter_seed_json
def seeds_previous_null(event: Json) -> Json:
    return {
        name: {**event[name], "previous": None} for name in ("state", "instance_count", "memory_in_mb_per_instance")
    }


@variant("seeds-newest-app-first")
@alter_seeds
def seeds_newest_app_first(seeds: list[AppUsageEvent]) -> list[AppUsageEvent]:
    return seeds[::-1]
