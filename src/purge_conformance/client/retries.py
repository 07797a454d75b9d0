"""Which responses are requested again, how often, and after which delay."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.evidence import clock
from purge_conformance.evidence.steps import Retry, Tag

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

RETRY_ANY: dict[int | None, Retry] = {
    HTTPStatus.TOO_MANY_REQUESTS: Retry.RATE_LIMIT,
    HTTPStatus.SERVICE_UNAVAILABLE: Retry.UNAVAILABLE,
}
# Only safe methods are sent again after these. 502, 504 and a broken connection come from what stands between the suite
# and the target. A 500 is the target's own: one judgment looks for it, and all others see the second response.
RETRY_SAFE_METHODS: dict[int | None, Retry] = {
    HTTPStatus.INTERNAL_SERVER_ERROR: Retry.FAILURE,
    HTTPStatus.BAD_GATEWAY: Retry.GATEWAY,
    HTTPStatus.GATEWAY_TIMEOUT: Retry.GATEWAY,
    None: Retry.CONNECTION,
}
MAX_RETRIES: dict[int | None, int] = {
    HTTPStatus.UNAUTHORIZED: 5,
    HTTPStatus.TOO_MANY_REQUESTS: 5,
    HTTPStatus.INTERNAL_SERVER_ERROR: 1,
    HTTPStatus.SERVICE_UNAVAILABLE: 2,
    HTTPStatus.BAD_GATEWAY: 2,
    HTTPStatus.GATEWAY_TIMEOUT: 2,
    None: 1,
}
MAX_RETRY_AFTER_S = 10.0  # the longest Retry-After that the suite waits for
CONNECTION_ERRORS = re.compile(
    "RemoteDisconnected|IncompleteRead|ConnectionResetError|ConnectionAbortedError|ConnectionRefusedError|BrokenPipeError"
)


def retry_reason(answer: Exchange) -> str:
    """Return why a request is sent again; empty if its response counts."""
    if answer.status is None and not CONNECTION_ERRORS.match(answer.error or ""):
        return ""
    if answer.status in {*RETRY_ANY, HTTPStatus.INTERNAL_SERVER_ERROR} and Tag.CONCURRENT in answer.tags:
        return ""
    if answer.tags.get(Tag.INDUCED) == str(answer.status):
        return ""
    return (RETRY_ANY | RETRY_SAFE_METHODS if answer.method in SAFE_METHODS else RETRY_ANY).get(answer.status, "")


def retry_delay(answer: Exchange) -> float:
    """Return the seconds that the target asks the suite to wait; more than `MAX_RETRY_AFTER_S` if it is unreadable."""
    default = "1" if answer.status == HTTPStatus.TOO_MANY_REQUESTS else "0"
    text = answer.header("Retry-After") or default
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    retry_at, now = (clock.parse_http_date(value) for value in (text, answer.header("Date")))
    if retry_at is None:
        return MAX_RETRY_AFTER_S + 1
    return max(0.0, retry_at - (answer.sent_at if now is None else now))
