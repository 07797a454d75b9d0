"""Faults of errors: of the envelope on one status alone, of statuses, and of what an error gives away."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from purge_conformance.reference.api.errors import ApiError
from purge_conformance.reference.api.usage_events import PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import Change, around, instead_of, refusing, registering, showing_events
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

FAULTS: dict[str, Change] = {}
fault = registering(FAULTS)

Json = dict[str, Any]
NOT_FOUND = 404
TRACE = """NoMethodError: undefined method `guid' for nil
app/controllers/v3/app_usage_events_controller.rb:41:in `show'
lib/rack/auth.rb:12:in `call'"""
SECRET_URL = "https://builder:s3cret-w0rd@git.example.org/buildpack.git"  # noqa: S105 - nothing is behind it
DATABASE_URL = "postgres://api:s3cret-w0rd@db.internal:5524/api"


def _on(status: int, alter: Callable[[Json], Any]) -> Change:
    """Alter the body of every refusal with one status."""

    @refusing
    def change(error: ApiError, reply: Reply) -> Reply:
        return replace(reply, body=alter(reply.body)) if error.status == status else reply

    return change


def _member(name: str, value: Any) -> Callable[[Json], Json]:  # noqa: ANN401 - JSON is anything
    return lambda body: {"errors": [{**body["errors"][0], name: value}]}


def _without(name: str) -> Callable[[Json], Json]:
    return lambda body: {"errors": [{key: value for key, value in body["errors"][0].items() if key != name}]}


def _written(write: Callable[[str], str | bytes]) -> Callable[[Json], str | bytes]:
    return lambda body: write(json.dumps(body))


def _labelled(status: int, content_type: str | None) -> Change:
    @refusing
    def change(error: ApiError, reply: Reply) -> Reply:
        return replace(reply, content_type=content_type) if error.status == status else reply

    return change


fault("code-of-401-string")(_on(401, _member("code", "10002")))
fault("code-of-422-null")(_on(422, _member("code", None)))
fault("title-of-403-missing")(_on(403, _without("title")))
fault("error-422-cut-short")(_on(422, _written(lambda text: text[:-2])))
fault("detail-of-409-missing")(_on(409, _without("detail")))
fault("title-of-500-number")(_on(500, _member("title", 10001)))
fault("code-of-list-503-missing")(around("list_events")(instead_of(503, lambda _, error: _shown(error, code=None))))
fault("error-400-as-text")(_labelled(400, "text/plain; charset=utf-8"))


def _coded(right: int, wrong: int) -> Change:
    """Show one code as another that is documented too."""

    @refusing
    def change(error: ApiError, reply: Reply) -> Reply:
        return replace(reply, body=_member("code", wrong)(reply.body)) if error.code == right else reply

    return change


fault("no-token-coded-as-invalid")(_coded(10002, 1000))
fault("invalid-token-coded-as-none")(_coded(1000, 10002))
fault("forbidden-coded-as-not-found")(_coded(10003, 10010))
fault("no-event-coded-as-no-route")(_coded(10010, 10000))
fault("unknown-error-coded-as-unavailable")(_coded(10001, 10015))
fault("bad-parameter-coded-as-bad-body")(_coded(10008, 1001))


@fault("unknown-action-400")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    if call.path.startswith(f"{PATH}/actions/no_"):
        raise ApiError(400, 10004, "CF-InvalidRequest", "There is no such action")
    return answer(call)


@fault("unknown-route-lists-no-error")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    return Reply(status=NOT_FOUND, body={"errors": []}) if call.path.startswith(PATH) else answer(call)


def _shown(error: ApiError, **members: object) -> Reply:
    """Show an error with members that are wrong."""
    body = {"detail": error.detail, "title": error.title, "code": error.code}
    return Reply(status=error.status, body={"errors": [body | members]})


@fault("code-of-405-string")
@around("unknown_request")
def _(call: Call, answer: Handler) -> Reply:
    if call.method in {"PUT", "PATCH", "DELETE"}:
        return _shown(ApiError(405, 10000, "CF-MethodNotAllowed", "Method not allowed"), code="10000")
    return answer(call)


@fault("repeated-parameter-418")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    if call.query_string.count(b"page=") > 1 and call.query_string.count(b"per_page=") == 0:
        raise ApiError(418, 10000, "CF-Teapot", "The same parameter twice")
    return answer(call)


@fault("destroyed-event-410")
def _(behaviour: Behaviour) -> Behaviour:
    past: set[str] = set()

    def destroy(session: Session) -> None:
        past.update(session.scalars(select(AppUsageEvent.guid)))
        behaviour.destroy(session)

    @around("get_event")
    def gone(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            guid = call.parts["guid"]
            if error.status == NOT_FOUND and guid in past and behaviour.find_event(call.session, guid) is None:
                raise ApiError(410, 10010, "CF-ResourceGone", "App usage event destroyed") from error
            raise

    return gone(replace(behaviour, destroy=destroy))


@fault("refusal-repeats-token")
@around("list_events", "get_event", "purge_events")
def _(call: Call, answer: Handler) -> Reply:
    try:
        return answer(call)
    except ApiError as error:
        if call.authorization is None:
            raise
        detail = f"{error.detail}: {call.authorization}"
        return call.behaviour.refusal(ApiError(error.status, error.code, error.title, detail))


@fault("header-repeats-token")
@around("purge_events")
def _(call: Call, answer: Handler) -> Reply:
    reply = answer(call)
    return replace(reply, headers={**reply.headers, "x-authenticated-by": call.authorization or ""})


fault("stack-trace-in-500")(_on(500, _member("detail", TRACE)))
fault("error-shows-database")(_on(500, _member("detail", f"no connection to {DATABASE_URL}")))


@fault("buildpack-shows-password")
@showing_events
def _(event: Json) -> Json:
    return {**event, "buildpack": {**event["buildpack"], "name": SECRET_URL}}


@fault("list-as-text")
@around("list_events")
def _(call: Call, answer: Handler) -> Reply:
    return replace(answer(call), content_type="text/plain; charset=utf-8")
