"""Requests that a firewall may refuse before they reach the target, since no ordinary client sends their like."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import unquote, urlsplit

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind, GeneratedAuth

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
ORDINARY_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
MARKUP = set("<>'\"`\\{}|")


def is_unusual(exchange: Exchange) -> bool:
    """Whether a request is unusual by its purpose, its path, its query or its headers."""
    return (
        exchange.step in STEPS
        or has_unusual_path(exchange.route)
        or _has_unusual_query(exchange)
        or _has_headers(exchange)
    )


def is_suspicious(exchange: Exchange) -> bool:
    """Whether a firewall that answers with a page may have refused a request.

    It is unusual, or its method is one that many firewalls forbid, or its Authorization header holds something else
    than a bearer token, or it is a purge with a body or a query.
    """
    is_filled_purge = exchange.route == PURGE_PATH and bool(exchange.request_body or exchange.query)
    has_unusual_method = exchange.method not in ORDINARY_METHODS
    return is_unusual(exchange) or is_filled_purge or has_unusual_method or _has_unusual_authorization(exchange)


def _has_unusual_authorization(exchange: Exchange) -> bool:
    values = [value for name, value in exchange.request_headers if name.lower() == "authorization"]
    kind = exchange.tags.get(Tag.CREDENTIAL)
    return (
        kind == CredentialKind.MALFORMED
        or exchange.tags.get(Tag.AUTH) == GeneratedAuth.GENERATED
        or len(values) > 1
        or any(not value.strip() or value.endswith(".") for value in values)  # a JWT whose signature is empty
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
            segment in {".", ".."} or segment != segment.strip() or any(_is_odd(c) or c in "/;" for c in segment)
            for segment in segments
        )
    )


def _has_unusual_query(exchange: Exchange) -> bool:
    query = unquote(urlsplit(exchange.path).query, errors="replace")
    return len(exchange.path) > MAX_LENGTH or ".." in query or any(map(_is_odd, query))


def _is_odd(c: str) -> bool:
    return c in MARKUP or c == "\N{REPLACEMENT CHARACTER}" or category(c) == "Cc"


def _has_headers(exchange: Exchange) -> bool:
    for name, value in ((name.lower(), value) for name, value in exchange.request_headers):
        if name not in ORDINARY_HEADERS or len(value) > MAX_LENGTH:
            return True
        if name in {"accept", "content-type"} and value.partition(";")[0].strip().lower() not in ORDINARY_TYPES:
            return True
    return False
