"""Checks the connection to the target, its API version, clock, rate limit and latency."""

from __future__ import annotations

from http import HTTPStatus
from statistics import median
from typing import TYPE_CHECKING, Any

from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import clock
from purge_conformance.evidence.errors import readable_error
from purge_conformance.evidence.listing import is_page
from purge_conformance.evidence.steps import Step
from purge_conformance.target.connection_failures import CONFIGURATION, NETWORK, explain_failure
from purge_conformance.target.doctor.check import REACHABLE, Check, Effect, Status, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

MAX_CLOCK_SKEW_S = 5.0  # a larger difference of the clocks is a warning
SLOW_RESPONSE_S = 1.0  # a longer median is a warning, because a run then takes long
UNAVAILABLE_STATUSES = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
REDIRECTS = range(300, 400)


def checks(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    """Yield findings about the connection and, if there is a response, about the target."""
    yield from _check_reachable(exchanges, settings)
    if any(x.status is not None for x in exchanges):
        yield from _check_tls(settings)
        yield from _check_api(exchanges)
        yield _check_clock(exchanges)
        yield _check_rate_limit(exchanges, settings)
        yield _check_latency(exchanges)


def _check_reachable(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    unanswered = next((x for x in exchanges if x.status is None), None)
    if unanswered is None:
        yield ok(REACHABLE, f"{settings.target.url} responds")
        return
    expected, next_step, cause = explain_failure(unanswered.error)
    yield Check(
        REACHABLE,
        Status.PROBLEM,
        f"no response to GET {unanswered.path} ({readable_error(unanswered.error)})",
        expected,
        next_step,
        cause,
        Effect.NO_JUDGMENT,
    )


def _check_tls(settings: Settings) -> Iterable[Check]:
    if settings.transport.insecure:
        got, expected = "certificates are not verified", "verification"
        yield warning("TLS", got, expected, "Give --ca-bundle FILE instead of --insecure.")
    elif settings.target.url.startswith("https:"):
        yield ok("TLS", "the certificate is valid")
    elif not settings.is_loopback:
        yield warning("TLS", "tokens are sent without encryption", "https", "Give the https:// URL.")


def _check_api(exchanges: Sequence[Exchange]) -> Iterable[Check]:
    """Yield whether the lists can be read, which a run requires, and whether the root links to API v3."""
    lists = [x for x in exchanges if x.step in {Step.APPS, Step.EVENTS}]
    roots = [x for x in exchanges if x.step in {Step.ROOT, Step.V3_ROOT}]
    if any(map(is_page, lists)) and any(map(is_root, roots)):
        yield ok("API", _version(roots) or "the root links to API v3")
    elif any(map(is_page, lists)):
        got = f"{_describe_responses(roots)}, without links to API v3"
        yield warning("API", got, "the root of API v3", "Check the path of the URL.")
    elif any(x.status != HTTPStatus.UNAUTHORIZED for x in lists):  # otherwise the check of the token is enough
        expected, next_step, cause = _explain_missing_api(lists, roots)
        got = _describe_responses(lists)
        yield Check("API", Status.PROBLEM, got, expected, next_step, cause, Effect.NO_JUDGMENT)


def _describe_responses(exchanges: Iterable[Exchange]) -> str:
    return " and ".join(f"{x.status or x.error} to GET {x.path}" for x in exchanges)


def _explain_missing_api(lists: Sequence[Exchange], roots: Sequence[Exchange]) -> tuple[str, str, str]:
    """Return what was expected, the next step and the cause, if neither apps nor events can be read."""
    statuses = {x.status for x in lists}
    if HTTPStatus.PROXY_AUTHENTICATION_REQUIRED in statuses:
        return "a proxy that allows it", "Check --proxy and its password.", CONFIGURATION
    if statuses & {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return (
            "the lists",
            "The target rejects the admin token. Give a valid one: --token admin=SOURCE.",
            "authentication",
        )
    if statuses & {*UNAVAILABLE_STATUSES, None}:
        return "the lists", "The target is unavailable. Run again when it is available.", NETWORK
    redirect = next((x.header("Location") for x in [*roots, *lists] if x.status in REDIRECTS), None)
    if redirect:
        return "the lists", f"It redirects to {redirect}. If that is the API, give its URL.", CONFIGURATION
    return "Cloud Foundry's API v3", "Check the URL: it is that of the API, such as https://api.DOMAIN.", CONFIGURATION


def is_root(exchange: Exchange) -> bool:
    """Whether a response is the root document of the API, or of its version 3."""
    links = _links(exchange)
    return bool(links.keys() & {"cloud_controller_v3", "app_usage_events", "apps"})


def _version(roots: Iterable[Exchange]) -> str:
    """Return the API version that a root names, or an empty string."""
    for root in roots:
        entry = _links(root).get("cloud_controller_v3")
        meta = entry.get("meta") if isinstance(entry, dict) else None
        if isinstance(meta, dict) and isinstance(meta.get("version"), str):
            return f"API {meta['version']}"
    return ""


def _links(root: Exchange) -> dict[str, Any]:
    links = root.json.get("links") if isinstance(root.json, dict) else None
    return links if isinstance(links, dict) else {}


def _check_clock(exchanges: Sequence[Exchange]) -> Check:
    offset = clock.offset_from_dates(exchanges)
    if offset is None:
        return ok("clock", "no response has a Date header")
    skew = max(offset.lower, 0.0) or min(offset.upper, 0.0)  # 0 if it is between the bounds
    if abs(skew) <= MAX_CLOCK_SKEW_S:
        return ok("clock", "the target's clock and this machine's agree")
    ahead = "ahead of" if skew > 0 else "behind"
    got = f"the target's clock is {abs(skew):,.0f} s {ahead} this machine's"
    return warning(
        "clock", got, f"at most {MAX_CLOCK_SKEW_S:g} s", "Set both clocks by NTP: token expiry and ages depend on them."
    )


def _check_rate_limit(exchanges: Sequence[Exchange], settings: Settings) -> Check:
    announcement = next((x for x in reversed(exchanges) if x.header("X-RateLimit-Remaining") and x.role == ADMIN), None)
    remaining = (announcement.header("X-RateLimit-Remaining") or "") if announcement else ""
    if not remaining.isascii() or not remaining.isdigit() or len(remaining) > 9:  # noqa: PLR2004 -- longer numbers are no limit
        return ok("rate limit", "no response announces one")
    needed = settings.limits.max_requests
    if int(remaining) >= needed:
        return ok("rate limit", f"{remaining} requests are left")
    got = f"{remaining} requests are left for the admin"
    next_step = f"Raise the limit, wait for its reset, or give --max-requests {remaining}."
    return warning("rate limit", got, f"{needed}", next_step)


def _check_latency(exchanges: Sequence[Exchange]) -> Check:
    typical = median(x.elapsed for x in exchanges)
    got = f"a response takes {1000 * typical:,.0f} ms"
    if typical <= SLOW_RESPONSE_S:
        return ok("latency", got)
    return warning(
        "latency", got, f"at most {1000 * SLOW_RESPONSE_S:,.0f} ms", "Run on a machine closer to the target."
    )
