"""evidence.har: the exchanges of a run as an HTTP Archive 1.2, for the tools that show and replay one.

Headers and bodies are those of the evidence, in which secrets are redacted. It is written exchange by exchange: at most
one body is in memory. Long bodies are cut, and from a total size on left out; a comment says so.
"""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from purge_conformance import __version__
from purge_conformance.evidence.clock import format_rfc3339
from purge_conformance.evidence.safe_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.evidence.records import Evidence, Exchange, Headers

    Json = dict[str, Any]

FILE_NAME = "evidence.har"
BODY_BYTES = 1024 * 1024  # of one body
TOTAL_BYTES = 64 * 1024 * 1024  # of all bodies
HTTP_VERSION = "HTTP/1.1"  # the only one that the suite's client speaks
URL_CHARS = "/?#[]@!$&'()*+,;=:%-._~"  # that stay as they are


def render(evidence: Evidence) -> Iterator[str]:
    """Yield the archive of a run's evidence in parts, in ASCII."""
    creator = {"name": "purge-conformance", "version": __version__}
    yield f'{{"log": {{"version": "1.2", "creator": {json.dumps(creator)}, "entries": ['
    room = TOTAL_BYTES
    for number, exchange in enumerate(evidence.exchanges):
        body = exchange.body  # read from the file once
        shown = _cut(body, BODY_BYTES)
        shown = shown if len(shown) <= room else b""
        room -= len(shown)
        entry = _entry(exchange, evidence.header.target) | {"response": _response(exchange, body, shown)}
        yield f"{',' if number else ''}\n{json.dumps(entry)}"
    yield "\n]}}\n"


def _cut(body: bytes, bound: int) -> bytes:
    """Return at most `bound` bytes of a body, without the beginning of a character at their end."""
    if len(body) <= bound:
        return body
    while bound and body[bound] & 0xC0 == 0x80:  # noqa: PLR2004 -- UTF-8: not the first byte of a character
        bound -= 1
    return body[:bound]


def _entry(x: Exchange, target: str) -> Json:
    """Return all members of an entry but its response."""
    milliseconds = round(1000 * x.elapsed, 3)
    entry: Json = {
        "startedDateTime": format_rfc3339(x.sent_at),
        "time": milliseconds,
        "request": _request(x, target),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_exchange": x.n,
        "_scenario": str(x.scenario),
        "_step": str(x.step),
        "_role": x.role,
    }
    return entry | ({"comment": visible(x.error or "There is no response.")} if x.status is None else {})


def _request(x: Exchange, target: str) -> Json:
    request: Json = {
        "method": x.method,
        "url": quote(target + x.path, safe=URL_CHARS),
        "httpVersion": HTTP_VERSION,
        "cookies": [],  # the headers have them
        "headers": _headers(x.request_headers),
        "queryString": _pairs(parse_qsl(urlsplit(x.path).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len((x.request_body or "").encode("utf-8", "surrogatepass")),
    }
    if x.request_body is not None:
        request["postData"] = {"mimeType": _media_type(x.request_headers), "text": x.request_body}
    return request


def _response(x: Exchange, body: bytes, shown: bytes) -> Json:
    status = x.status or 0  # as browsers write it where there is none
    return {
        "status": status,
        "statusText": next((each.phrase for each in HTTPStatus if each == status), ""),
        "httpVersion": HTTP_VERSION,
        "cookies": [],
        "headers": _headers(x.response_headers),
        "content": _content(x, body, shown),
        "redirectURL": x.header("Location") or "",
        "headersSize": -1,
        "bodySize": len(body) if x.status else -1,
    }


def _content(x: Exchange, body: bytes, shown: bytes) -> Json:
    content: Json = {"size": len(body), "mimeType": _media_type(x.response_headers)}
    if len(shown) < len(body):
        what = f"Only the first {len(shown):,} of {len(body):,} bytes are" if shown else "The body is not"
        content["comment"] = f"{what} here; evidence.jsonl has all of it."
    try:
        return content | {"text": shown.decode()}
    except UnicodeDecodeError:
        return content | {"text": base64.b64encode(shown).decode("ascii"), "encoding": "base64"}


def _headers(headers: Headers) -> list[Json]:
    return _pairs(list(headers))


def _pairs(pairs: list[tuple[str, str]]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def _media_type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")
