"""Responses of routers, firewalls, gateways and proxies rather than of the target."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.evidence.steps import Tag
from purge_conformance.evidence.tag_values import Retry
from purge_conformance.evidence.unusual_requests import is_unusual

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

ROUTER_ERROR = "X-Cf-Routererror"  # Cloud Foundry's router sets it where it answers itself
GATEWAY_ERRORS = {502, 504}
RATE_LIMITED = 429
REFUSALS = {*range(400, 500), HTTPStatus.NOT_IMPLEMENTED}
BLOCK_PAGE_STATUSES = {*range(200, 300), HTTPStatus.SERVICE_UNAVAILABLE}  # of firewalls that show a page to people
ERROR_MEMBERS = ({"errors"}, {"code", "title", "detail"}, {"code", "description"})  # the last one: outside of /v3
CLOSED = ("RemoteDisconnected", "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError")


def is_of_target(exchange: Exchange) -> bool:
    """Whether the target itself answered the request, as far as one response shows.

    Not its own are a missing response, one of a rate limit, a router or a gateway, and one that asks to wait longer
    than the suite's patience.
    """
    if exchange.status in {None, RATE_LIMITED} or exchange.tags.get(Tag.SUPERSEDED) == Retry.GATEWAY:
        return False
    return not (Tag.LONG_WAIT in exchange.tags or exchange.header(ROUTER_ERROR) or is_gateway_error(exchange))


def is_there(answer: Exchange) -> bool:
    """Whether an answer to a plain read shows that the target is reachable."""
    return answer.status == RATE_LIMITED or (is_of_target(answer) and answer.status not in GATEWAY_ERRORS)


def is_gateway_error(exchange: Exchange) -> bool:
    """Whether a gateway, without an error object of the API, reports that it got no response to an unsafe request.

    The client does not send such a request again, so the evidence does not show whether the error is temporary.
    """
    return exchange.status in GATEWAY_ERRORS and exchange.method not in SAFE_METHODS and not has_error_object(exchange)


def is_firewall_refusal(exchange: Exchange) -> bool:
    """Whether a firewall may have refused an unusual request: by a page, or JSON that is no error object of the API."""
    if exchange.status in BLOCK_PAGE_STATUSES:
        return _is_html(exchange) and is_unusual(exchange)
    return exchange.status in REFUSALS and not has_error_object(exchange) and is_unusual(exchange)


def is_closed_on_unusual(exchange: Exchange) -> bool:
    """Whether the connection was closed instead of an answer to an unusual request, which some firewalls do."""
    return exchange.status is None and (exchange.error or "").startswith(CLOSED) and is_unusual(exchange)


def has_error_object(exchange: Exchange) -> bool:
    """Whether a body is JSON with the members of an error of the API: `errors`, which may be absent, or one error."""
    body = exchange.json
    return isinstance(body, dict) and (not body or any(members <= body.keys() for members in ERROR_MEMBERS))


def _is_html(exchange: Exchange) -> bool:
    return "html" in (exchange.header("Content-Type") or "").lower()
