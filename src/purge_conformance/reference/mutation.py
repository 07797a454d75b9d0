"""How faults and variants are written: a small function for one seam of the server, decorated into a `Change`.

A `Change` takes a `Behaviour` and returns another one. The decorators `fault` and `variant` register it by its id.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.query import MAX_RESULT, ListQuery
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.store.tables import App, AppUsageEvent, Process
from purge_conformance.reference.store.transitions import seed_for_app

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.store.lists import Listing

Json = dict[str, Any]
Change = Callable[[Behaviour], Behaviour]
Registrar = Callable[[str], Callable[[Change], Change]]
Wrapper = Callable[[Call, Handler], Reply]
Answer = Callable[[], Reply]
PurgeScheduler = Callable[[Behaviour, Answer, "sessionmaker[Session]"], "Awaitable[Reply]"]
Rows = Sequence[AppUsageEvent]
FindAll = Callable[[ListQuery], Rows]

FAULTS: dict[str, Change] = {}
VARIANTS: dict[str, Change] = {}

EVENT_OPERATIONS = ("list_events", "get_event", "purge_events")
TIMES = ("created_at", "updated_at")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAUSE_S = 0.5  # without any request: longer than between two requests of a snapshot, shorter than a scenario's pause


def new_registrar(changes: dict[str, Change]) -> Registrar:
    """Return the decorator that registers a change under its id in `spec/faults.yaml` or `spec/variants.yaml`."""

    def register_as(name: str) -> Callable[[Change], Change]:
        def register(change: Change) -> Change:
            if name in changes:
                raise ValueError(f"{name} is registered twice")
            changes[name] = change
            return change

        return register

    return register_as


fault, variant = new_registrar(FAULTS), new_registrar(VARIANTS)


def combine(*changes: Change) -> Change:
    """Return the change that applies several, in their order."""
    return lambda behaviour: reduce(lambda behaviour_so_far, change: change(behaviour_so_far), changes, behaviour)


def wrap_operations(*operations: str) -> Callable[[Wrapper], Change]:
    """Decorate a function that answers calls of these operations; it gets the call and the original handler."""

    def decorate(wrapper: Wrapper) -> Change:
        def change(behaviour: Behaviour) -> Behaviour:
            def wrap(operation: str, handler: Handler) -> Handler:
                inner = behaviour.wrap_handler(operation, handler)
                return (lambda call: wrapper(call, inner)) if operation in operations else inner

            return replace(behaviour, wrap_handler=wrap)

        return change

    return decorate


def wrap_all_operations(wrapper: Wrapper) -> Change:
    """Decorate a function that answers every call; it gets the call and the original handler."""

    def change(behaviour: Behaviour) -> Behaviour:
        def wrap(operation: str, handler: Handler) -> Handler:
            inner = behaviour.wrap_handler(operation, handler)
            return lambda call: wrapper(call, inner)

        return replace(behaviour, wrap_handler=wrap)

    return change


def on_error(status: int, handle: Callable[[Call, ApiError], Reply]) -> Wrapper:
    """Return a wrapper that answers errors with this status by `handle`, in the transaction of the request.

    Without it an error rolls the transaction back.
    """

    def wrapper(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            if error.status != status:
                raise
            return handle(call, error)

    return wrapper


def act_and_reject(act: Callable[[Call], object]) -> Callable[[Call, ApiError], Reply]:
    """Return a handler of `on_error` that changes something and still shows the error."""

    def handle(call: Call, error: ApiError) -> Reply:
        act(call)
        return call.behaviour.error_reply(error)

    return handle


def purge_unchecked(call: Call) -> None:
    """Purge and reseed, whatever the role of the caller."""
    call.behaviour.purge_and_reseed(call.session)


def reject_every_nth_call(n: int, reject: Callable[[Call], Reply]) -> Change:
    """Return the change that rejects every nth call of any operation before it has an effect."""

    def change(behaviour: Behaviour) -> Behaviour:
        calls = count(1)

        @wrap_all_operations
        def reject_nth(call: Call, answer: Handler) -> Reply:
            return answer(call) if next(calls) % n else reject(call)

        return reject_nth(behaviour)

    return change


def schedule_purge(schedule: PurgeScheduler) -> Change:
    """Decorate a coroutine that answers a purge; it gets the behaviour, the original answer and the sessions.

    It may wait, and other requests are answered meanwhile.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        async def schedule_call(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            if operation != "purge_events":
                return await behaviour.schedule(operation, answer, sessions)
            return await schedule(behaviour, answer, sessions)

        return replace(behaviour, schedule=schedule_call)

    return change


def after_pause(act: Callable[[Session], object]) -> Change:
    """Decorate a function that runs before the first request after each pause of the client.

    A pause is PAUSE_S without a request under way. A delayed effect ends with this event, not at a time: however slow
    the machine is, it neither comes in the middle of a snapshot nor is it missing after a scenario's pause.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        requests_under_way = 0
        last_answer = time.monotonic()

        async def schedule(operation: str, answer: Answer, sessions: sessionmaker[Session]) -> Reply:
            nonlocal requests_under_way, last_answer
            if not requests_under_way and time.monotonic() - last_answer >= PAUSE_S:
                with sessions.begin() as session:
                    act(session)
            requests_under_way += 1
            try:
                return await behaviour.schedule(operation, answer, sessions)
            finally:
                requests_under_way -= 1
                last_answer = time.monotonic()

        return replace(behaviour, schedule=schedule)

    return change


def alter_replies(alter: Callable[[Reply], Reply]) -> Change:
    """Decorate a function that changes every reply before it is sent."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, finalize=lambda reply: alter(behaviour.finalize(reply)))

    return change


def with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Return the reply with these headers added or replaced; names are in lower case."""
    return replace(reply, headers={**reply.headers, **headers})


def add_headers(headers: Mapping[str, str]) -> Change:
    """Return the change that adds these headers to every reply."""
    return alter_replies(lambda reply: with_headers(reply, headers))


@alter_replies
def without_date_header(reply: Reply) -> Reply:
    """Drop the Date header of every reply."""
    return replace(reply, headers={name: value for name, value in reply.headers.items() if name != "date"})


def alter_errors(alter: Callable[[ApiError, Reply], Reply]) -> Change:
    """Decorate a function that changes how an error is shown; it gets the error and the original reply."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, error_reply=lambda error: alter(error, behaviour.error_reply(error)))

    return change


def alter_pagination_json(alter: Callable[[Json], Json]) -> Change:
    """Decorate a function that changes the pagination object of the list of events."""

    @wrap_operations("list_events")
    def change(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body={**reply.body, "pagination": alter(reply.body["pagination"])})

    return change


def alter_event_json(alter: Callable[[Json], Json]) -> Change:
    """Decorate a function that changes how an event is shown, in the list and by itself."""

    @wrap_operations("list_events")
    def alter_list(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body={**reply.body, "resources": [alter(event) for event in reply.body["resources"]]})

    @wrap_operations("get_event")
    def alter_single(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        return replace(reply, body=alter(reply.body))

    return combine(alter_list, alter_single)


def alter_seed_json(alter: Callable[[Json], Json]) -> Change:
    """Decorate a function that returns the members of a seeded event's JSON that are replaced."""
    return alter_event_json(lambda event: event | alter(event) if event["guid"] == event["app"]["guid"] else event)


def rewrite_times(rewrite: Callable[[str], str]) -> Change:
    """Decorate a function that changes how the times of an event are written."""
    return alter_event_json(lambda event: event | {name: rewrite(event[name]) for name in TIMES})


def add_zero_fraction(timestamp: str) -> str:
    """Write a timestamp of whole seconds with milliseconds."""
    return timestamp.replace("Z", ".000Z")


def alter_query(alter: Callable[[Session, ListQuery], ListQuery]) -> Change:
    """Decorate a function that changes the query that is run; the links still show the original one."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour,
            find_events=lambda session, listing, query: behaviour.find_events(session, listing, alter(session, query)),
        )

    return change


def alter_rows(alter: Callable[[Session, ListQuery, FindAll], Rows | None]) -> Change:
    """Decorate a function that returns the events of all pages, or None to keep the original page.

    It gets the session, the query, and a function that finds the events of all pages of a query.
    """

    def change(behaviour: Behaviour) -> Behaviour:
        def find_events(session: Session, listing: Listing[AppUsageEvent], query: ListQuery) -> tuple[int, Rows]:
            def find_all(unpaged: ListQuery) -> Rows:
                return behaviour.find_events(session, listing, replace(unpaged, skip=0, take=MAX_RESULT))[1]

            rows = alter(session, query, find_all)
            if rows is None:
                return behaviour.find_events(session, listing, query)
            return len(rows), rows[query.skip : query.skip + query.take]

        return replace(behaviour, find_events=find_events)

    return change


def alter_seeds(alter: Callable[[list[AppUsageEvent]], list[AppUsageEvent]]) -> Change:
    """Decorate a function that changes the events of a purge before they are in the database."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(behaviour, make_seeds=lambda session, moment: alter(behaviour.make_seeds(session, moment)))

    return change


def choose_seeded_apps(choose: Callable[[Session], Sequence[App]]) -> Change:
    """Decorate a function that returns the apps that a purge seeds."""

    def change(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour, make_seeds=lambda session, moment: [seed_for_app(app, moment) for app in choose(session)]
        )

    return change


@wrap_operations("create_app")
def add_worker_process(call: Call, answer: Handler) -> Reply:
    """Give each new app a second process, of the type `worker`."""
    reply = answer(call)
    for app in call.session.scalars(select(App).where(App.guid == reply.body["guid"])):
        app.processes.append(Process(type="worker"))
    return reply


def skip_recording(is_skipped: Callable[[AppUsageEvent], bool]) -> Change:
    """Decorate a predicate of the events that are not recorded."""

    def change(behaviour: Behaviour) -> Behaviour:
        def record(session: Session, event: AppUsageEvent) -> None:
            if not is_skipped(event):
                behaviour.record(session, event)

        return replace(behaviour, record=record)

    return change
