"""Requests that a firewall may refuse before they reach the target, since no ordinary client sends their like."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import unquote, urlsplit

from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

STEPS = {  # whose requests are unusual by their purpose
    Step.SPELLING,
    Step.OVERRIDE,
    Step.IMPERSONATION,
    Step.FORGED_TOKEN,
    Step.TOKEN_IN_URL,
    Step.CLOSE_TOKEN,
    Step.OTHER_SCHEME,
    Step.TWO_CREDENTIALS,
    Step.CLAIMS_BESIDE,
    Step.OTHER_HEADERS,
    Step.UNSPECIFIED_QUERY,
}
ORDINARY_HEADERS = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "user-agent",
}
ORDINARY_TYPES = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "*/*"}
MAX_LENGTH = 2048  # characters of an ordinary path with its query, or of a header's value
MARKUP = set("<>'\"`\\{}|")


def is_unusual(exchange: Exchange) -> bool:
    """Whether a request is unusual by its purpose, its path, its query or its headers."""
    return (
        exchange.step in STEPS
        or has_unusual_path(exchange.route)
        or _has_unusual_query(exchange)
        or _has_headers(exchange)
    )


def has_unusual_path(route: str) -> bool:
    """Whether many proxies reject such a path.

    The decoded path is not UTF-8, or it has control characters, additional slashes, parameters or segments of dots.
    """
    segments = [unquote(segment, errors="replace") for segment in route.split("/")]
    return (
        len(route) > MAX_LENGTH
        or "//" in route
        or any(
            segment in {".", ".."} or segment != segment.strip() or any(_is_suspicious(c) or c in "/;" for c in segment)
            for segment in segments
        )
    )


def _has_unusual_query(exchange: Exchange) -> bool:
    query = unquote(urlsplit(exchange.path).query, errors="replace")
    return len(exchange.path) > MAX_LENGTH or ".." in query or any(map(_is_suspicious, query))


def _is_suspicious(c: str) -> bool:
    return c in MARKUP or c == "\N{REPLACEMENT CHARACTER}" or category(c) == "Cc"


def _has_headers(exchange: Exchange) -> bool:
    for name, value in ((name.lower(), value) for name, value in exchange.request_headers):
        if name not in ORDINARY_HEADERS or len(value) > MAX_LENGTH:
            return True
        if name in {"accept", "content-type"} and value.partition(";")[0].strip().lower() not in ORDINARY_TYPES:
            return True
    return False
