"""Which responses are requested again, how often, and after which delay."""

from __future__ import annotations

import re
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.evidence.intermediaries import (
    ROUTER_ERROR,
    is_firewall_page,
    is_gateway_error,
    is_unavailable_page,
)
from purge_conformance.evidence.retry_after import requested_wait
from purge_conformance.evidence.steps import ATTEMPTS, Tag
from purge_conformance.evidence.tag_values import Retry

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
    HTTPStatus.SERVICE_UNAVAILABLE: 2,  # the target's own
    HTTPStatus.BAD_GATEWAY: 2,
    HTTPStatus.GATEWAY_TIMEOUT: 2,
    None: 1,
}
MAX_ROUTER_RETRIES = 2  # after an error of the router with any other status
MAX_UNAVAILABLE_PAGES = 6  # of a load balancer that has no server, within the patience
DEFAULT_WAIT_S = 1.0  # after a 429, or the page of a load balancer, that names no time
CONNECTION_ERRORS = re.compile(
    "RemoteDisconnected|IncompleteRead|ConnectionResetError|ConnectionAbortedError|ConnectionRefusedError|BrokenPipeError"
)
# Errors with which Cloud Foundry's router delivers a request to no server.
UNDELIVERED = {
    "unknown_route",
    "no_endpoints",
    "empty_host",
    "invalid_cf_app_instance_header",
    "Connection Limit Reached",
}


def retry_reason(answer: Exchange) -> str:
    """Return why a request is sent again; empty if its response counts.

    After an error of a router or a gateway, these are sent again: a read; a DELETE, which is done if a repetition
    answers 404; and an attempt, which must change nothing, however often it is sent.
    """
    is_concurrent = Tag.CONCURRENT in answer.tags
    is_repeatable = answer.method in {*SAFE_METHODS, "DELETE"} or answer.step in ATTEMPTS
    if answer.status is None and not CONNECTION_ERRORS.match(answer.error or ""):
        return ""
    if answer.status in {*RETRY_ANY, HTTPStatus.INTERNAL_SERVER_ERROR} and is_concurrent:
        return ""
    if answer.tags.get(Tag.INDUCED) == str(answer.status):
        return ""
    if router_error := answer.header(ROUTER_ERROR):
        may_repeat = is_repeatable or router_error in UNDELIVERED
        return Retry.GATEWAY if may_repeat and not is_concurrent else ""
    if is_firewall_page(answer) and requested_wait(answer) is None:
        return ""
    if is_unavailable_page(answer) or (is_gateway_error(answer) and is_repeatable and not is_concurrent):
        return Retry.GATEWAY
    return (RETRY_ANY | RETRY_SAFE_METHODS if answer.method in SAFE_METHODS else RETRY_ANY).get(answer.status, "")


class Attempts:
    """Counts how often one request was sent again and how long the client waited for it, within the patience."""

    def __init__(self, patience: float) -> None:
        """Start without a retry; `patience` is the seconds to wait in all because responses ask for it."""
        self._patience = patience
        self._counts: Counter[int | None] = Counter()
        self._waited = 0.0

    def next_delay(self, answer: Exchange) -> float | None:
        """Return the seconds to wait before the request is sent again, and count this retry; None: its response counts.

        Each status has its own bound: a gateway may fail just after a rate limit.
        """
        delay = self._requested(answer)
        bound = MAX_RETRIES.get(answer.status, MAX_ROUTER_RETRIES)
        if is_unavailable_page(answer):
            bound = MAX_UNAVAILABLE_PAGES
        if self._counts[answer.status] >= bound or self.is_too_long(answer):
            return None
        self._counts[answer.status] += 1
        self._waited += delay
        return delay

    def is_too_long(self, answer: Exchange) -> bool:
        """Whether a response asks to wait longer than the rest of the patience."""
        return self._waited + self._requested(answer) > self._patience

    def _requested(self, answer: Exchange) -> float:
        wait = requested_wait(answer) if answer.status in RETRY_ANY else 0.0
        if wait is None:
            names_none = answer.status == HTTPStatus.TOO_MANY_REQUESTS or is_unavailable_page(answer)
            return DEFAULT_WAIT_S if names_none else 0.0
        return wait
