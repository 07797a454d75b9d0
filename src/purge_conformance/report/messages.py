"""The request and the response of an exchange, to read: bounded, and JSON indented."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.evidence.safe_text import clip
from purge_conformance.evidence.url_passwords import mask_passwords
from purge_conformance.evidence.words import pluralize

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange, Headers

BODY_LIMIT = 4_000
PRETTY_LIMIT = 256 * 1024
MAX_HEADERS, MAX_NAME_CHARS, MAX_VALUE_CHARS = 100, 200, 1_000


@dataclass(frozen=True, slots=True)
class MessageView:
    """A request or a response; `about` is the size of the body, and how much of it is shown."""

    line: str
    headers: Headers
    body: str
    about: str


def request(exchange: Exchange, limit: int = BODY_LIMIT) -> MessageView:
    """Return the request; of its path and its body at most `limit` characters."""
    body, about = _body((exchange.request_body or "").encode("utf-8", "backslashreplace"), limit)
    line = f"{exchange.method} {clip(exchange.path, limit)}"
    return MessageView(line, _clip_headers(exchange.request_headers), body, about)


def response(exchange: Exchange, limit: int = BODY_LIMIT) -> MessageView:
    """Return the response, or why there is none; of its body at most `limit` characters."""
    if exchange.status is None:
        return MessageView(f"No response: {clip(exchange.error or 'reason unknown', limit)}", (), "", "")
    phrase = next((s.phrase for s in HTTPStatus if s == exchange.status), "")
    body, about = _body(exchange.body, limit)
    return MessageView(f"{exchange.status} {phrase}", _clip_headers(exchange.response_headers), body, about)


def describe_place(exchange: Exchange) -> str:
    """Return where an exchange belongs: its scenario, with the round of a repeated one, and its step."""
    return f"{exchange.scenario}{f' (round {exchange.round})' if exchange.round > 1 else ''}, step {exchange.place}"


def _body(raw: bytes, limit: int) -> tuple[str, str]:
    if not raw:
        return "", "no body"
    text, how = raw[: PRETTY_LIMIT * 2].decode("utf-8", "backslashreplace"), "unchanged"
    if len(raw) <= PRETTY_LIMIT:
        with suppress(ValueError, RecursionError):
            text, how = json.dumps(json.loads(raw), indent=2, ensure_ascii=False), "JSON, indented"
    text = mask_passwords(text)  # evidence of older suites has them
    size = f"{pluralize(len(raw), 'byte')}, {how}"
    return text[:limit], size if len(text) <= limit else f"{size}; the first {limit:,} characters"


def _clip_headers(headers: Headers) -> Headers:
    rows = [(clip(name, MAX_NAME_CHARS), clip(value, MAX_VALUE_CHARS)) for name, value in headers[:MAX_HEADERS]]
    rest = [("…", f"{len(headers) - MAX_HEADERS:,} more headers")] if len(headers) > MAX_HEADERS else []
    return tuple(rows + rest)
