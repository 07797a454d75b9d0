"""Variants of how responses are written: headers, encodings, members of errors."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.mutation import (
    Change,
    add_headers,
    alter_errors,
    alter_replies,
    variant,
    with_headers,
    without_date_header,
)
from purge_conformance.reference.store.tables import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Reply


CLOCK_LAG = timedelta(seconds=20)


@variant("errors-empty-array")
@alter_errors
def errors_empty_array(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": []})


@variant("errors-extra-members")
@alter_errors
def errors_extra_members(error: ApiError, reply: Reply) -> Reply:
    details: dict[str, Any] = {"test_mode_info": {"backtrace": []}, "id": None, "status": str(error.status)}
    return replace(
        reply, body={"errors": [error_object | details for error_object in reply.body["errors"]], "trace": "4711"}
    )


@variant("errors-one-by-one")
@alter_errors
def errors_one_by_one(error: ApiError, reply: Reply) -> Reply:
    errors = [{"detail": text, "title": error.title, "code": error.code} for text in error.detail.split(", ")]
    return replace(reply, body={"errors": errors})


@variant("errors-of-own-codes")
@alter_errors
def errors_of_own_codes(error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": [{"detail": "", "title": "", "code": -error.status}]})


@variant("error-without-charset")
@alter_errors
def error_without_charset(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, content_type="application/json")


def _set_content_type(content_type: str) -> Change:
    def finish(reply: Reply) -> Reply:
        return replace(reply, content_type=content_type) if reply.content_type else reply

    return alter_replies(finish)


variant("content-type-upper-case")(_set_content_type("Application/JSON; Charset=UTF-8"))
variant("content-type-with-parameters")(_set_content_type('application/json;version="3";charset=utf-8'))


variant("no-date-header")(without_date_header)


@variant("gateway-clock-behind")
@alter_replies
def gateway_clock_behind(reply: Reply) -> Reply:
    return with_headers(reply, {"date": format_datetime(utc_now() - CLOCK_LAG, usegmt=True)})


@variant("challenges-the-unauthenticated")
@alter_replies
def challenges_the_unauthenticated(reply: Reply) -> Reply:
    challenge = {"www-authenticate": 'Bearer realm="cf", error="invalid_token"'}
    return with_headers(reply, challenge) if reply.status == HTTPStatus.UNAUTHORIZED else reply


FURTHER_HEADERS = {
    "set-cookie": "__VCAP_ID__=0; Path=/; HttpOnly",
    "cache-control": "no-store",
    "etag": 'W/"0"',
    "x-cf-warnings": "a%20warning",
    "x-served-from": "postgres://api:***@db.internal:5524/api",
    "x-ratelimit-remaining": "1000",
    "vary": "Accept, Accept-Encoding",
    "strict-transport-security": "max-age=31536000",
    "link": '</v3>; rel="index"',
}

variant("further-headers")(add_headers(FURTHER_HEADERS))
variant("closes-connections")(add_headers({"connection": "close"}))


def _is_json(body: Any) -> bool:  # noqa: ANN401 - any body of a reply
    return body is not None and not isinstance(body, str | bytes)


@variant("json-written-otherwise")
@alter_replies
def json_written_otherwise(reply: Reply) -> Reply:
    if not _is_json(reply.body):
        return reply
    return replace(reply, body=json.dumps(reply.body, indent=4, sort_keys=True).replace("&", "\\u0026") + "\n")


def _compress_with(coding: str, compress: Callable[[bytes], bytes]) -> Change:
    @alter_replies
    def change(reply: Reply) -> Reply:
        if not _is_json(reply.body):
            return reply
        body = compress(json.dumps(reply.body).encode())
        return with_headers(replace(reply, body=body), {"content-encoding": coding})

    return change


variant("compressed")(_compress_with("gzip", lambda data: gzip.compress(data, mtime=0)))
variant("deflated")(_compress_with("deflate", zlib.compress))


@variant("numbers-with-fractions")
@alter_replies
def numbers_with_fractions(reply: Reply) -> Reply:
    if not _is_json(reply.body):
        return reply
    return replace(reply, body=re.sub(r'(": )(\d+)(?=[,}])', r"\1\2.0", json.dumps(reply.body)))
