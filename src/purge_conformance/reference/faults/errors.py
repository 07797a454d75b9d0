"""Faults of errors: envelopes of a single status, wrong statuses, and secrets in responses."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from purge_conformance.reference.api.errors import ApiError, uaa_rate_limited
from purge_conformance.reference.api.usage_events import PATH, PURGE_PATH
from purge_conformance.reference.behaviour import Behaviour, Call, Handler, Reply
from purge_conformance.reference.mutation import (
    EVENT_OPERATIONS,
    UUID,
    Change,
    Json,
    alter_errors,
    alter_event_json,
    fault,
    on_error,
    reject_every_nth_call,
    with_headers,
    wrap_operations,
)
from purge_conformance.reference.store.tables import AppUsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session


STACK_TRACE = """NoMethodError: undefined method `guid' for nil
app/controllers/v3/app_usage_events_controller.rb:41:in `show'
lib/rack/auth.rb:12:in `call'"""
SECRET_URL = "https://builder:s3cret-w0rd@git.example.org/buildpack.git"  # noqa: S105 - not a real one
DATABASE_URL = "postgres://api:s3cret-w0rd@db.internal:5524/api"


def _alter_body(status: int, alter: Callable[[Json], Any]) -> Change:
    """Return the change that alters the body of all errors with one status."""

    @alter_errors
    def change(error: ApiError, reply: Reply) -> Reply:
        return replace(reply, body=alter(reply.body)) if error.status == status else reply

    return change


def _set_member(name: str, value: Any) -> Callable[[Json], Json]:  # noqa: ANN401 - any JSON value
    return lambda body: {"errors": [{**body["errors"][0], name: value}]}


def _drop_member(name: str) -> Callable[[Json], Json]:
    return lambda body: {"errors": [{key: value for key, value in body["errors"][0].items() if key != name}]}


def _write_as(write: Callable[[str], str | bytes]) -> Callable[[Json], str | bytes]:
    return lambda body: write(json.dumps(body))


def _set_content_type(status: int, content_type: str | None) -> Change:
    @alter_errors
    def change(error: ApiError, reply: Reply) -> Reply:
        return replace(reply, content_type=content_type) if error.status == status else reply

    return change


fault("code-of-401-string")(_alter_body(401, _set_member("code", "10002")))
fault("code-of-422-null")(_alter_body(422, _set_member("code", None)))
fault("title-of-403-missing")(_alter_body(403, _drop_member("title")))
fault("error-422-cut-short")(_alter_body(422, _write_as(lambda text: text[:-2])))
fault("detail-of-409-missing")(_alter_body(409, _drop_member("detail")))
fault("title-of-500-number")(_alter_body(500, _set_member("title", 10001)))
fault("code-of-list-503-missing")(
    wrap_operations("list_events")(on_error(503, lambda _, error: _error_with(error, code=None)))
)
fault("error-400-as-text")(_set_content_type(400, "text/plain; charset=utf-8"))


def _swap_code(right: int, wrong: int) -> Change:
    """Return the change that shows one documented code in place of another."""

    @alter_errors
    def change(error: ApiError, reply: Reply) -> Reply:
        return replace(reply, body=_set_member("code", wrong)(reply.body)) if error.code == right else reply

    return change


fault("no-token-coded-as-invalid")(_swap_code(10002, 1000))
fault("invalid-token-coded-as-none")(_swap_code(1000, 10002))
fault("forbidden-coded-as-not-found")(_swap_code(10003, 10010))
fault("no-event-coded-as-no-route")(_swap_code(10010, 10000))
fault("unknown-error-coded-as-unavailable")(_swap_code(10001, 10015))
fault("bad-parameter-coded-as-bad-body")(_swap_code(10008, 1001))


@fault("unknown-action-400")
@wrap_operations("unknown_request")
def unknown_action_400(call: Call, answer: Handler) -> Reply:
    if call.path.startswith(f"{PATH}/actions/no_"):
        raise ApiError(400, 10004, "CF-InvalidRequest", "There is no such action")
    return answer(call)


@fault("unknown-route-lists-no-error")
@wrap_operations("unknown_request")
def unknown_route_lists_no_error(call: Call, answer: Handler) -> Reply:
    return Reply(status=HTTPStatus.NOT_FOUND, body={"errors": []}) if call.path.startswith(PATH) else answer(call)


def _error_with(error: ApiError, **members: object) -> Reply:
    """Return the reply that shows an error with these members replaced."""
    body = {"detail": error.detail, "title": error.title, "code": error.code}
    return Reply(status=error.status, body={"errors": [body | members]})


@fault("code-of-405-string")
@wrap_operations("unknown_request")
def code_of_405_string(call: Call, answer: Handler) -> Reply:
    if call.method in {"PUT", "PATCH", "DELETE"}:
        reply = _error_with(ApiError(405, 10000, "CF-MethodNotAllowed", "Method not allowed"), code="10000")
        return with_headers(reply, {"allow": "POST" if call.path == PURGE_PATH else "GET, HEAD"})
    return answer(call)


@fault("repeated-parameter-418")
@wrap_operations("list_events")
def repeated_parameter_418(call: Call, answer: Handler) -> Reply:
    if call.query_string.count(b"page=") > 1 and call.query_string.count(b"per_page=") == 0:
        raise ApiError(418, 10000, "CF-Teapot", "The same parameter twice")
    return answer(call)


def _limit_rate(error: ApiError, headers: Mapping[str, str]) -> Change:
    """Return the change that rejects a request now and then, rarely, as a client waits after each."""
    return reject_every_nth_call(120, lambda call: with_headers(call.behaviour.error_reply(error), headers))


_uaa_limit = uaa_rate_limited()
fault("uaa-limit-without-time")(_limit_rate(_uaa_limit, {}))
fault("uaa-limit-with-code-of-another")(
    _limit_rate(ApiError(429, 10013, _uaa_limit.title, _uaa_limit.detail), {"retry-after": "0"})
)


def _reject_malformed_guid(call: Call, error: ApiError) -> Reply:
    if UUID.fullmatch(call.path_parameters["guid"]):
        raise error
    raise ApiError(400, 10004, "CF-InvalidRequest", "The guid is not a UUID")


fault("malformed-guid-400")(wrap_operations("get_event")(on_error(404, _reject_malformed_guid)))


@fault("destroyed-event-410")
def destroyed_event_410(behaviour: Behaviour) -> Behaviour:
    destroyed_guids: set[str] = set()

    def destroy(session: Session) -> None:
        destroyed_guids.update(session.scalars(select(AppUsageEvent.guid)))
        behaviour.destroy(session)

    @wrap_operations("get_event")
    def answer_410(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            guid = call.path_parameters["guid"]
            if (
                error.status == HTTPStatus.NOT_FOUND
                and guid in destroyed_guids
                and behaviour.find_event(call.session, guid) is None
            ):
                raise ApiError(410, 10010, "CF-ResourceGone", "App usage event destroyed") from error
            raise

    return answer_410(replace(behaviour, destroy=destroy))


def _quote_authorization(quote: Callable[[str], str]) -> Change:
    """Return the change that quotes the Authorization header of a request in the detail of its error."""

    @wrap_operations(*EVENT_OPERATIONS)
    def change(call: Call, answer: Handler) -> Reply:
        try:
            return answer(call)
        except ApiError as error:
            if call.authorization is None:
                raise
            detail = f"{error.detail}: {quote(call.authorization)}"
            return call.behaviour.error_reply(ApiError(error.status, error.code, error.title, detail))

    return change


fault("refusal-repeats-token")(_quote_authorization(str))
fault("refusal-encodes-token")(_quote_authorization(lambda value: base64.b64encode(value.encode()).decode()))


@fault("header-repeats-token")
@wrap_operations("purge_events")
def header_repeats_token(call: Call, answer: Handler) -> Reply:
    return with_headers(answer(call), {"x-authenticated-by": call.authorization or ""})


fault("stack-trace-in-500")(_alter_body(500, _set_member("detail", STACK_TRACE)))
fault("error-shows-database")(_alter_body(500, _set_member("detail", f"no connection to {DATABASE_URL}")))


@fault("header-shows-password")
@wrap_operations("list_events")
def header_shows_password(call: Call, answer: Handler) -> Reply:
    return with_headers(answer(call), {"x-served-from": DATABASE_URL})


@fault("buildpack-shows-password")
@alter_event_json
def buildpack_shows_password(event: Json) -> Json:
    return {**event, "buildpack": {**event["buildpack"], "name": SECRET_URL}}


@fault("list-as-text")
@wrap_operations("list_events")
def list_as_text(call: Call, answer: Handler) -> Reply:
    return replace(answer(call), content_type="text/plain; charset=utf-8")
