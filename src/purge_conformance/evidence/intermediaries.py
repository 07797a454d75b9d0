"""What stands between suite and target, and answers in its place: gateways behind which nobody is, and proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import unquote

from purge_conformance.catalogue.api import SAFE_METHODS

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

GATEWAY_ERRORS = {502, 504}


def is_gateway_error(exchange: Exchange) -> bool:
    """Whether a gateway says, in other words than JSON, that it got no answer to what may change something.

    Such is not sent again, so that nobody sees whether the failure passes.
    """
    is_json = "json" in (exchange.header("Content-Type") or "").lower()
    return exchange.status in GATEWAY_ERRORS and exchange.method not in SAFE_METHODS and not is_json


def is_proxy_rejection(exchange: Exchange) -> bool:
    """Whether a proxy in front of the target may have refused: in other words than JSON, a path that many refuse.

    Such are, decoded, what is no UTF-8 or has control characters, further slashes, or segments of dots.
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
