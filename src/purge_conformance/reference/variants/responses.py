"""Variants of how answers are written: headers, encodings, the members of errors."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.mutation import Change, finishing, refusing, registering
from purge_conformance.reference.store.tables import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.reference.api.errors import ApiError
    from purge_conformance.reference.behaviour import Reply

VARIANTS: dict[str, Change] = {}
variant = registering(VARIANTS)

BEHIND = timedelta(seconds=20)


@variant("errors-empty-array")
@refusing
def _(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": []})


@variant("errors-extra-members")
@refusing
def _(error: ApiError, reply: Reply) -> Reply:
    details: dict[str, Any] = {"test_mode_info": {"backtrace": []}, "id": None, "status": str(error.status)}
    return replace(reply, body={"errors": [each | details for each in reply.body["errors"]], "trace": "4711"})


@variant("errors-one-by-one")
@refusing
def _(error: ApiError, reply: Reply) -> Reply:
    errors = [{"detail": text, "title": error.title, "code": error.code} for text in error.detail.split(", ")]
    return replace(reply, body={"errors": errors})


@variant("errors-of-own-codes")
@refusing
def _(error: ApiError, reply: Reply) -> Reply:
    return replace(reply, body={"errors": [{"detail": "", "title": "", "code": -error.status}]})


@variant("error-without-charset")
@refusing
def _(_error: ApiError, reply: Reply) -> Reply:
    return replace(reply, content_type="application/json")


def _with_content_type(content_type: str) -> Change:
    def finish(reply: Reply) -> Reply:
        return replace(reply, content_type=content_type) if reply.content_type else reply

    return finishing(finish)


variant("content-type-upper-case")(_with_content_type("Application/JSON; Charset=UTF-8"))
variant("content-type-with-parameters")(_with_content_type('application/json;version="3";charset=utf-8'))


@variant("no-date-header")
@finishing
def _(reply: Reply) -> Reply:
    return replace(reply, headers={name: value for name, value in reply.headers.items() if name != "date"})


@variant("gateway-clock-behind")
@finishing
def _(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "date": format_datetime(moment() - BEHIND, usegmt=True)})


@variant("challenges-the-unauthenticated")
@finishing
def _(reply: Reply) -> Reply:
    challenge = {"www-authenticate": 'Bearer realm="cf", error="invalid_token"'}
    return replace(reply, headers={**reply.headers, **challenge}) if reply.status == 401 else reply  # noqa: PLR2004


@variant("further-headers")
@finishing
def _(reply: Reply) -> Reply:
    further = {
        "set-cookie": "__VCAP_ID__=0; Path=/; HttpOnly",
        "cache-control": "no-store",
        "etag": 'W/"0"',
        "x-cf-warnings": "a%20warning",
        "x-ratelimit-remaining": "1000",
        "vary": "Accept, Accept-Encoding",
        "strict-transport-security": "max-age=31536000",
        "link": '</v3>; rel="index"',
    }
    return replace(reply, headers={**reply.headers, **further})


@variant("closes-connections")
@finishing
def _(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "connection": "close"})


def _is_json(body: Any) -> bool:  # noqa: ANN401 - whatever becomes JSON
    return body is not None and not isinstance(body, str | bytes)


@variant("json-written-otherwise")
@finishing
def _(reply: Reply) -> Reply:
    if not _is_json(reply.body):
        return reply
    return replace(reply, body=json.dumps(reply.body, indent=4, sort_keys=True).replace("&", "\\u0026") + "\n")


def _compressing(coding: str, compress: Callable[[bytes], bytes]) -> Change:
    @finishing
    def change(reply: Reply) -> Reply:
        if not _is_json(reply.body):
            return reply
        body = compress(json.dumps(reply.body).encode())
        return replace(reply, body=body, headers={**reply.headers, "content-encoding": coding})

    return change


variant("compressed")(_compressing("gzip", lambda data: gzip.compress(data, mtime=0)))
variant("deflated")(_compressing("deflate", zlib.compress))


@variant("numbers-with-fractions")
@finishing
def _(reply: Reply) -> Reply:
    if not _is_json(reply.body):
        return reply
    return replace(reply, body=re.sub(r'(": )(\d+)(?=[,}])', r"\1\2.0", json.dumps(reply.body)))
