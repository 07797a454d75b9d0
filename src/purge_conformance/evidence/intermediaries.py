"""Recognizes responses of gateways and proxies rather than of the target."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import unquote

from purge_conformance.catalogue.api import SAFE_METHODS

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

GATEWAY_ERRORS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
# Statuses that say nothing about the target except that it did not handle the request now.
TEMPORARY_FAILURES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, *GATEWAY_ERRORS})


def is_gateway_error(exchange: Exchange) -> bool:
    """Whether a gateway answered an unsafe request with 502 or 504 and without JSON.

    The client does not send such a request again, so it is unknown whether the failure is temporary.
    """
    is_json = "json" in (exchange.header("Content-Type") or "").lower()
    return exchange.status in GATEWAY_ERRORS and exchange.method not in SAFE_METHODS and not is_json


def is_proxy_rejection(exchange: Exchange) -> bool:
    """Whether a proxy in front of the target may have rejected the path with 4xx and without JSON.

    Proxies reject a path that, decoded, is not UTF-8 or has control characters, extra slashes or segments of dots.
    """
    if not 400 <= (exchange.status or 0) < 500:  # noqa: PLR2004 -- the client's fault
        return False
    if "json" in (exchange.header("Content-Type") or "").lower():
        return False
    segments = [unquote(segment, errors="replace") for segment in exchange.route.split("/")]
    return any(
        segment in {".", ".."} or any(c in "/\\\N{REPLACEMENT CHARACTER}" or category(c) == "Cc" for c in segment)
        for segment in segments
    )
