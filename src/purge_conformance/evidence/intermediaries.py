"""Responses of gateways and proxies rather than of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import unquote

from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.evidence.steps import Retry, Tag

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

GATEWAY_ERRORS = {502, 504}
RATE_LIMITED = 429


def is_of_target(exchange: Exchange) -> bool:
    """Whether the target itself answered: the response is not missing, not rate limited, and not a gateway's."""
    if exchange.status in {None, RATE_LIMITED} or exchange.tags.get(Tag.SUPERSEDED) == Retry.GATEWAY:
        return False
    return not is_gateway_error(exchange)


def is_gateway_error(exchange: Exchange) -> bool:
    """Whether a gateway, in a body other than JSON, reports that it got no response to an unsafe request.

    The client does not send such a request again, so the evidence does not show whether the error is temporary.
    """
    return exchange.status in GATEWAY_ERRORS and exchange.method not in SAFE_METHODS and not _is_json(exchange)


def is_proxy_rejection(exchange: Exchange) -> bool:
    """Whether a proxy may have rejected the request: the body is not JSON, and many proxies reject such a path.

    The decoded path is not UTF-8, or it has control characters, additional slashes or segments of dots.
    """
    if not exchange.rejected or _is_json(exchange):
        return False
    segments = [unquote(segment, errors="replace") for segment in exchange.route.split("/")]
    return any(
        segment in {".", ".."} or any(c in "/\\\N{REPLACEMENT CHARACTER}" or category(c) == "Cc" for c in segment)
        for segment in segments
    )


def _is_json(exchange: Exchange) -> bool:
    return "json" in (exchange.header("Content-Type") or "").lower()
