"""Responses of routers, firewalls, gateways and proxies rather than of the target."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.evidence.steps import Tag
from purge_conformance.evidence.tag_values import Retry
from purge_conformance.evidence.unusual_requests import is_suspicious, is_unusual

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

ROUTER_ERROR = "X-Cf-Routererror"  # Cloud Foundry's router sets it where it answers itself
GATEWAY_ERRORS = {502, 504}
RATE_LIMITED = 429
REFUSALS = {*range(400, 500), HTTPStatus.NOT_IMPLEMENTED}
BLOCK_PAGE_STATUSES = {*range(200, 300)}  # of firewalls that show a page to people
OWN_STATUSES = {  # no firewall means these: a missing token, sizes, types, and an error of the server itself
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
}
PAGE_STATUSES = {*range(400, 600)} - OWN_STATUSES - GATEWAY_ERRORS
ERROR_MEMBERS = ({"errors"}, {"code", "title", "detail"}, {"code", "description"})  # the last one: outside of /v3
CLOSED = ("RemoteDisconnected", "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError")


def is_of_target(exchange: Exchange) -> bool:
    """Whether the target itself answered the request, as far as one response shows.

    Not its own are a missing response, one of a rate limit, a router, a gateway or a firewall, and one that asks to
    wait longer than the suite's patience.
    """
    if exchange.status in {None, RATE_LIMITED} or exchange.tags.get(Tag.SUPERSEDED) == Retry.GATEWAY:
        return False
    if Tag.LONG_WAIT in exchange.tags or exchange.header(ROUTER_ERROR):
        return False
    return not (is_gateway_error(exchange) or is_firewall_page(exchange))


def is_there(answer: Exchange) -> bool:
    """Whether an answer to a plain read shows that the target is reachable."""
    return answer.status == RATE_LIMITED or (is_of_target(answer) and answer.status not in GATEWAY_ERRORS)


def is_gateway_error(exchange: Exchange) -> bool:
    """Whether a gateway, without an error object of the API, reports that it got no response to an unsafe request.

    The client does not send such a request again, so the evidence does not show whether the error is temporary. So is a
    page with 503, to any request: a load balancer shows it while it has no server.
    """
    if is_unavailable_page(exchange):
        return True
    return exchange.status in GATEWAY_ERRORS and exchange.method not in SAFE_METHODS and not has_error_object(exchange)


def is_unavailable_page(exchange: Exchange) -> bool:
    """Whether a response is a page with 503 that no hook induced."""
    unavailable = HTTPStatus.SERVICE_UNAVAILABLE
    is_induced = exchange.tags.get(Tag.INDUCED) == str(unavailable.value)
    return exchange.status == unavailable and _is_page(exchange) and not is_induced


def is_firewall_page(exchange: Exchange) -> bool:
    """Whether a firewall refused a suspicious request with a page."""
    return exchange.status in PAGE_STATUSES and _is_page(exchange) and is_suspicious(exchange)


def is_firewall_refusal(exchange: Exchange) -> bool:
    """Whether a firewall may have refused an unusual request: by a page, or JSON that is no error object of the API."""
    if is_firewall_page(exchange):
        return True
    may_refuse = _is_html(exchange) if exchange.status in BLOCK_PAGE_STATUSES else exchange.status in REFUSALS
    return may_refuse and not has_error_object(exchange) and is_unusual(exchange)


def is_closed_on_unusual(exchange: Exchange) -> bool:
    """Whether the connection was closed instead of an answer to an unusual request, which some firewalls do."""
    return exchange.status is None and (exchange.error or "").startswith(CLOSED) and is_unusual(exchange)


def has_error_object(exchange: Exchange) -> bool:
    """Whether a body is JSON with the members of an error of the API: `errors`, which may be absent, or one error."""
    body = exchange.json
    return isinstance(body, dict) and (not body or any(members <= body.keys() for members in ERROR_MEMBERS))


def _is_html(exchange: Exchange) -> bool:
    return "html" in (exchange.header("Content-Type") or "").lower()


def _is_page(exchange: Exchange) -> bool:
    return _is_html(exchange) and exchange.body.lstrip().startswith(b"<")
